import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { loadModule } from '../support/load.ts';

const STEPS = 10_000;

/** A boxed number a step would be more than this; so would one view or one closure. */
const TOLERANCE = 8 * STEPS;

/** Runs in succession that must not allocate, and how many may be tried until then. */
const QUIET_RUNS = 3;
const MOST_RUNS = 60;

const models = {
  'a perceptron with contractions, softmax and Adam': `model Net {
    input x[n, 16]
    input label[n]: 4
    param W1[16, 16] ~ glorot_uniform
    param b1[16] ~ zeros
    param W2[16, 4] ~ glorot_uniform
    h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
    z[n, k] = sum[j](h[n, j] * W2[j, k])
    output p[n, k] = softmax[k](z[n, k])
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
    train { optimizer: adam(rate = 1e-3), batch: 4, clip_norm: 1 }
  }`,
  'blocks of ten rows, which leave V8 no room to inline the optimizer': `model Ten {
    input x[n, 784]
    input label[n]: 10
    z = x |> dense(10) |> relu |> dense(10)
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    train { optimizer: adam(rate = 1e-3), batch: 4 }
  }`,
  'a convolution with pooling and a scheduled rate': `model Convolution {
    input x[n, 6]
    input y[n]
    param K[3, 2] ~ glorot_uniform
    param w[2, 2] ~ glorot_uniform
    c[n, i, f] = tanh(sum[u](x[n, i + u] * K[u, f]))
    m[n, i: 2, f] = max[u: 2](c[n, 2*i + u, f])
    output z[n] = sum[i, f](m[n, i, f] * w[i, f])
    loss = mean[n]((z[n] - y[n])^2)
    train { optimizer: sgd(rate = cosine(1e-2, period = 100)), batch: 4 }
  }`,
  'dropout, running statistics and a normal draw': `model Modes {
    input x[n, 6]
    random eps[n, 3] ~ normal
    h = x |> dense(3) |> batch_norm |> dropout(0.2)
    output z[n] = sum[k]((h[n, k] + eps[n, k])^2)
    loss = mean[n](z[n])
    train { optimizer: sgd(rate = 1e-3), batch: 4 }
  }`,
};

describe('a training step allocates nothing', () => {
  // What allocates does so every time; on a busy machine V8 may be late to optimise a module that does not.
  it.each(Object.entries(models))('%s', { timeout: 60_000, retry: 2 }, async (_, text) => {
    const { modules, diagnostics } = await compile({ path: 'm.dsl', text }, { format: false });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const program = loadModule(modules[0]?.text ?? '').createProgram(4, 1);
    program.parameters.fill(0.1);
    for (const values of Object.values(program.inputs)) values.fill(1);
    let step = 0;
    const run = (): number => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < STEPS; i++) {
        program.forward(4, step, 0);
        program.backward(4);
        program.update(step++, 1);
        program.predict(4, 0, 0);
      }
      return process.memoryUsage().heapUsed - before;
    };
    // Until V8 has optimised all functions, numbers are boxed: how many runs that takes depends on the machine.
    let quiet = 0;
    const growths: number[] = [];
    while (quiet < QUIET_RUNS && growths.length < MOST_RUNS) {
      const growth = run();
      growths.push(growth);
      quiet = Math.abs(growth) < TOLERANCE ? quiet + 1 : 0;
    }
    expect(quiet, `growth of the heap in runs of ${STEPS} steps: ${growths.join(', ')} bytes`).toBe(
      QUIET_RUNS,
    );
    expect(program.parameters.every(Number.isFinite)).toBe(true);
  });
});
