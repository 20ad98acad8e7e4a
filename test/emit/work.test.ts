import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';

async function headerOf(text: string): Promise<string> {
  const { modules, diagnostics } = await compile({ path: 'm.dsl', text }, { format: false });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const module = modules[0]?.text ?? '';
  return module.slice(0, module.indexOf('*/'));
}

describe('the work of a step, in the header', () => {
  it('of a perceptron is that of its five products', async () => {
    const header = await headerOf(`model Digits {
      dim pixels = 784, hidden = 128, classes = 10
      input x[n, pixels]
      input label[n]: classes
      param W1[pixels, hidden] ~ glorot_uniform
      param b1[hidden] ~ zeros
      param W2[hidden, classes] ~ glorot_uniform
      param b2[classes] ~ zeros
      h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
      z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]
      output p[n, k] = softmax[k](z[n, k])
      loss = mean[n](cross_entropy[k](z[n, k], label[n]))
      metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
      train { optimizer: adam(rate = 1e-3), batch: 64 }
    }`);
    // forward x W1 and h W2: 784·128 + 128·10; backward dW1, dW2 and dh: 784·128 + 2·128·10
    expect(header).toContain('Multiply-adds of a step: forward 101,632 n, backward 102,912 n.');
    // x, h, dh 784 + 2·128 floats, z within dh's place, p 10 and dz over it, label 4 bytes, logsumexp 8; loss 8, accuracy in
    // the place of logsumexp
    expect(header).toContain(`Inputs and intermediates: ${'4,212 n + 8'} bytes for a batch of n rows.`);
    expect((784 + 2 * 128 + 10) * 4 + 4 + 8).toBe(4212);
  });

  it('of a convolution has all taps of all positions', async () => {
    const header = await headerOf(`model Convolution {
      input x[n, 10, 10]
      param K[3, 3, 4] ~ zeros
      output y[n, i, j, f] = sum[u, v](x[n, i + u, j + v] * K[u, v, f])
      loss = mean[n, i, j, f](y[n, i, j, f] ^ 2)
      train { optimizer: sgd(rate = 1), batch: 8 }
    }`);
    expect(8 * 8 * 4 * 3 * 3).toBe(2304);
    expect(header).toContain('forward 2,304 n, backward 2,304 n.');
  });
});
