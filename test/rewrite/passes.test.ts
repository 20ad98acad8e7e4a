/** What each pass of the graph does, on the smallest program that shows it. */
import { describe, expect, test } from 'vitest';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { removeDead } from '../../compiler/rewrite/dead.ts';
import { fuseEpilogues } from '../../compiler/rewrite/epilogue.ts';
import { optimise, passes, prepare } from '../../compiler/rewrite/index.ts';
import type { PassName } from '../../compiler/rewrite/index.ts';
import { inline } from '../../compiler/rewrite/inline.ts';
import { keepDear } from '../../compiler/rewrite/keep.ts';
import { nestSums } from '../../compiler/rewrite/nest.ts';
import { share } from '../../compiler/rewrite/share.ts';
import { simplify } from '../../compiler/rewrite/simplify.ts';
import { splitContractions } from '../../compiler/rewrite/split.ts';
import { line, lines, programOf, trained } from './models.ts';

function valid(program: Program): Program {
  expect(validate(program)).toEqual([]);
  return program;
}

describe('dead', () => {
  test('keeps what outputs, loss, metrics and gradients need', () => {
    const program = programOf(`
  input x[n]
  a[n] = exp(x[n])
  b[n] = a[n] + 1
  c[n] = a[n] * 2
  output d[n] = b[n]
  metric m = mean[n](x[n])
  loss = sum[n](x[n]^2)`);
    const targets = valid(removeDead(program)).statements.map(({ target }) => target);
    expect(targets).toContain('a');
    expect(targets).not.toContain('c');
    expect(targets).toEqual(expect.arrayContaining(['d', 'm', 'loss']));
  });
});

describe('scatter', () => {
  const pooled = (loss: string): string => `
  input x[n, 10, 2]
  param w[3, 2, 4] ~ zeros
  param b[4] ~ zeros
  y[n, i: 8, f] = relu(sum[u, c](x[n, i + u, c] * w[u, c, f]) + b[f])
  p[n, i: 4, f] = max[u: 2](y[n, 2*i + u, f])
  loss = ${loss}`;
  const scatters = (loss: string): string[] =>
    lines(valid(trained(pooled(loss)))).filter((text) => /^d.*p_argmax/.test(text));

  test('what masks a scattered gradient masks what is scattered', () => {
    const [only, ...others] = scatters('sum[n, i, f](p[n, i, f]^3)');
    expect(others).toEqual([]);
    expect(only?.replaceAll(/\s+/g, ' ')).toContain(
      '+= y[n, 2*i + p_argmax[n, i, f], f] > 0 ? 3 * p[n, i, f]^2 : 0',
    );
  });

  test('what is added to a scattered gradient is not', () => {
    const [only] = scatters('sum[n, i, f](p[n, i, f]^3) + sum[n, i: 8, f](y[n, i, f]^2)');
    expect(only).toMatch(/\+= 3 \* p\[n, i, f\]\^2/);
  });
});

describe('share', () => {
  test('reads nothing where a quotient is not whole: the value of a read outside stands nowhere', () => {
    const program = programOf(`
  input x[n, 4]
  output b[n, i: 5] = sin(3 * (x[n, i] else 0.5))
  output y[n, j: 9] = sin(3 * (x[n, exact(j / 2)] else 0.5)) + j`);
    expect(line(valid(share(program)), 'y')).not.toContain('b[');
    const whole = programOf(`
  input x[n, 4]
  output b[n, i: 5] = sin(3 * (x[n, i] else 0.5))
  output y[n, j: 9] = sin(3 * (x[n, j / 2] else 0.5)) + j`);
    expect(line(valid(share(whole)), 'y')).toContain('b[n, j / 2]');
  });

  test('reads what an earlier statement computes, under other index names', () => {
    const program = valid(
      share(
        programOf(`
  input x[n, 3]
  input y[n, 3]
  output a[n, i] = sigmoid(x[n, i] * y[n, i])
  output b[n] = sum[k](sigmoid(x[n, k] * y[n, k]) + 1)`),
      ),
    );
    expect(lines(program).join('\n')).toContain('sum[k](a[n, k] + 1)');
  });

  test('equal statements become one', () => {
    const program = valid(
      share(
        programOf(`
  input x[n, 3]
  a[n] = exp(sum[i](x[n, i]^2))
  b[m] = exp(sum[j](x[m, j]^2))
  output c[n] = a[n] + b[n]`),
      ),
    );
    expect(line(program, 'c')).toBe('c[n] = a[n] + a[n]');
  });

  test('a read that may be outside is not the same', () => {
    const program = share(
      programOf(`
  input x[n, 3]
  output a[n, i] = exp(x[n, i])
  output b[n, i: 3] = exp(x[n, i - 1] else 0)`),
    );
    expect(line(program, 'b')).toBe('b[n, i: 3] = exp(x[n, i - 1] else 0)');
  });
});

const split = (statements: string): string[] =>
  lines(valid(splitContractions(simplify(programOf(statements)))));

/** A product of three matrices. */
const chain = (a: number, b: number, c: number, d: number): string => `
  input A[${a}, ${b}]
  input B[${b}, ${c}]
  input C[${c}, ${d}]
  output T[i, l] = sum[j, k](A[i, j] * B[j, k] * C[k, l])`;

describe('split', () => {
  test('a term that lacks a reduced index of the sum counts it', () => {
    const made = split(`
  input x[n, 3]
  param W[3, 4] ~ ones
  param b[5, 4] ~ ones
  input y[n, 5]
  output T[n, k] = sum[i, v](x[n, i] * W[i, k] * 0.5 + y[n, v] * b[v, k])`);
    expect(made).toContain('T_term[n, k] = 5 * 0.5 * T_term_sum[n, k]');
    expect(made).toContain('T_term2[n, k] = 3 * T_term2_sum[n, k]');
  });

  test('three matrices are multiplied two by two, in the cheaper order', () => {
    expect(split(chain(2, 50, 3, 50))).toContain('T_factor[i, k] = sum[j](A[i, j] * B[j, k])');
    expect(split(chain(50, 3, 50, 2))).toContain('T_factor[j, l] = sum[k](B[j, k] * C[k, l])');
  });

  test('what is computed inside a product gets a statement of its own', () => {
    expect(
      split(`
  input x[n, 3]
  input W[3, 4]
  output T[n, k] = sum[i](exp(x[n, i]) * W[i, k])`),
    ).toEqual(['T_factor[n, i] = exp(x[n, i])', 'T[n, k] = sum[i](T_factor[n, i] * W[i, k])']);
  });

  test('of a window, over the elements and not over the windows', () => {
    expect(
      split(`
  input x[n, 8]
  input K[3, 4]
  output T[n, i: 8, f] = sum[u]((relu(x[n, i + u - 1] else 0)) * K[u, f])`),
    ).toEqual([
      'T_factor[n, i] = relu(x[n, i])',
      'T[n, i: 8, f] = sum[u]((T_factor[n, i + u - 1] else 0) * K[u, f])',
    ]);
  });

  test('what no reduced index moves is multiplied after the sum', () => {
    expect(
      split(`
  input x[n, 3]
  input s[n]
  input W[3, 4]
  output T[n, k] = sum[i](x[n, i] * s[n] * W[i, k] / 2)`),
    ).toContain('T[n, k] = s[n] * T_sum[n, k] / 2');
  });

  test('a sum of products is a sum of contractions', () => {
    const made = split(`
  input x[n, 3]
  input h[n, 3]
  input W[3, 4]
  input U[3, 4]
  output T[n, k] = sum[i](x[n, i] * W[i, k] - h[n, i] * U[i, k])`);
    expect(made).toContain('T[n, k] = T_term[n, k] - T_term2[n, k]');
  });

  test('elementwise products under a sum are left in one pass', () => {
    const statements = `
  input x[n, 3]
  input y[n, 3]
  input m[n, 3]
  output t = sum[n, i](x[n, i] * exp(y[n, i]) * m[n, i])`;
    expect(split(statements)).toEqual(lines(programOf(statements)));
  });
});

describe('inline', () => {
  test('a chain of elementwise steps is one statement', () => {
    const program = valid(
      inline(
        programOf(`
  input x[n]
  a[n] = x[n] + 1
  b[n] = exp(a[n])
  output c[n] = b[n] * 2`),
      ),
    );
    expect(lines(program)).toEqual(['c[n] = exp(x[n] + 1) * 2']);
  });

  test('an exponential that is needed twice, or broadcast, is kept', () => {
    const twice = programOf(`
  input x[n]
  a[n] = exp(x[n])
  output b[n] = a[n] + 1
  output c[n] = a[n] * 2`);
    expect(lines(inline(twice))).toEqual(lines(twice));
    const broadcast = programOf(`
  input x[n]
  input y[n, 3]
  a[n] = exp(x[n])
  output b[n, k] = a[n] * y[n, k]`);
    expect(lines(inline(broadcast))).toEqual(lines(broadcast));
  });

  test('nothing is computed inside a matrix product', () => {
    const product = programOf(`
  input x[n, 3]
  input W[3, 4]
  a[n, i] = x[n, i] + 1
  output b[n, k] = sum[i](a[n, i] * W[i, k])`);
    expect(lines(inline(product)).join('\n')).toContain('sum[i](a[n, i] * W[i, k])');
  });

  test('outputs stay', () => {
    const program = programOf('  input x[n]\n  output a[n] = x[n] + 1\n  output b[n] = a[n] * 2');
    expect(lines(inline(program))).toEqual(lines(program));
  });
});

describe('keep', () => {
  const swish = `
  input x[n, 3]
  param W[3, 4] ~ ones
  u[n, j] = sum[i](x[n, i] * W[i, j])
  output y[n, j] = u[n, j] * sigmoid(1.5 * u[n, j])
  loss = sum[n, j](y[n, j]^2)`;

  test('what the forward pass computes dearly is read by the backward pass', () => {
    const program = valid(optimise(trained(swish)));
    expect(line(program, 'y_sigmoid')).toBe('y_sigmoid[n, j] = sigmoid(1.5 * u[n, j])');
    const computed = lines(program).filter((text) => text.includes('sigmoid('));
    expect(computed).toHaveLength(1);
    expect(lines(program).filter((text) => text.includes('y_sigmoid[n, j]')).length).toBeGreaterThan(2);
  });

  test('but neither what only the forward pass computes, nor what may grow beyond a float32', () => {
    const once = programOf(`
  input x[n, 3]
  output y[n, j] = x[n, j] * sigmoid(x[n, j])
  output z[n, j] = x[n, j] + sigmoid(x[n, j])`);
    expect(keepDear(once)).toBe(once);
    const large = optimise(trained(swish.replace('sigmoid', 'exp')));
    expect([...large.tensors.keys()]).not.toContain('y_exp');
  });

  test('not where it is cheap to compute again', () => {
    const cheap = optimise(trained(swish.replace('1.5 * u[n, j]', 'u[n, j]')));
    expect([...cheap.tensors.keys()]).not.toContain('y_sigmoid');
  });
});

describe('epilogue', () => {
  test('bias and activation go into the product, read by the reader that is in place', () => {
    const program = valid(
      fuseEpilogues(
        programOf(`
  input x[n, 3]
  input W[3, 4]
  input b[4]
  output h[n, j] = relu(sum[i](x[n, i] * W[i, j]) + b[j])`),
      ),
    );
    expect(lines(program)).toEqual(['h[n, j] = relu(sum[i](x[n, i] * W[i, j]) + b[j])']);
  });

  test('transposed, under the names of the reader', () => {
    const program = valid(
      fuseEpilogues(
        programOf(`
  input x[5, 3]
  s[i] = sum[k](x[i, k])
  q[i, j] = sum[k](x[i, k] * x[j, k])
  output h[k, i] = q[i, k] + 1
  output g[i] = s[i] * 2`),
      ),
    );
    expect(line(program, 'h')).toBe('h[k, i] = sum[k2](x[i, k2] * x[k, k2]) + 1');
  });

  test('a copy of a sum is the sum, with nothing left to do behind it', () => {
    const program = valid(
      fuseEpilogues(
        programOf(`
  input x[n, 3]
  input W[3, 4]
  s[n, j] = sum[i](x[n, i] * W[i, j])
  output h[n, j] = s[n, j]`),
      ),
    );
    expect(lines(program)).toEqual(['h[n, j] = sum[i](x[n, i] * W[i, j])']);
    expect(program.statements[0]).not.toHaveProperty('finish');
  });

  test('not where the sum is read at other places, or twice', () => {
    const shifted = programOf(`
  input x[n, 3]
  s[n] = sum[i](x[n, i])
  output a[n, i] = x[n, i] - s[n]`);
    expect(validate(fuseEpilogues(shifted))).toEqual([]);
    expect(lines(fuseEpilogues(shifted)).join('\n')).toContain('a[n, i] = x[n, i] - s[n]');
  });

  test('a second contribution is added where it is made', () => {
    const program = trained(`
  input x[n, 3]
  param W[3, 3] ~ zeros
  param V[3, 3] ~ zeros
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  g[n, j] = tanh(sum[i](h[n, i] * V[i, j]))
  loss = sum((g * h)^2)`);
    const text = lines(program, 'backward').join('\n');
    expect(text).toMatch(/= .*\+ sum\[.*\]\(.*\* V\[/);
  });
});

test('nest: a sum of sums is one sum', () => {
  const program = programOf(`
  input x[n, 3]
  input y[n, 3]
  s[n] = sum[i](x[n, i] * y[n, i])
  output t = sum[n](s[n])`);
  const nested = valid(removeDead(nestSums(inline(program))));
  expect(lines(nested).join('\n')).toContain('= sum[n, i](x[n, i] * y[n, i])');
});

describe('all together', () => {
  const statements = `
  input x[n, 6]
  input label[n]: 4
  param W[6, 4] ~ zeros
  param b[4] ~ zeros
  z[n, k] = sum[i](x[n, i] * W[i, k]) + b[k]
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))`;

  test('optimising what is optimised changes nothing', () => {
    const once = trained(statements);
    expect(lines(optimise(once))).toEqual(lines(once));
  });

  test('preparing what is prepared changes nothing', () => {
    const once = prepare(programOf(statements));
    expect(lines(prepare(once))).toEqual(lines(once));
  });

  test('a pass that is switched off is not run, and every run is observed', () => {
    const seen: PassName[] = [];
    const without = new Set<PassName>(['simplify']);
    prepare(programOf(statements), { without, observe: (name) => seen.push(name) });
    expect(seen).not.toContain('simplify');
    expect(seen.every((name) => name in passes)).toBe(true);
    expect(seen[0]).toBe('stabilise');
  });
});
