/** Windows that lie wholly outside of what they read: their elements are what nothing gives, and nothing else is touched. */
import { describe, it } from 'vitest';
import { modelOf } from '../model/helpers.ts';
import { expectEmitted } from '../property/emit.ts';
import { randomTensors } from '../property/programs.ts';

function expectComputed(body: string): void {
  const { program } = modelOf(`model M {\n${body}\n}`);
  expectEmitted(program, randomTensors(program, 7));
}

describe('a window that lies outside', () => {
  it('adds nothing to a contraction: the kernel is given no negative number of terms', () => {
    expectComputed(`
      input x[n, 1, 3]
      param K[3, 4] ~ zeros
      y[n, i: 3, j: 4] = sum[u: 3]((x[n, 3 * i + u - 3, i] else 0) * K[u, j])
      loss = sum[n, i, j](sin(y[n, i, j]))`);
  });

  it('leaves what the sum is added to: the epilogue is for every element', () => {
    // of the loop over v nothing is left in the condition once v is written as residue and quotient
    expectComputed(`
      param w[1, 1] ~ zeros
      y[j: 1] = sum[u: 1, v: 3]((w[u, 2 * j + v] else 0) / (1.5 + (w[u, 2 * j + v - 1] else 0)^2))
      loss = sum[j](sin(y[j]))`);
    expectComputed(`
      param w[1, 1] ~ zeros
      param K[1, 3] ~ zeros
      h[i, j] = w[i, j]
      y[i: 2, j: 1] = sum[u: 1, v: 3]((h[u, 2 * j + v] else 0) / (1.5 + (h[u, 2 * j + v - 1] else 0)^2) + K[u, v])
      loss = sum[i, j](sin(y[i, j]) * (1 + i + 2 * j))`);
  });

  it('is empty in every reduction', () => {
    for (const [reduction, outside] of [
      ['sum', '0'],
      ['prod', '1'],
      ['max', '-2'],
      ['min', '2'],
      ['logsumexp', '-3'],
    ])
      expectComputed(`
        input x[n, 2]
        param w[2, 2] ~ zeros
        y[n, i: 5] = ${reduction}[u: 2]((w[exact((i - 2 * u - 2) / 3), u] else ${outside}) * (x[n, 2 * i + u - 4] else 0.5))
        loss = sum[n, i](sin(y[n, i]) * (i + 1))`);
  });
});
