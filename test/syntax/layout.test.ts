import { describe, expect, test } from 'vitest';
import { errorsOf, modelItems, parseClean, parseText, show, statementError } from './helpers.ts';

/** Names and values of the assignments of a model's body. */
const assignments = (body: string): string[] =>
  modelItems(body).map((item) =>
    item.kind === 'assignment' ? `${item.name.text} = ${show(item.value)}` : item.kind,
  );

describe('a statement goes on', () => {
  test('on a line that is indented deeper', () => {
    expect(assignments('  a = b\n    + c\n  d = e')).toEqual(['a = (+ b c)', 'd = e']);
    expect(assignments('  a =\n      b\n  d = e')).toEqual(['a = b', 'd = e']);
  });

  test('while a bracket is open, however the lines are indented', () => {
    expect(assignments('  a = f(\nb,\n  c\n  )\n  d = e')).toEqual(['a = (f b c)', 'd = e']);
    expect(assignments('  a = (b\n+ c)')).toEqual(['a = (+ b c)']);
    expect(assignments('  a = x[\n  n,\n  i\n]')).toEqual(['a = (read x n i)']);
  });

  test('on a line that begins with |>', () => {
    expect(assignments('  a = b\n  |> f\n|> g(1)\n  d = e')).toEqual(['a = (g (f b) 1)', 'd = e']);
  });

  test('over comments and empty lines', () => {
    expect(assignments('  a = b // one\n\n// two\n    + c')).toEqual(['a = (+ b c)']);
  });

  test('in declarations and headers', () => {
    expect(modelItems('  dim a = 1,\n    b = 2\n  param W[a]\n    ~ zeros')).toHaveLength(3);
    expect(parseClean('layer f(x[.., i],\n  units)\n  -> y[.., units] {\n  y = x\n}')).toHaveLength(1);
    expect(parseClean('fn f(x) =\n  x + 1\nfn g(x) = x')).toHaveLength(2);
  });

  test('to a brace on the next line', () => expect(parseClean('model M\n{\n  a = b\n}')).toHaveLength(1));
});

describe('a statement ends', () => {
  test('at the end of its line', () => {
    expect(assignments('a = b\nc = d')).toEqual(['a = b', 'c = d']);
  });

  test('before a line that is indented less', () => {
    expect(assignments('    a = b\n  c = d')).toEqual(['a = b', 'c = d']);
  });

  test('at a closing brace', () =>
    expect(parseClean('model M { a = b }\nfn f(x) { return x }')).toHaveLength(2));

  test('before what looks like a statement, if it does not begin its line', () => {
    const [model] = parseClean('model M { a = b\n  c = d\n    + e\n  dim f = 1 }');
    expect(model?.kind === 'model' && model.items).toHaveLength(3);
  });
});

describe('an unclosed bracket', () => {
  test.each([
    ['x[n, i', 'y = x[n, i', '['],
    ['in a call', 'y = relu(x', '('],
    ['of binders', 'y = sum[i(x)', '['],
    ['inside another', 'y = f(g(x)', '('],
    ['of a group', 'y = 2 * (a + b', '('],
    ['of a list', 'param W[2] ~ [1, 2', '['],
    ['of axes', 'input x[n, 3', '['],
    ['of bindings', 'h[n, j', '['],
  ])('%s is blamed, and the next statements stand', (_, statement, bracket) => {
    const text = `model M {\n  ${statement}\n  q[n] = r[n]\n  param V[a] ~ zeros\n  loss = q\n  z = q\n}`;
    const { file, list } = parseText(text);
    expect(list.map(({ code, span }) => `${code} ${text.slice(span.start, span.end)}`)).toEqual([
      `E103 ${bracket}`,
    ]);
    const [model] = file.items;
    expect(model?.kind === 'model' && model.items.slice(-4).map(({ kind }) => kind)).toEqual([
      'assignment',
      'param',
      'loss',
      'assignment',
    ]);
  });

  test('is reported where it opens', () => {
    expect(statementError('  h = sum[i](x[n, i] * W[i, j]\n  z = h').error).toBe(
      'E103 2:13 this `(` is never closed: expected `)` or `,` after an argument, found end of line',
    );
    expect(statementError('  h = x[n, i\n  z = h').error).toBe(
      'E103 2:8 this `[` is never closed: expected `]` or `,` after an index, found end of line',
    );
  });

  test('does not reach over the end of its block', () => {
    expect(errorsOf('model M {\n  a = f(b\n}\nfn g(x) = x')).toEqual([
      'E103 2:8 this `(` is never closed: expected `)` or `,` after an argument, found end of line',
    ]);
  });

  test('in train does not reach over the next entry', () => {
    const { file, list } = parseText(
      'model M {\n  train {\n    optimizer: adam(rate = 1\n    batch: 64\n  }\n}',
    );
    expect(list.map(({ code }) => code)).toEqual(['E103']);
    const [model] = file.items;
    const train = model?.kind === 'model' ? model.items[0] : undefined;
    expect(train?.kind === 'train' && train.entries.map(({ name }) => name.text)).toEqual([
      'optimizer',
      'batch',
    ]);
  });
});

describe('an unclosed brace', () => {
  test('is blamed where it opens; the definitions after it stand', () => {
    const { file } = parseText('model A {\n  a = b\n\nfn f(x) = x\nmodel B {\n  c = d\n}');
    expect(file.items.map(({ kind }) => kind)).toEqual(['model', 'fn', 'model']);
    expect(errorsOf('model A {\n  a = b\n\nfn f(x) = x')).toEqual([
      'E103 1:9 the `{` of model `A` is never closed',
    ]);
  });

  test('of train is told from that of its model by the indentation', () => {
    const text = 'model M {\n  train {\n    batch: 64\n  loss = a\n}\nfn f(x) = x';
    expect(errorsOf(text)).toEqual(['E103 2:9 the `{` of `train` is never closed']);
    const [model] = parseText(text).file.items;
    expect(model?.kind === 'model' && model.items.map(({ kind }) => kind)).toEqual(['train', 'loss']);
  });
});

test('a statement that is indented too deep is told so and kept', () => {
  const text = 'model M {\n  a = b\n    c = d\n  e = f\n}';
  const { file, list } = parseText(text);
  expect(list.map(({ hint }) => hint)).toEqual([
    'this line is indented deeper than the statement above and so continues it',
  ]);
  const [model] = file.items;
  expect(
    model?.kind === 'model' && model.items.map((item) => (item.kind === 'assignment' ? item.name.text : '')),
  ).toEqual(['a', 'c', 'e']);
});
