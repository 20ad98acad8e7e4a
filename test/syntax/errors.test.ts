import { describe, expect, test } from 'vitest';
import { keywords } from '../../compiler/syntax/tokens.ts';
import { errorsOf, parseText, show, statementError, theError } from './helpers.ts';

/** The error in `fn f(x) = ...`, without its place. */
const expressionError = (text: string) => {
  const { error, hint } = theError(`fn f(x) = ${text}`);
  return [error.replace(/^(E\d+) \d+:\d+ /, '$1 '), hint];
};

describe('what is found and what is expected', () => {
  test.each([
    ['x[n, i)', 'E102 expected `]` or `,` after an index, found `)`'],
    ['(x]', 'E102 expected `)` after an expression, found `]`'],
    ['f(x, )', 'E102 expected an argument after `,`, found `)`'],
    ['[1, ]', 'E102 expected an item after `,`, found `]`'],
    ['x +', 'E102 expected an expression, found end of line'],
    ['', 'E102 expected an expression, found end of line'],
    ['+ x', 'E102 expected an expression, found `+`'],
    ['()', 'E102 expected an expression, found `)`'],
    ['x[]', 'E102 expected an index between the brackets'],
    ['f[](x)', 'E102 expected an index between the brackets'],
    ['f[k + 1](x)', 'E102 expected the name of an index'],
    ['f[..: 3](x)', 'E102 expected `]` or `,` after an index, found `:`'],
    ['x ? 1', 'E102 expected `:` and the other value of the conditional, found end of line'],
    ['x |> 3', 'E102 expected the name of a function or layer after `|>`, found the number 3'],
    ['x[i] else y', 'E102 expected a number, `inf`, `edge`, `reflect` or `circular` after `else`, found `y`'],
    ['x else 0', 'E102 expected end of line after an expression, found `else`'],
    ['f(x)(y)', 'E102 only a name can be called'],
    ['1 2', 'E102 expected end of line after an expression, found the number 2'],
    ['x) + 1', 'E102 expected end of line after an expression, found `)`'],
    ['x = 1', 'E102 expected end of line after an expression, found `=`'],
    ['x + .. ', 'E102 expected an expression, found `..`'],
    ['x[1:3]', 'E102 expected `]` or `,` after an index, found `:`'],
    ['a and', 'E102 expected an expression, found end of line'],
    ['x { }', 'E102 expected end of line after an expression, found `{`'],
    ['{ }', 'E102 expected an expression, found `{`'],
  ])('%s', (text, error) => expect(expressionError(text)[0]).toBe(error));
});

describe('hints', () => {
  test.each([
    ['x ** 2', 'E102 `**` is not part of the language', 'a power is written `^`'],
    ['a && b', 'E102 `&&` is not part of the language', 'write `and`'],
    ['a || b', 'E102 `||` is not part of the language', 'write `or`'],
    ['!x', 'E102 `!` is not part of the language', 'write `not`'],
    ['a === b', 'E102 `===` is not part of the language', 'equality is written `==`'],
    ['a % b', 'E102 `%` is not part of the language', 'a remainder is written `mod(a, b)`'],
    [
      'a @ b',
      'E102 `@` is not part of the language',
      'a matrix product is written `sum[k](a[i, k] * b[k, j])`',
    ],
    [
      'a \u2212 b',
      'E102 `\u2212` is not part of the language',
      'this is the character U+2212; write the minus of the keyboard, `-`',
    ],
    ['a × b', 'E102 `×` is not part of the language', 'write `*`'],
    ['a ≤ b', 'E102 `≤` is not part of the language', 'write `<=`'],
    ['a | f', 'E102 `|` is not part of the language', 'a pipe is written `|>`, a disjunction `or`'],
    [
      'a;',
      'E102 `;` is not part of the language',
      'a statement ends at the end of its line; no `;` is needed',
    ],
    ['a < b < c', 'E102 comparisons cannot be chained', 'write `a < b and b < c`'],
    ['0 <= (a + b) == c < d', 'E102 comparisons cannot be chained', 'write `0 <= (a + b) and (a + b) == c`'],
    [
      'a == not b',
      'E102 this `not` needs brackets around it',
      '`not` binds looser than comparisons and arithmetic: write `(not x)`',
    ],
    ['.5', 'E104 a number cannot begin with a point', 'write `0.5`'],
    ['2x', 'E104 `2x` is not a number', 'a product is written with a `*`: `2 * x`'],
    ['1e', 'E104 `1e` is not a number', 'an exponent needs digits: `1e-3`'],
    ['1.', 'E104 `1.` is not a number', 'write `1` or `1.0`'],
    ['1_000', 'E104 `1_000` is not a number', 'write the digits without `_`'],
    ['0x1F', 'E104 `0x1F` is not a number', 'numbers are decimal'],
    ['1.2.3', 'E104 `1.2.3` is not a number', undefined],
    ['1e999', 'E104 `1e999` is too large for a number', 'infinity is written `inf`'],
    ["'zeros'", "E101 unexpected `'`", 'strings are written with the double quotes of the keyboard, `"..."`'],
    ['“a”', 'E101 unexpected `“`', 'strings are written with the double quotes of the keyboard, `"..."`'],
    ["x[i]'", "E101 unexpected `'`", "a prime follows a name without a space: `m'`"],
    ['x # no', 'E101 unexpected `#`', 'comments are written `// ...`'],
    ['x /* no */', 'E101 unexpected `/*`', 'comments are written `// ...`'],
    ['a $ b', 'E101 unexpected `$`', undefined],
    ['$$$$a', 'E101 unexpected `$`', undefined],
    ['a \u0007', 'E101 unexpected character U+0007', undefined],
    ['a 😀', 'E101 unexpected `😀`', undefined],
    ['"abc', 'E105 this string has no closing `"` on its line', undefined],
    ['(a = b)', 'E102 expected `)` after an expression, found `=`', 'equality is written `==`'],
    [
      'f(a b)',
      'E102 expected `)` or `,` after an argument, found `b`',
      'is an operator or a comma missing? A product is written with a `*`',
    ],
    ['a adn b', 'E102 expected end of line after an expression, found `adn`', 'did you mean `and`?'],
    [
      "x'",
      "E102 the name `x'` cannot have a prime here",
      'a prime is the next value of a state, in a model, a layer, an optimizer or a schedule',
    ],
  ])('%s', (text, error, hint) => expect(expressionError(text)).toEqual([error, hint]));

  test('a slip whose meaning is clear leaves the meaning in the tree', () => {
    const { file } = parseText('fn f(x) = a ** 2 % b && !c');
    const [item] = file.items;
    expect(item?.kind === 'fn' && show(item.value)).toBe('(and (mod (^ a 2) b) (not c))');
  });

  test.each([
    ['parm W[a] ~ zeros', 'E102 2:1 no statement begins with `parm`', 'did you mean `param`?'],
    ['metrics acc = x', 'E102 2:1 no statement begins with `metrics`', 'did you mean `metric`?'],
    ['trian { batch: 1 }', 'E102 2:1 no statement begins with `trian`', 'did you mean `train`?'],
    [
      'let y = x',
      'E102 2:1 `let` is not part of the language',
      'a name is assigned without a keyword: `y = relu(x)`',
    ],
    ['y relu(x)', 'E102 2:3 expected `=` after `y`, found `relu`', 'is the `=` missing?'],
    ['y[n] 3', 'E102 2:6 expected `=` after `y`, found the number 3', 'is the `=` missing?'],
    ['W[a] ~ zeros', 'E102 2:6 expected `=` after `W`, found `~`', 'is `param` missing before it?'],
    [
      'relu(x)',
      'E102 2:5 expected `=` after `relu`, found `(`',
      'a statement gives a name to a value: `y = relu(x)`',
    ],
    ['y := x', 'E102 2:3 `:=` is not part of the language', 'an assignment is written `=`'],
    ['y == x', 'E102 2:3 expected `=`, found `==`', 'an assignment is written with one `=`'],
    [
      'y += x',
      'E102 2:3 expected `=` after `y`, found `+=`',
      'a name is assigned once: give the sum a new name',
    ],
    [
      'y *= x',
      'E102 2:3 expected `=` after `y`, found `*=`',
      'a name is assigned once: give the product a new name',
    ],
    [
      'y[0: 3] += x[n] for',
      'E102 2:20 expected the name of an index, found end of line',
      'the left side names indices; arithmetic on them belongs to the right',
    ],
    ['y[] += x', 'E102 2:5 expected a place between the brackets', undefined],
    [
      'output loss',
      'E209 2:8 the loss is reported in any case and is no output',
      'to have it from `predict` as well give it another name: `output l = loss`',
    ],
    ['y[i + 1] = x', 'E102 2:5 expected `]` or `,` after an index, found `+`', undefined],
    [
      'y[0] = x',
      'E102 2:3 expected the name of an index, found the number 0',
      'the left side names indices; arithmetic on them belongs to the right',
    ],
    [
      'y[] = x',
      'E102 2:2 expected an index between the brackets',
      'a single number is assigned to a bare name',
    ],
    [
      'loss[n] = x',
      'E102 2:5 `loss` is a single number and has no indices',
      'reduce over them: `loss = mean[n](...)`',
    ],
    [
      'metric m[n] = x',
      'E102 2:9 `m` is a single number and has no indices',
      'reduce over them: `m = mean[n](...)`',
    ],
    [
      'param W[a] = zeros',
      'E102 2:12 expected `~` and an initialiser, found `=`',
      'a param begins at random or given values: `~ glorot_uniform`',
    ],
    [
      'param W[a]',
      'E102 2:11 expected `~` and an initialiser, found end of line',
      'for example `~ glorot_uniform`',
    ],
    [
      'param W[] ~ 1',
      'E102 2:8 expected a size between the brackets',
      'a single number is declared without brackets',
    ],
    [
      'param W[.., a] ~ zeros',
      'E102 2:9 expected a size, found `..`',
      '`..` is for the tensors that a layer takes and gives',
    ],
    [
      'param W ~ a + b',
      'E503 2:11 this is no initialiser',
      'an initialiser is a name such as `zeros`, a call such as `normal(0, 0.02)`, a number or a list of numbers; a formula is written `constant(1 / 3)`',
    ],
    [
      'input x[n] ~ zeros',
      'E102 2:12 expected `:`, `=` or end of line after an input, found `~`',
      'an input has no first value: its values come with the data; `= 1` is what it is where it is left out',
    ],
    [
      'input x[n]: 3 -',
      'E102 2:16 expected an expression, found end of line',
      'a line that continues a statement is indented deeper than the statement',
    ],
    [
      'dim a 3',
      'E102 2:7 expected `=` and a size after `a`, found the number 3',
      'a size is declared as `dim hidden = 64`',
    ],
    ['dim', 'E102 2:4 expected the name of a size, found end of line', undefined],
    [
      'train { batch = 64 }',
      'E102 2:15 expected `:` after `batch`, found `=`',
      'training entries are written `name: value`',
    ],
    [
      'train { 64 }',
      'E102 2:9 expected the name of a training entry, found the number 64',
      'entries are written `name: value`, for example `batch: 64`',
    ],
    [
      'train { a: 1 b: 2 }',
      'E102 2:14 expected `,` or end of line after an entry, found `b`',
      'is an operator or a comma missing? A product is written with a `*`',
    ],
    [
      'train optimizer: adam',
      'E102 2:7 expected `{` after `train`, found `optimizer`',
      'for example `train { optimizer: adam, epochs: 10 }`',
    ],
    [
      'random u',
      'E102 2:9 expected `~` and a distribution, found end of line',
      'for example `~ uniform(0, 1)`',
    ],
    ['return x', 'E102 2:1 `return` cannot stand in a model', '`return` belongs in a fn'],
    ['  fn f(x) = x', 'E102 2:3 `fn` cannot be defined inside of a model', 'move it to the top of the file'],
    ['{ a = b }', 'E102 2:1 expected a statement, found `{`', undefined],
    [') a', 'E102 2:1 expected a statement, found `)`', undefined],
  ])('%s', (statement, error, hint) => expect(statementError(statement)).toEqual({ error, hint }));

  test.each([
    ['modle M { }', 'E102 1:1 no statement begins with `modle`', 'did you mean `model`?'],
    ['model { }', 'E102 1:7 expected the name of a model, found `{`', undefined],
    ['model M', 'E102 1:8 expected `{`, found end of line', undefined],
    ['fn f = 3', 'E102 1:6 expected `(` and the parameters, found `=`', undefined],
    ['fn f(x)', 'E102 1:8 expected `{` or `=`, found end of line', undefined],
    ['fn f[i, j](x) = x', 'E102 1:5 a function binds one index', '`fn softmax[k](z) = ...`'],
    ['fn f(x[n]) = x', 'E102 1:7 only the parameters of a layer have axes', undefined],
    [
      'fn f(x) { y = x }',
      'E210 1:4 `f` returns nothing',
      'the last statement of a function is `return` and an expression',
    ],
    ['fn f(x) { y[n] = x\nreturn y }', 'E102 1:11 `y` cannot have indices here', undefined],
    [
      'layer f(x[i]) { y = x }',
      'E102 1:15 expected `->` after the parameters of a layer, found `{`',
      'a layer says what it gives: `layer dense(x[.., i], units) -> y[.., units] { ... }`',
    ],
    [
      'layer f(x[i]) -> y { y = x }',
      'E102 1:20 expected `[` and the sizes of the result, found `{`',
      'a layer says what it gives: `layer dense(x[.., i], units) -> y[.., units] { ... }`',
    ],
    [
      'layer f(x[i]) -> y[i] { input z }',
      'E102 1:25 `input` cannot stand in a layer',
      '`input` belongs in a model',
    ],
    [
      'optimizer o(r) { state m[2] ~ zeros }',
      'E102 1:26 expected `]` right after `[`, found the number 2',
      'a state has the shape of its parameter, or `[]`: one number',
    ],
    ['import layers', 'E102 1:8 expected the path of a file in quotes, found `layers`', undefined],
    [
      'param W[a] ~ zeros',
      'E102 1:1 `param` does not begin a definition',
      'outside of a block a file has `model`, `dim`, `fn`, `layer`, `optimizer`, `schedule` and `import`',
    ],
    ['}', 'E102 1:1 this `}` closes nothing', undefined],
    [
      '3 + 4',
      'E102 1:1 expected a definition, found the number 3',
      'a file is made of definitions such as `model Name { ... }`',
    ],
  ])('%s', (text, error, hint) => expect(theError(text)).toEqual({ error, hint }));
});

describe('reserved words', () => {
  test.each(keywords.filter((word) => !['and', 'or', 'not', 'else', 'return', 'import'].includes(word)))(
    '%s cannot name a parameter, and is reported once',
    (word) => {
      const text = `model M {\n  param ${word}[a] ~ zeros\n  y = ${word === 'loss' ? '1' : `f(${word})`}\n}`;
      expect(theError(text).error).toBe(`E209 2:9 \`${word}\` is a reserved word and cannot be a name`);
      const [model] = parseText(text).file.items;
      expect(model?.kind === 'model' && model.items).toHaveLength(2);
    },
  );

  test.each([
    'input = 3',
    'output[n] = x',
    'y = 1 + input',
    'y[input] = x',
    'dim model = 3',
    'y = f(state = 1)',
  ])('%s', (statement) => {
    const { error, hint } = statementError(statement);
    expect(error).toContain('E209');
    expect(hint).toMatch(/^choose another name, such as `\w+_`/);
  });
});

describe('several mistakes in one file', () => {
  const text = `model Bad {
  dim a = 3, b =
  input x[n, a
  parm W[a, b] ~ zeros
  param V[a] = ones
  h[n, j] relu(x[n, j])
  y = sum[i](x[n, i] * W[i, j]
  z[n] = a < b < 3
  fine[n] = z[n]
  q = 2 ** 3
  loss == mean(z)
  metric m = 2x + $ y
  w = a b
  train { optimizer: adam(rate 3, beta = 2), epochs = 10, batch: 64
}
fn f(x = 3
fn g(x) { return x }
}
`;

  test('are all reported, and nothing else is', () => {
    expect(errorsOf(text)).toEqual([
      'E102 2:17 expected an expression, found end of line',
      'E103 3:10 this `[` is never closed: expected `]` or `,` after a size, found end of line',
      'E102 4:3 no statement begins with `parm`',
      'E102 5:14 expected `~` and an initialiser, found `=`',
      'E102 6:11 expected `=` after `h`, found `relu`',
      'E103 7:13 this `(` is never closed: expected `)` or `,` after an argument, found end of line',
      'E102 8:16 comparisons cannot be chained',
      'E102 10:9 `**` is not part of the language',
      'E102 11:8 expected `=`, found `==`',
      'E104 12:14 `2x` is not a number',
      'E101 12:19 unexpected `$`',
      'E102 13:9 expected end of line after an expression, found `b`',
      'E103 14:9 the `{` of `train` is never closed',
      'E102 14:32 expected `)` or `,` after an argument, found the number 3',
      'E102 14:53 expected `:` after `epochs`, found `=`',
      'E103 16:5 this `(` is never closed: expected `)` or `,` after a parameter, found end of line',
      'E102 18:1 this `}` closes nothing',
    ]);
  });

  test('leave every declaration in the tree', () => {
    const names = parseText(text).file.items.flatMap((item) =>
      item.kind === 'model'
        ? item.items.map((inner) => ('name' in inner ? inner.name.text : inner.kind))
        : item.kind === 'fn'
          ? [item.name.text]
          : [],
    );
    expect(names.join(' ')).toBe('a b x W V h y z fine q loss m w train f g');
  });

  test('make the value an error, so that a part of it is not checked as if it were meant', () => {
    const { file } = parseText('fn f(a) = a + b c\nfn g(a) = (a');
    expect(file.items.map((item) => item.kind === 'fn' && item.value.kind)).toEqual(['error', 'error']);
  });

  test('the rest of a broken line is not a mistake of its own', () => {
    expect(errorsOf('model M {\n  a = b +\n  3 * c\n  d = e\n}')).toHaveLength(1);
  });

  test('a block after a broken header is read', () => {
    const { file, list } = parseText('layer f(x[i) -> y[i] {\n  param W[i] ~ zeros\n  y = x\n}\nfn g(x) = x');
    expect(list).toHaveLength(1);
    expect(file.items.map((item) => (item.kind === 'layer' ? item.items.length : item.kind))).toEqual([
      2,
      'fn',
    ]);
  });

  test('an unclosed model and the brace left over are one mistake', () => {
    expect(errorsOf('model M {\nfn f(x) = x\n}\nmodel N {\n}')).toEqual([
      'E103 1:9 the `{` of model `M` is never closed',
    ]);
  });

  test('a definition inside a model is kept', () => {
    const { file } = parseText('model M {\n  fn f(x) = x\n  a = f(b)\n}');
    expect(file.items.map(({ kind }) => kind).toSorted()).toEqual(['fn', 'model']);
  });
});

const deep = (open: string, close: string, times: number): string =>
  `fn f(x) = ${open.repeat(times)}x${close.repeat(times)}`;

describe('depth', () => {
  test.each([
    ['(', ')'],
    ['f(', ')'],
    ['x[', ']'],
    ['[', ']'],
    ['-', ''],
    ['not ', ''],
    ['2^', ''],
    ['a ? b : ', ''],
    ['a ? ', ' : b'],
  ])('%s%s may be nested 190 levels deep but not 10,000', (open, close) => {
    expect(errorsOf(deep(open, close, 190))).toEqual([]);
    expect(theError(deep(open, close, 10_000)).error).toMatch(
      /^E106 1:\d+ this is nested more than 200 levels deep$/,
    );
    expect(theError(deep(open, '', 1000)).error).toContain('E106');
  });

  test.each(['+x', '*x', ' and x', '[i]', ' |> f'])('a chain of %s is at most 1000 long', (link) => {
    expect(errorsOf(`fn f(x) = x${link.repeat(990)}`)).toEqual([]);
    for (const length of [1001, 10_000]) {
      expect(theError(`fn f(x) = x${link.repeat(length)}`).error).toBe(
        'E106 1:11 this expression is more than 1000 operations deep',
      );
    }
  });

  test.each(['(', '-'])('100,000 times %s', (piece) => {
    expect(theError(deep(piece, '', 100_000)).error).toContain('E106');
  });

  test('chains in brackets add up', () => {
    const text = `fn f(x) = ${'('.repeat(50)}x${`${'+x'.repeat(50)})`.repeat(50)}`;
    expect(theError(text).error).toContain('E106');
  });

  test('20,000 statements', () => {
    const body = Array.from({ length: 20_000 }, (_, k) => `  h${k}[n, j] = relu(x[n, j] + ${k})`).join('\n');
    const { file, list } = parseText(`model M {\n${body}\n}`);
    const [model] = file.items;
    expect(list).toEqual([]);
    expect(model?.kind === 'model' && model.items.length).toBe(20_000);
  });

  test.each([
    '(',
    '[',
    '{',
    ')',
    '}',
    '?',
    '<x',
    '!',
    ',',
    '$',
    "'",
    '"',
    '/*',
    '/**/',
    'a{',
    'model a{',
    'f(x\n',
    '(\n',
  ])('20,000 times %j takes no time and breaks nothing', (piece) => {
    for (const text of [piece.repeat(20_000), `model M {\n  a = ${piece.repeat(20_000)}`]) {
      const { file, list } = parseText(text);
      expect(list.length).toBeGreaterThan(0);
      expect(file.items.length).toBeLessThanOrEqual(2);
    }
  });
});
