import { describe, expect, it } from 'vitest';
import { memoryOf } from '../../bench/memory.ts';
import { analyse } from '../../compiler/index.ts';
import { schedule } from '../../compiler/schedule/index.ts';

const batch = 8;

function figuresOf(text: string) {
  const [analysed] = analyse({ path: 'm.dsl', text }).models;
  return memoryOf(schedule(analysed!.program, { dtype: 'f32', batch: 'n' }), batch);
}

describe('the memory of a step beside its lower bound', () => {
  it('counts what is needed at once, and not what is over', () => {
    const { apart, workspace, bound } = figuresOf(`model Chain {
      input x[n, 16]
      a = x |> dense(16, bias = false)
      b = a |> dense(16, bias = false)
      c = b |> dense(16, bias = false)
      output d = c |> dense(16, bias = false)
    }`);
    const tensor = 16 * batch * 4;
    expect(apart).toBe(4 * tensor);
    expect(workspace).toBe(2 * tensor);
    expect(bound).toBe(2 * tensor);
  });

  it('is never below the bound', () => {
    const { apart, workspace, bound } = figuresOf(`model Net {
      input x[n, 16]
      input y[n]: 4
      z = x |> dense(32) |> tanh |> dense(4)
      loss = mean[n](cross_entropy[k](z[n, k], y[n]))
      train { optimizer: adam }
    }`);
    expect(bound).toBeGreaterThan((32 + 4) * batch * 4);
    expect(workspace).toBeGreaterThanOrEqual(bound);
    expect(apart).toBeGreaterThanOrEqual(workspace);
  });
});
