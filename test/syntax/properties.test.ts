import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { tokenize } from '../../compiler/syntax/lexer.ts';
import { keywords } from '../../compiler/syntax/tokens.ts';
import type { ModelItem, SyntaxItem } from '../../compiler/syntax/tree.ts';
import { digits, library } from './examples.ts';
import { bare, expression, nodesOf, parseClean, parseText, show, summary } from './helpers.ts';

// ------------------------------------------------------------------------------------- expressions, made and printed

/** How tightly each form binds, written here a second time, from the grammar. */
const tightness: Readonly<Record<string, number>> = {
  '|>': 0,
  '?': 1,
  or: 2,
  and: 3,
  not: 4,
  '<': 5,
  '==': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  negative: 8,
  '^': 9,
  atom: 10,
};

/** A tree as an s-expression, its text with as few brackets as the grammar allows, and how tightly that binds. */
interface Sample {
  readonly tree: string;
  readonly text: string;
  readonly binds: number;
}

const inBrackets = ({ text, binds }: Sample, least: number): string => (binds < least ? `(${text})` : text);

const atom = (text: string): Sample => ({ tree: text, text, binds: 10 });

const samples = fc.letrec<{ any: Sample }>((tie) => {
  const leaf = fc.constantFrom('x', 'W', 'loss', '1', '0.5', '1e-8').map(atom);
  const two = fc.tuple(tie('any'), tie('any'));
  const infix = fc
    .tuple(fc.constantFrom('or', 'and', '<', '==', '+', '-', '*', '/'), two)
    .map(([sign, [left, right]]): Sample => {
      const binds = tightness[sign] ?? 0;
      const isComparison = binds === 5;
      const text = `${inBrackets(left, isComparison ? 6 : binds)} ${sign} ${inBrackets(right, binds + 1)}`;
      return { tree: `(${sign} ${left.tree} ${right.tree})`, text, binds };
    });
  const power = two.map(([left, right]): Sample => ({
    tree: `(^ ${left.tree} ${right.tree})`,
    text: `${inBrackets(left, 10)}^${inBrackets(right, 8)}`,
    binds: 9,
  }));
  const signed = fc.tuple(fc.constantFrom('-', 'not'), tie('any')).map(([sign, inner]): Sample => {
    const binds = sign === '-' ? 8 : 4;
    return { tree: `(${sign} ${inner.tree})`, text: `${sign} ${inBrackets(inner, binds)}`, binds };
  });
  const conditional = fc.tuple(tie('any'), two).map(([condition, [then, otherwise]]): Sample => ({
    tree: `(? ${condition.tree} ${then.tree} ${otherwise.tree})`,
    text: `${inBrackets(condition, 2)} ? ${then.text} : ${inBrackets(otherwise, 1)}`,
    binds: 1,
  }));
  const pipe = two.map(([input, value]): Sample => ({
    tree: `(f[k] ${input.tree} a=${value.tree})`,
    text: `${input.text} |> f[k](a = ${value.text})`,
    binds: 0,
  }));
  const call = two.map(([first, second]) => ({
    ...atom(`f(${first.text}, b = ${second.text})`),
    tree: `(f ${first.tree} b=${second.tree})`,
  }));
  const read = fc
    .tuple(tie('any'), tie('any'), fc.constantFrom('', ' else 0', ' else -2', ' else circular'))
    .map(([tensor, index, outside]): Sample => ({
      tree: `(read ${tensor.tree} .. ${index.tree}${outside})`,
      // a read of a number is none, and `x[i] else 0` cannot be read again without brackets
      text: `${tensor.text === 'x' ? 'x' : `(${tensor.text})`}[.., ${index.text}]${outside}`,
      binds: 10,
    }));
  const list = two.map(([first, second]) => ({
    ...atom(`[${first.text}, ${second.text}]`),
    tree: `(list ${first.tree} ${second.tree})`,
  }));
  return {
    any: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      leaf,
      infix,
      power,
      signed,
      conditional,
      pipe,
      call,
      read,
      list,
    ),
  };
}).any;

describe('expressions', () => {
  test('with as few brackets as the grammar allows are read as they were meant', () => {
    fc.assert(
      fc.property(samples, ({ text, tree }) => {
        expect(show(expression(text)), text).toBe(tree);
      }),
      { numRuns: 150 },
    );
  });

  test('have exact places: the text of each node is read as an equal tree', () => {
    fc.assert(
      fc.property(samples, ({ text }) => {
        for (const { node, text: part } of nodesOf(expression(text))) expectSameTree(node, part);
      }),
      { numRuns: 60 },
    );
  });
});

// ------------------------------------------------------------------------------------------------------------ places

const isReadAsExpression = new Set(
  'number string list reference read call unary binary conditional'.split(' '),
);

/** Parses the text of a node's span in the surroundings that the node needs, and compares. */
function expectSameTree(node: Record<string, unknown>, text: string): void {
  const kind = node['kind'];
  if (text === '..') {
    expect(kind === 'rest' || kind === 'reference' || node['text'] === '..').toBe(true);
  } else if (typeof kind === 'string' && isReadAsExpression.has(kind)) {
    const block = `optimizer o() {\n  y = (\n    ${text}\n  )\n}`;
    expect(bare(parseClean(block)), text).toMatchObject([{ items: [{ value: bare(node) }] }]);
  } else if (kind === 'dim' || kind === 'fn' || kind === 'layer' || kind === 'model' || kind === 'import') {
    const [item] = parseClean(kind === 'dim' ? `dim ${text}` : text);
    expect(bare(item), text).toEqual(bare(node));
  } else if (kind === 'optimizer' || kind === 'schedule') {
    expect(bare(parseClean(text)), text).toEqual([bare(node)]);
  } else if (['input', 'param', 'output', 'loss', 'metric', 'train'].includes(String(kind))) {
    expect(bare(parseClean(`model M {\n${text}\n}`)), text).toMatchObject([{ items: [bare(node)] }]);
  } else if (kind === 'assignment' || kind === 'state') {
    // the assignment of a one-line schedule has no text of its own
    if (!text.includes('=') && kind === 'assignment') return;
    const block = text.includes('[') && kind === 'assignment' ? 'model M' : 'optimizer o()';
    const statement = kind === 'state' ? `state ${text}` : text;
    expect(bare(parseClean(`${block} {\n${statement}\n}`)), text).toMatchObject([{ items: [bare(node)] }]);
  } else if (kind === 'size') {
    expect(bare(expression(text)), text).toEqual(bare(node['value']));
  } else if (kind === 'any') {
    expect(text).toBe('_');
  } else if (kind === 'index') {
    expect(bare(parseClean(`model M {\ny[${text}] = x\n}`)), text).toMatchObject([
      { items: [{ bindings: [bare(node)] }] },
    ]);
  } else if (typeof node['text'] === 'string') {
    if (node['text'] !== 'value') expect(text.replaceAll('"', '')).toBe(node['text']);
  } else if ('bound' in node) {
    expect(bare(parseClean(`model M {\ninput x: ${text}\n}`)), text).toMatchObject([
      { items: [{ range: bare(node) }] },
    ]);
  } else if ('name' in node && kind === undefined && text.includes(':')) {
    expect(bare(parseClean(`model M {\ntrain { ${text} }\n}`)), text).toMatchObject([
      { items: [{ entries: [bare(node)] }] },
    ]);
  } else if ('name' in node && kind === undefined) {
    expect(bare(parseClean(`layer f(${text}) -> y[1] { y = x }`)), text).toMatchObject([
      { parameters: [bare(node)] },
    ]);
  } else if (typeof node['value'] === 'string') {
    expect(text).toBe(node['value']);
  } else {
    expect(Number(text.replaceAll('inf', 'Infinity').replaceAll(' ', ''))).toBe(node['value']);
  }
}

test.each([
  ['digits', digits],
  ['library', library],
])('the text of every node of %s is read as an equal tree', (_, program) => {
  const nodes = nodesOf(parseClean(program));
  expect(nodes.length).toBeGreaterThan(100);
  for (const { node, text } of nodes) expectSameTree(node, text);
});

// ---------------------------------------------------------------------------------------------------------- mistakes

/** The tokens of a text, with the text before each of them. */
function tokensOf(text: string): { start: number; end: number; text: string }[] {
  return tokenize({ path: 'test.dsl', text }, new Diagnostics())
    .filter(({ kind }) => kind !== 'eof')
    .map(({ start, end }) => ({ start, end, text: text.slice(start, end) }));
}

const statements = (items: readonly SyntaxItem[]): Map<string, ModelItem> => {
  const [model] = items;
  const found = new Map<string, ModelItem>();
  if (model?.kind !== 'model') return found;
  for (const item of model.items) found.set('name' in item ? item.name.text : item.kind, item);
  return found;
};

/** Digits without a word and the blanks after it: the layout stays. */
const without = ({ start, end }: { start: number; end: number }): string =>
  digits.slice(0, start) + digits.slice(end).replace(/^ +/, '');

describe('a mistake in one statement', () => {
  const whole = statements(parseClean(digits));
  const lines = digits.split('\n');
  // all tokens but the braces and the header
  const places = tokensOf(digits).filter(
    ({ start, text }) => start > digits.indexOf('{') && !/[{}]/.test(text),
  );

  /** The statements of the lines that were not touched are as they were. */
  const expectOthersUntouched = (broken: string, start: number): void => {
    const line = digits.slice(0, start).split('\n').length - 1;
    const kept = statements(parseText(broken).file.items);
    for (const [name, item] of whole) {
      const own = digits.slice(0, item.span.start).split('\n').length - 1;
      if (own !== line)
        expect(bare(kept.get(name)), `${name} after breaking: ${lines[line]}`).toEqual(bare(item));
    }
  };

  test('never hides another: leaving out a word', () => {
    for (const place of places) expectOthersUntouched(without(place), place.start);
  });

  test('is reported at most once: leaving out a word', () => {
    for (const place of places) {
      const { list } = parseText(without(place));
      expect(list.length, `without ${place.text}: ${summary(list).join('; ')}`).toBeLessThanOrEqual(1);
    }
  });

  test('never hides another: a word too many', () => {
    const words = [
      '(',
      ')',
      '[',
      ']',
      ',',
      '=',
      '+',
      '~',
      ':',
      '?',
      '|>',
      '..',
      'fresh',
      '3',
      'param',
      '"',
      '$',
      "'",
      ';',
      '!',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...words), ({ start }, word) => {
        const before = digits.slice(0, start);
        // at the beginning of a line a `|>` would continue the statement above
        fc.pre(word !== '|>' || !/\n *$/.test(before));
        expectOthersUntouched(`${before}${word} ${digits.slice(start)}`, start);
      }),
      { numRuns: 150 },
    );
  });
});

// ----------------------------------------------------------------------------------------------------------- garbage

/** Whatever the text: no exception, places inside of the text, and what is not in the tree has been reported. */
function expectSane(text: string): void {
  const { file, list } = parseText(text);
  const spans = [...list, ...nodesOf(file.items).map(({ node }) => node as unknown as Diagnostic)].map(
    ({ span }) => span,
  );
  const outside = spans.filter(({ start, end }) => start < 0 || start > end || end > text.length);
  expect(outside).toEqual([]);
  if (list.length > 0) return;
  let left = text;
  for (const { span } of file.items) {
    left = left.slice(0, span.start) + ' '.repeat(span.end - span.start) + left.slice(span.end);
  }
  expect(left.replaceAll(/\/\/[^\n]*/g, '').replaceAll(/\bdim\b|,|\s|\uFEFF/g, '')).toBe('');
  expect(nodesOf(file.items).some(({ node }) => node['kind'] === 'error')).toBe(false);
}

describe('garbage', () => {
  test('of any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), expectSane), { numRuns: 200 });
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom(...'(){}[]=~:,.|>?<!*/^"\'+-&%;#ab1 \n\t'), { maxLength: 80 })
          .map((all) => all.join('')),
        expectSane,
      ),
      { numRuns: 250 },
    );
  });

  test('of the words of the language', () => {
    const words = [
      ...keywords,
      ...'( ) [ ] { } , : = ~ ? < == + - * / ^ |> -> .. x y m\' 1 2.5 "a"'.split(' '),
    ];
    const soup = fc
      .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(' ', ' ', ' ', '\n', '\n  ')), {
        maxLength: 60,
      })
      .map((all) => all.flat().join(''));
    fc.assert(fc.property(soup, expectSane), { numRuns: 250 });
    fc.assert(
      fc.property(soup, (text) => expectSane(`model M {\n  ${text}\n}`)),
      { numRuns: 250 },
    );
  });

  test('of programs that are cut off', () => {
    for (const { end } of tokensOf(library)) expectSane(library.slice(0, end));
    for (const { end } of tokensOf(digits)) expectSane(digits.slice(0, end - 1));
  });

  test('of programs with words exchanged', () => {
    const words = tokensOf(library);
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.constantFrom(...words), (to, from) => {
        expectSane(library.slice(0, to.start) + from.text + library.slice(to.end));
      }),
      { numRuns: 150 },
    );
  });
});
