/** One mistake in a model: its code, its place, what is said of it. */
import { describe, expect, it } from 'vitest';
import { errorOf, textOf } from './helpers.ts';

const inputs =
  'input x[n, 784]\ninput t[n, 12]: 50\ndim pixels = 784\nparam W[784, 128] ~ zeros\nparam V[100, 9] ~ zeros\n';

interface Mistake {
  readonly of: string;
  readonly text: string;
  readonly around?: string;
  /** Code and underlined text. */
  readonly at: readonly [string, string];
  readonly says?: RegExp;
  readonly hint?: RegExp;
  /** The texts of the other places. */
  readonly notes?: readonly string[];
}

const names: readonly Mistake[] = [
  { of: 'an unknown name', text: 'y = relux + 1', at: ['E201', 'relux'] },
  { of: 'a misspelt name', text: 'y = pixls + 1', at: ['E201', 'pixls'], hint: /did you mean `pixels`\?/ },
  { of: 'a misspelt function', text: 'y = gelo(x)', at: ['E201', 'gelo'], hint: /did you mean `gelu`\?/ },
  {
    of: 'a name defined twice',
    text: 'x = 3',
    at: ['E202', 'x'],
    notes: ['x'],
  },
  {
    of: 'a name used too early',
    text: 'y = later + 1\nlater = 2',
    at: ['E203', 'later'],
    hint: /move the definition up/,
    notes: ['later = 2'],
  },
  { of: 'a name used in its own definition', text: 'y = y + 1', at: ['E203', 'y'], hint: /another name/ },
  { of: 'a tensor that is called', text: 'y = x(3)', at: ['E204', 'x'], hint: /brackets/, notes: ['x'] },
  { of: 'an optimizer in an expression', text: 'y = adam(3)', at: ['E204', 'adam'], says: /train block/ },
  { of: 'an argument too many', text: 'y = relu(x, x)', at: ['E205', 'relu(x, x)'] },
  {
    of: 'an argument missing',
    text: 'y = dense(x)',
    at: ['E205', 'dense(x)'],
    says: /units/,
    notes: ['dense'],
  },
  {
    of: 'an unknown argument',
    text: 'y = dense(x, unit = 3)',
    at: ['E205', 'unit'],
    hint: /units/,
    notes: ['dense'],
  },
  { of: 'an argument given twice', text: 'y = dense(x, 3, units = 3)', at: ['E205', 'units'], says: /twice/ },
  {
    of: 'an index missing',
    text: 'y[n, i] = softmax(x[n, i])',
    at: ['E205', 'softmax(x[n, i])'],
    hint: /softmax\[k\]/,
  },
  {
    of: 'a fn that calls itself',
    text: 'y = f(x)',
    around: 'fn f(x) = g(x)\nfn g(x) = f(x)',
    at: ['E206', 'f'],
    notes: ['f', 'g'],
  },
  {
    of: 'a layer that calls itself',
    text: 'y = f(x)',
    around: 'layer f(x[.., i]) -> y[.., i] { y = x |> f }',
    at: ['E206', 'f'],
    notes: ['f'],
  },
  {
    of: 'a mistake in a layer, with the call',
    text: 'y = f(x)',
    around: 'layer f(x[.., i]) -> y[.., i] { y = x + oops }',
    at: ['E201', 'oops'],
    notes: ['f'],
  },
  { of: 'a constant defined anew', text: 'inf = 3', at: ['E209', 'inf'] },
  { of: 'a reduction defined anew', text: 'y = x', around: 'fn sum(x) = x', at: ['E209', 'sum'] },
  {
    of: 'a layer without its result',
    text: 'y = f(x)',
    around: 'layer f(x[.., i]) -> r[.., i] { z = x }',
    at: ['E210', 'r'],
  },
  { of: 'an output twice', text: 'output y = x\noutput y', at: ['E202', 'y'], notes: ['y'] },
  { of: 'a function that another library has', text: 'y = ln(x)', at: ['E201', 'ln'], hint: /`log`/ },
  {
    of: 'a matrix product of another library',
    text: 'y = matmul(x, W)',
    at: ['E201', 'matmul'],
    hint: /sum\[k\]/,
  },
  { of: 'a function that is not called', text: 'y = relu', at: ['E308', 'relu'], hint: /`x \|> relu`/ },
  { of: 'a layer that is not called', text: 'y = dense', at: ['E308', 'dense'], hint: /`dense\(x\)`/ },
  { of: 'a name that JavaScript keeps', text: '__proto__ = x', at: ['E209', '__proto__'] },
  { of: 'an input as an output', text: 'output x', at: ['E308', 'x'], notes: ['x'] },
];

const sizes: readonly Mistake[] = [
  {
    of: 'an index over two sizes',
    text: 'y[n, j] = sum[i](x[n, i] * V[i, j])',
    at: ['E301', 'i'],
    says: /index `i` runs over 100 places of axis 1 of `V`, but over 784 elsewhere/,
    notes: ['i', 'V'],
  },
  {
    of: 'a given extent that is more than a read has',
    text: 'y[n, i: 800] = x[n, i]',
    at: ['E403', 'i'],
    says: /from 0 to 799.* has places 0 to 783/,
  },
  {
    of: 'a layer whose result is not as declared',
    text: 'y = f(x)',
    around: 'layer f(x[n, i]) -> r[n, 7] { r = x }',
    at: ['E301', 'r'],
    notes: ['7', 'f'],
  },
  {
    of: 'a read with too many indices',
    text: 'y[n, i] = x[n, i, i]',
    at: ['E302', 'x[n, i, i]'],
    notes: ['x'],
  },
  {
    of: 'a scalar with brackets',
    text: 's = sum(x)\ny[n] = s[n] + x[n, 0]',
    at: ['E302', 's[n]'],
    hint: /leave out/,
    notes: ['s = sum(x)'],
  },
  {
    of: 'a whole tensor in an indexed statement',
    text: 'y[n, i] = x[n, i] + W',
    at: ['E302', 'W'],
    hint: /write `W\[i, n\]`/,
    notes: ['W'],
  },
  {
    of: 'a tensor with too few axes for a layer',
    text: 'y = f(x)',
    around: 'layer f(x[n, h, w]) -> r[n] { r[n] = x[n, 0, 0] }',
    at: ['E302', 'x'],
  },
  { of: 'a size with a fraction', text: 'dim half = 7 / 2', at: ['E303', '7 / 2'], says: /3\.5/ },
  { of: 'a size below one', text: 'param Z[pixels - 784] ~ zeros', at: ['E303', 'pixels - 784'] },
  { of: 'an empty range', text: 'input lab[n]: 5 .. 2', at: ['E303', '5 .. 2'] },
  { of: 'a default below its range', text: 'input lab[n]: 5 .. 9 = 2', at: ['E303', '2'] },
  { of: 'a default above its range', text: 'input lab[n]: 10 = 10', at: ['E303', '10'] },
  { of: 'a default that is not whole', text: 'input lab[n]: 10 = 0.5', at: ['E303', '0.5'] },
  { of: 'a default that is infinite', text: 'input weight[n] = 1 / 0', at: ['E303', '1 / 0'] },
  { of: 'a parameter with the open dimension', text: 'param B[n] ~ zeros', at: ['E304', 'n'] },
  { of: 'a dim made of the open dimension', text: 'dim m = n + 1', at: ['E304', 'n + 1'] },
  { of: 'a tensor as a size', text: 'param B[x] ~ zeros', at: ['E304', 'x'], notes: ['x'] },
  {
    of: 'the open dimension on another axis than the first',
    text: 'input z[3, n]',
    at: ['E305', 'n'],
    hint: /`input z\[n, 3\]`/,
  },
  { of: 'the open dimension twice', text: 'input z[n, n]', at: ['E305', 'n'], says: /twice/ },
  {
    of: 'the open dimension on another axis of an output',
    text: 'output y[i, n] = x[n, i]',
    at: ['E305', 'y'],
    hint: /`output y\[n, \.\.\.\] = \.\.\.`/,
  },
  { of: 'a parameter that no array can hold', text: 'param H[70000, 70000] ~ zeros', at: ['E303', 'H'] },
  {
    of: 'parameters that no array can hold together',
    text: 'param H[40000, 40000] ~ zeros\nparam G[40000, 40000] ~ zeros',
    at: ['E303', 'G'],
    says: /the parameters have 3200\d+ numbers in all/,
  },
  {
    of: 'a tensor that no array can hold',
    text: 'y[i: 70000, j: 70000] = i + j',
    at: ['E303', 'y[i: 70000, j: 70000] = i + j'],
  },
  {
    of: 'the batch as an index of the left side only',
    text: 's = sum(x)\ny[n, i: 4] = s',
    at: ['E306', 'n'],
    hint: /`y\[\.\.\., n: n\]`/,
  },
  {
    of: 'a second open dimension',
    text: 'input z[m, 3]',
    at: ['E305', 'm'],
    hint: /dim m = 10/,
    notes: ['n'],
  },
  {
    of: 'a second open dimension that is a misspelt dim',
    text: 'input z[n, pixel]',
    at: ['E305', 'pixel'],
    hint: /did you mean `pixels`/,
  },
  {
    of: 'an index that only padded arithmetic uses',
    text: 'y[n, i] = x[n, i - 1] else 0',
    at: ['E306', 'i'],
    hint: /i: 784/,
  },
  {
    of: 'an index that the right side does not use',
    text: 'y[n, k] = x[n, 0]',
    at: ['E306', 'k'],
    hint: /k: 10/,
  },
  { of: 'shapes that cannot be combined', text: 'y = x + W', at: ['E307', 'x + W'], notes: ['x', 'W'] },
  { of: 'a list as a value', text: 'y = x + [1, 2]', at: ['E308', '[1, 2]'] },
  {
    of: 'an element given to a layer',
    text: 'y[n] = dense(x[n, 3], 4)',
    at: ['E308', 'x[n, 3]'],
    hint: /without brackets/,
  },
];

const indices: readonly Mistake[] = [
  {
    of: 'an index of a fn that its argument does not have',
    text: 'y = softmax[k](x)',
    at: ['E401', 'softmax[k](x)'],
    hint: /`softmax\[k\]\(x\[n, k\]\)`; or leave out the brackets, `softmax\(...\)`/,
    notes: [],
  },
  {
    of: 'the same, handed on by a fn of the user',
    text: 'y = f[i](x)',
    around: 'fn f[j](z) = 2 * softmax[j](z)',
    at: ['E401', 'f[i](x)'],
    notes: [],
  },
  {
    of: 'an exact quotient without else',
    text: 'y[n, i: 3] = x[n, exact(i / 2)]',
    at: ['E402', 'exact(i / 2)'],
    hint: /else 0/,
  },
  { of: 'an exact something else', text: 'y[n, i] = x[n, exact(i)] else 0', at: ['E402', 'exact(i)'] },
  { of: 'the extent of a tensor', text: 'y = x * extent(x)', at: ['E205', 'extent(x)'] },
  {
    of: 'an index that is used twice without being bound',
    text: 'y[n] = x[n, i] * W[i, 0]',
    at: ['E405', 'i'],
  },
  { of: 'an index twice on the left and more', text: 'y[n, i, i] = x[n, i] + W[i, i]', at: ['E404', 'i'] },
  { of: 'an index that nothing binds', text: 'loss = x[n, 3]', at: ['E401', 'n'], hint: /sum\[n\]/ },
  {
    of: 'a reduction over what does not occur',
    text: 'y[n] = x[n, 0] * sum[i](V[3, 4])',
    at: ['E401', 'i'],
    notes: ['V[3, 4]'],
  },
  {
    of: 'a reduction of a single number',
    text: 'y[n] = sum(x[n, 3])',
    at: ['E401', 'sum(x[n, 3])'],
    hint: /sum\[n\]/,
  },
  { of: '`..` outside of layers', text: 'y[n] = x[.., 3]', at: ['E401', '..'] },
  { of: 'an index with a fraction', text: 'y[n] = x[n, 3.5]', at: ['E402', '3.5'] },
  { of: 'a product of indices', text: 'y[n, i: 3] = x[n, i * i]', at: ['E402', 'i * i'] },
  {
    of: 'a real tensor as an index',
    text: 'y[n] = x[n, x[n, 3]]',
    at: ['E402', 'x[n, 3]'],
    hint: /`input x\[n, 784\]: 1000`/,
    notes: ['x'],
  },
  { of: 'a whole tensor as an index', text: 'y[n] = x[n, t]', at: ['E402', 't'] },
  {
    of: 'a size as an index',
    text: 'y[n] = x[n, pixels]',
    at: ['E403', 'pixels'],
    hint: /`pixels` is a size \(784\); use an index such as `i`/,
  },
  {
    of: 'a read before the first place',
    text: 'y[n, i: 784] = x[n, i - 1]',
    at: ['E403', 'i - 1'],
    says: /from -1 to 782/,
    hint: /else 0/,
  },
  {
    of: 'an integer that may be too large',
    text: 'param E[40, 3] ~ zeros\ny[n, i, d] = E[t[n, i], d]',
    at: ['E403', 't[n, i]'],
    says: /0 to 49/,
    hint: /longer, or the range smaller/,
    notes: ['t', 'E'],
  },
  {
    of: 'data as places of the batch',
    text: 'y[n] = x[t[n, 0], 0]',
    at: ['E403', 't[n, 0]'],
    hint: /^read it at the index of the rows/,
  },
  { of: 'a fixed place of the batch', text: 'y[i] = x[0, i]', at: ['E403', '0'], says: /open/ },
  { of: 'an index twice on the left', text: 'y[n, n] = x[n, 3]', at: ['E404', 'n'], notes: ['n'] },
  { of: 'an index bound twice', text: 'y[n] = sum[i, i](x[n, i])', at: ['E404', 'i'], notes: ['i'] },
  { of: 'an index missing on the left', text: 'y[n] = x[n, i]', at: ['E405', 'i'], hint: /sum\[i\]/ },
  { of: 'an index of a fn missing on the left', text: 'y[n] = softmax[k](x[n, k])', at: ['E405', 'k'] },
];

const training: readonly Mistake[] = [
  { of: 'a loss with axes', text: 'loss = x', at: ['E602', 'x'], hint: /mean/ },
  { of: 'a metric with axes', text: 'metric m = x', at: ['E602', 'x'] },
  {
    of: 'a constant that is none',
    text: 'y = dense(x, units = W)',
    at: ['E501', 'W'],
    says: /`units` of `dense`/,
  },
  { of: 'an initialiser that is not known', text: 'param B[3] ~ glorot', at: ['E503', 'glorot'] },
];

for (const [family, mistakes] of Object.entries({ names, sizes, indices, training })) {
  describe(`mistakes in ${family}`, () => {
    it.each(mistakes)('$of', ({ text, around = '', at, says, hint, notes }) => {
      const keepAlive = /^output|^loss/m.test(text) ? '' : 'output kept = x';
      const error = errorOf(`${inputs}${text}\n${keepAlive}`, around);
      expect([error.code, textOf(error.span)]).toEqual(at);
      if (says) expect(error.message).toMatch(says);
      if (hint) expect(error.hint).toMatch(hint);
      if (notes) expect(error.notes.map(({ span }) => textOf(span))).toEqual(notes);
    });
  });
}
