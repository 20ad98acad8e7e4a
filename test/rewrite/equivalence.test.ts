/** Every pass keeps the value of every tensor that it keeps, and the rules of the graph. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { differentiate } from '../../compiler/calculus/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import { validate } from '../../compiler/graph/validate.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { optimise, passes, prepare } from '../../compiler/rewrite/index.ts';
import { pinned } from '../../compiler/graph/results.ts';
import { programOf } from './models.ts';
import { batchExtents, programs, randomTensors } from '../property/programs.ts';

const runs = Number(process.env['CHAINRULE_RUNS'] ?? 8);

/** The largest relative difference over all tensors that both programs must have; where one has inf or NaN, so must the other. */
function expectSameValues(before: Program, after: Program, seed: number): void {
  expect(validate(after), printProgram(after)).toEqual([]);
  const tensors = randomTensors(before, seed);
  const expected = interpret(before, { extents: batchExtents, tensors });
  const actual = interpret(after, { extents: batchExtents, tensors });
  for (const [name, nameAfter] of survivors(before, after)) {
    const wanted = [...(expected.get(name) ?? [])];
    // A parameter that the loss does not depend on (u^0 is 1) has no gradient: it is zero.
    const found = nameAfter === undefined ? wanted.map(() => 0) : (actual.get(nameAfter) ?? []);
    expect(found.length).toBe(wanted.length);
    for (const [place, value] of wanted.entries()) {
      const other = found[place] ?? NaN;
      if (!Number.isFinite(value)) continue; // a stable form may have a value where the plain one has none
      const error = Math.abs(other - value) / (1 + Math.abs(value));
      expect(error, `${name}[${place}]: ${value} became ${other}\n${printProgram(after)}`).toBeLessThan(1e-8);
    }
  }
}

/** What must survive, under its name in both programs; gradients belong to their parameters. */
function survivors(before: Program, after: Program): [string, string | undefined][] {
  const gradients = [...before.gradients].map(([parameter, name]): [string, string | undefined] => [
    name,
    after.gradients.get(parameter),
  ]);
  const others = [...pinned({ ...before, gradients: new Map() })];
  return [...others.map((name): [string, string] => [name, name]), ...gradients];
}

describe('each pass keeps the value of random programs', () => {
  for (const [name, pass] of Object.entries(passes)) {
    test(name, () => {
      fc.assert(
        fc.property(programs(), fc.nat(1e6), (program, seed) => {
          expectSameValues(program, pass(program), seed);
        }),
        { numRuns: runs, seed: 1 },
      );
    });
    test(`${name}, of what later passes make`, () => {
      fc.assert(
        fc.property(programs({ optimised: true }), fc.nat(1e6), (program, seed) => {
          expectSameValues(program, pass(program), seed);
        }),
        { numRuns: runs, seed: 2 },
      );
    });
  }
});

test('preparing and optimising keep the loss and every gradient', () => {
  fc.assert(
    fc.property(programs({ smooth: true }), fc.nat(1e6), (program, seed) => {
      const plain = differentiate(program, new Diagnostics());
      const prepared = prepare(program);
      expectSameValues(program, prepared, seed);
      const rewritten = differentiate(prepared, new Diagnostics());
      expectSameValues(plain, rewritten, seed);
      expectSameValues(plain, optimise(rewritten), seed);
    }),
    { numRuns: runs, seed: 3 },
  );
});

describe('the values of real models are kept', () => {
  const models: Readonly<Record<string, string>> = {
    'a convolutional network': `
  input x[n, 8, 8]
  input label[n]: 3
  param K[3, 3, 2] ~ zeros
  param b[2] ~ zeros
  param W[18, 3] ~ zeros
  a[n, i, j, f] = relu(sum[u, v](x[n, i + u, j + v] * K[u, v, f]) + b[f])
  p[n, i: 3, j: 3, f] = max[u: 2, v: 2](a[n, 2*i + u, 2*j + v, f])
  z[n, k] = sum[i: 3, j: 3, f](p[n, i, j, f] * W[6*i + 2*j + f, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))`,
    'attention and a standardised row': `
  input x[n, 4, 3]
  param Q[3, 2] ~ zeros
  param K[3, 2] ~ zeros
  param V[3, 2] ~ zeros
  param gain[2] ~ ones
  q[n, t, h] = sum[d](x[n, t, d] * Q[d, h])
  k[n, s, h] = sum[d](x[n, s, d] * K[d, h])
  v[n, s, h] = sum[d](x[n, s, d] * V[d, h])
  e[n, t, s] = exp(sum[h](q[n, t, h] * k[n, s, h]) / sqrt(2))
  o[n, t, h] = sum[s](e[n, t, s] / sum[s](e[n, t, s]) * v[n, s, h])
  c[n, t, h] = o[n, t, h] - mean[h](o[n, t, h])
  y[n, t, h] = gain[h] * c[n, t, h] / sqrt(mean[h](c[n, t, h]^2) + 1e-2)
  loss = mean(gelu(y)^2) + sqrt(sum(V^2))`,
    'an embedding and two kinds of likelihood': `
  input word[n]: 5
  input label[n]: 3
  input y[n]
  param E[5, 3] ~ zeros
  param w[3] ~ zeros
  a[n] = 1 / (1 + exp(-sum[d](E[word[n], d] * w[d])))
  p[n, k] = exp(E[word[n], k]) / sum[k](exp(E[word[n], k]))
  loss = -mean[n](y[n] * log(a[n]) + (1 - y[n]) * log(1 - a[n])) - mean[n](log(p[n, label[n]]))`,
  };
  for (const [name, statements] of Object.entries(models)) {
    test(name, () => {
      const plain = differentiate(programOf(statements), new Diagnostics());
      let current = prepare(programOf(statements));
      current = differentiate(current, new Diagnostics());
      expect(validate(current)).toEqual([]);
      for (const seed of [1, 2]) expectSameValues(plain, optimise(current), seed);
    });
  }
});

test('passes are deterministic', () => {
  fc.assert(
    fc.property(programs(), (program) => {
      const once = optimise(differentiate(prepare(program), new Diagnostics()));
      const again = optimise(differentiate(prepare(program), new Diagnostics()));
      expect(printProgram(once)).toBe(printProgram(again));
    }),
    { numRuns: 5, seed: 4 },
  );
});
