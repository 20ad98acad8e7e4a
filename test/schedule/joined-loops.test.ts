import { expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { batchExtents, randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

it('an index that a read and a guard share keeps its loop', () => {
  const text = `
model M {
  input x[n, 2]
  param w[2] ~ [0.3, -0.4]
  param c ~ 0.5
  t[k: 3, j: n, u: 2] = tanh(w[u] * (k + 1) + c)
  y[i: n, j: 2, l: 2] = sum[u: 2](tanh((t[2, l, u] else 0) * w[u] + x[i, j]))
  loss = sum[i, j, l](sin(y[i, j, l] * (i + 2 * j + 3 * l + 1)))
}
`;
  const [{ program } = { program: undefined }] = analyse({ path: 'm.dsl', text }).models;
  const tensors = randomTensors(program!, 1);
  for (const compared of compareWithInterpreter(program!, tensors, batchExtents))
    expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
});
