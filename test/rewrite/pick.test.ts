/** A sum in which a condition leaves one term is that term. */
import { describe, expect, it } from 'vitest';
import { line, trained } from './models.ts';

const around = (label: string, loss: string): string => `
  input x[n, 5]
  input label[n]: ${label}
  param w[5] ~ ones
  z[n, k] = x[n, k] * w[k]
  loss = mean[n](${loss})`;

const lossOf = (label: string, loss: string): string => line(trained(around(label, loss)), 'loss');

describe('one term is left', () => {
  it.each([
    ['of a product', 'sum[k]((k == label[n]) * z[n, k])'],
    ['the other way round', 'sum[k](z[n, k] * (label[n] == k))'],
    ['of a choice', 'sum[k](k == label[n] ? z[n, k] : 0)'],
  ])('%s', (_, loss) => {
    expect(lossOf('5', loss)).toBe('loss = mean[n](x[n, label[n]] * w[label[n]])');
  });

  it('of a sum over more', () => {
    expect(lossOf('5', 'sum[j, k]((k == label[n]) * x[n, j] * z[n, k])')).not.toContain('==');
  });

  it('and the gradient is the mask', () => {
    const program = trained(around('5', 'sum[k]((k == label[n]) * z[n, k])'));
    expect(line(program, 'dw')).toBe('dw[k] = sum[n]((k == label[n] ? 1 / extent(n) : 0) * x[n, k])');
  });
});

describe('the sum stays', () => {
  it.each([
    ['where the place may be outside', '6', 'sum[k]((k == label[n]) * z[n, k])'],
    ['where it may be before the first', '-1 .. 4', 'sum[k]((k == label[n]) * z[n, k])'],
    ['under another comparison', '5', 'sum[k]((k <= label[n]) * z[n, k])'],
    ['where the rest is not 0', '5', 'sum[k](k == label[n] ? z[n, k] : 1)'],
  ])('%s', (_, label, loss) => {
    expect(lossOf(label, loss)).toMatch(/\[n, k\]|sum\[k\]/);
  });
});
