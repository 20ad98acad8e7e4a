import { describe, expect, test } from 'vitest';
import type { SyntaxItem } from '../../compiler/syntax/tree.ts';
import { digits, library } from './examples.ts';
import { bare, modelItems, parseClean, show } from './helpers.ts';

const only = (text: string): SyntaxItem => {
  const items = parseClean(text);
  expect(items).toHaveLength(1);
  return items[0] as SyntaxItem;
};

const name = (text: string) => ({ text });
const reference = (text: string) => ({ kind: 'reference', name: { text } });
const number = (value: number, text = String(value)) => ({ kind: 'number', value, text });
const size = (text: string) => ({ kind: 'size', value: reference(text) });

describe('states and draws', () => {
  const items = (kind: 'model' | 'layer', body: string) => {
    const head = kind === 'model' ? 'model M' : 'layer f(x[..]) -> y[..]';
    const [item] = parseClean(`${head} {\n${body}\n}`);
    return item !== undefined && 'items' in item ? item.items.map(bare) : [];
  };

  test.each(['model', 'layer'] as const)('a %s has tensors that are kept, with their next values', (kind) => {
    expect(items(kind, "state m[3] ~ zeros, t ~ ones\nm'[i] = t")).toEqual([
      {
        kind: 'state',
        name: name('m'),
        axes: [{ kind: 'size', value: number(3) }],
        scalar: false,
        initializer: reference('zeros'),
      },
      { kind: 'state', name: name('t'), axes: [], scalar: false, initializer: reference('ones') },
      {
        kind: 'assignment',
        name: name("m'"),
        bindings: [{ kind: 'index', name: name('i') }],
        value: reference('t'),
      },
    ]);
  });

  test.each(['model', 'layer'] as const)('a %s has tensors that are drawn', (kind) => {
    expect(items(kind, 'random u[.., 3] ~ normal\nrandom v ~ 1 + 1')).toMatchObject([
      {
        kind: 'random',
        name: name('u'),
        axes: [{ kind: 'rest' }, { kind: 'size' }],
        distribution: reference('normal'),
      },
      { kind: 'random', name: name('v'), axes: [], distribution: { kind: 'binary' } },
    ]);
  });
});

describe('the top of a file', () => {
  test('import', () => {
    expect(bare(only('import "layers/more.dsl"'))).toEqual({
      kind: 'import',
      path: { kind: 'string', value: 'layers/more.dsl' },
    });
  });

  test('dim declares one or several sizes', () => {
    const items = parseClean('dim a = 3, b = 2 * a');
    expect(bare(items[0])).toEqual({ kind: 'dim', name: name('a'), value: number(3) });
    expect(items.map((item) => item.kind === 'dim' && `${item.name.text} ${show(item.value)}`)).toEqual([
      'a 3',
      'b (* 2 a)',
    ]);
  });

  test('fn in one line, with a binder and with defaults', () => {
    expect(bare(only('fn f[k](z, eps = 2) = z'))).toEqual({
      kind: 'fn',
      name: name('f'),
      binder: name('k'),
      parameters: [{ name: name('z') }, { name: name('eps'), default: number(2) }],
      locals: [],
      value: reference('z'),
    });
    expect(only('fn one() = 1')).not.toHaveProperty('binder');
  });

  test('fn with a block', () => {
    expect(bare(only('fn f(z) {\n  a = z\n  b = a\n  return b\n}'))).toMatchObject({
      locals: [
        { kind: 'assignment', name: name('a'), value: reference('z') },
        { kind: 'assignment', name: name('b'), value: reference('a') },
      ],
      value: reference('b'),
    });
  });

  test('layer: tensors have axes, hyper-parameters have none', () => {
    const text =
      'layer f(x[.., _, i], units, pad = 0) -> y[.., units] {\n  dim d = 2\n  param W[i] ~ ones\n  y = x\n}';
    expect(bare(only(text))).toEqual({
      kind: 'layer',
      name: name('f'),
      parameters: [
        { name: name('x'), axes: [{ kind: 'rest' }, { kind: 'any' }, size('i')] },
        { name: name('units') },
        { name: name('pad'), default: number(0) },
      ],
      result: name('y'),
      resultAxes: [{ kind: 'rest' }, size('units')],
      items: [
        { kind: 'dim', name: name('d'), value: number(2) },
        { kind: 'param', name: name('W'), axes: [size('i')], initializer: reference('ones') },
        { kind: 'assignment', name: name('y'), value: reference('x') },
      ],
    });
  });

  test('optimizer: states and next values', () => {
    expect(
      bare(only("optimizer o(rate) {\n  state m ~ zeros, P[] ~ 1\n  m' = g\n  p' = p - m'\n}")),
    ).toMatchObject({
      kind: 'optimizer',
      parameters: [{ name: name('rate') }],
      items: [
        { kind: 'state', name: name('m'), scalar: false, initializer: reference('zeros') },
        { kind: 'state', name: name('P'), scalar: true, initializer: number(1) },
        { kind: 'assignment', name: name("m'"), value: reference('g') },
        { kind: 'assignment', name: name("p'"), value: { right: reference("m'") } },
      ],
    });
  });

  test('schedule: one line assigns `value`', () => {
    expect(bare(only('schedule s(rate) = rate'))).toEqual({
      kind: 'schedule',
      name: name('s'),
      parameters: [{ name: name('rate') }],
      items: [{ kind: 'assignment', name: name('value'), value: reference('rate') }],
    });
    expect(bare(only("schedule s(rate) {\n  state b ~ 0\n  b' = loss\n  value = b\n}"))).toMatchObject({
      items: [{ kind: 'state' }, { name: name("b'"), value: reference('loss') }, { name: name('value') }],
    });
  });

  test('an empty file, and a file of comments', () => {
    expect(parseClean('')).toEqual([]);
    expect(parseClean('// nothing\n\n  // at all')).toEqual([]);
  });
});

describe('a model', () => {
  test('inputs: real, integers below a bound, integers in a range', () => {
    expect(bare(modelItems('input x[n, 28]\ninput l[n]: 10\ninput o: -1 .. 9\ninput r: 0..9'))).toEqual([
      { kind: 'input', name: name('x'), axes: [size('n'), { kind: 'size', value: number(28) }] },
      { kind: 'input', name: name('l'), axes: [size('n')], range: { bound: number(10) } },
      {
        kind: 'input',
        name: name('o'),
        axes: [],
        range: { least: { kind: 'unary', operator: '-', operand: number(1) }, bound: number(9) },
      },
      { kind: 'input', name: name('r'), axes: [], range: { least: number(0), bound: number(9) } },
    ]);
  });

  test('inputs with a default', () => {
    expect(bare(modelItems('input w[n] = 1\ninput l[n]: 10 = 0'))).toEqual([
      { kind: 'input', name: name('w'), axes: [size('n')], default: number(1) },
      { kind: 'input', name: name('l'), axes: [size('n')], range: { bound: number(10) }, default: number(0) },
    ]);
  });

  test.each([
    ['zeros', 'zeros'],
    ['normal(0, 0.02)', '(normal 0 0.02)'],
    ['orthogonal(gain = 2)', '(orthogonal gain=2)'],
    ['0.1', '0.1'],
    ['-0.1', '(- 0.1)'],
    ['[[1, 2], [3, 4]]', '(list (list 1 2) (list 3 4))'],
  ])('the initialiser %s', (text, tree) => {
    const [item] = modelItems(`param W[a, 2*b + 1] ~ ${text}`);
    expect(item?.kind === 'param' && [show(item.initializer), item.axes.length]).toEqual([tree, 2]);
  });

  test('a scatter: places with sizes, an operator, the indices it runs over', () => {
    const [item] = modelItems('y[b[n]: 3, i] max= x[n, i] for n, i: 4');
    if (item?.kind !== 'assignment' || item.scatter === undefined) throw new Error('no scatter');
    const { positions, operator, loops } = item.scatter;
    expect(operator).toBe('max=');
    expect(positions.map(({ index, extent }) => [show(index), extent && show(extent)])).toEqual([
      ['(read b n)', '3'],
      ['i', undefined],
    ]);
    expect(bare(loops)).toEqual([
      { kind: 'index', name: name('n') },
      { kind: 'index', name: name('i'), extent: number(4) },
    ]);
    expect(item.bindings).toBeUndefined();
  });

  test('assignments with bindings, extents and the rest', () => {
    expect(bare(modelItems('y[.., i: 14, j] = x\nz = y'))).toEqual([
      {
        kind: 'assignment',
        name: name('y'),
        bindings: [
          { kind: 'rest' },
          { kind: 'index', name: name('i'), extent: number(14) },
          { kind: 'index', name: name('j') },
        ],
        value: reference('x'),
      },
      { kind: 'assignment', name: name('z'), value: reference('y') },
    ]);
  });

  test('outputs, loss, metrics', () => {
    expect(bare(modelItems('output p\noutput q[n] = p\nloss = p\nmetric m = q'))).toEqual([
      { kind: 'output', name: name('p') },
      {
        kind: 'output',
        name: name('q'),
        assignment: {
          kind: 'assignment',
          name: name('q'),
          bindings: [{ kind: 'index', name: name('n') }],
          value: reference('p'),
        },
      },
      { kind: 'loss', value: reference('p') },
      { kind: 'metric', name: name('m'), value: reference('q') },
    ]);
  });

  test('train: entries in a line or in lines, with targets', () => {
    const oneLine = modelItems('train { optimizer: adam, optimizer[W, "b_*"]: sgd(1), freeze: [W, "e*"] }');
    const lines = modelItems(
      'train {\n  optimizer: adam\n  optimizer[W, "b_*"]: sgd(1),\n  freeze: [W, "e*"]\n}',
    );
    expect(bare(lines)).toEqual(bare(oneLine));
    expect(bare(oneLine)).toMatchObject([
      {
        entries: [
          { name: name('optimizer'), value: reference('adam') },
          { name: name('optimizer'), targets: [name('W'), name('b_*')] },
          {
            name: name('freeze'),
            value: { kind: 'list', items: [reference('W'), { kind: 'string', value: 'e*' }] },
          },
        ],
      },
    ]);
  });

  test('train: entries under the first one, behind the brace', () => {
    const [item] = modelItems('  train { optimizer: adam,\n          batch: 64\n    epochs: 3 }');
    expect(item?.kind === 'train' && item.entries.map((entry) => entry.name.text)).toEqual([
      'optimizer',
      'batch',
      'epochs',
    ]);
  });

  test('on one line', () => expect(modelItems('')).toEqual([]));
});

describe('whole programs', () => {
  test('digits', () => {
    const [model] = parseClean(digits);
    expect(model?.kind === 'model' && model.items.map(({ kind }) => kind).join(' ')).toBe(
      'dim dim dim input input param param param param assignment assignment output loss metric train',
    );
  });

  test('every kind of definition', () => {
    expect(parseClean(library).map(({ kind }) => kind)).toEqual(
      'import dim dim model fn fn fn layer layer layer optimizer schedule schedule'.split(' '),
    );
  });

  test('carriage returns, tabs and a byte order mark change nothing', () => {
    const windows = `\uFEFF${library.replaceAll('\n', '\r\n').replaceAll('  ', '\t')}`;
    expect(bare(parseClean(windows))).toEqual(bare(parseClean(library)));
  });
});
