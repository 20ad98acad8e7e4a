import { describe, expect, it } from 'vitest';
import { emitWorkload, trainingOf } from '../../bench/chainrule.ts';
import { reference } from '../../bench/reference.ts';
import { loadWorkload, specifications } from '../../bench/workloads.ts';
import { loadModule } from '../support/load.ts';

/** Of those that take long, the steps whose losses are compared; of the others all 20. */
const fewer: Readonly<Record<string, number>> = { W3: 1, W4: 1, W5: 1, W6: 1, S3: 0 };

describe('the workloads of the bench begin with the losses that PyTorch has', () => {
  it.each(Object.keys(specifications))('%s', async (id) => {
    const workload = loadWorkload(id);
    const { step, loss } = trainingOf(workload, loadModule(await emitWorkload(workload)));
    const last = fewer[id] ?? 20;
    const losses = Array.from({ length: last }, () => step(0));
    losses.push(loss(0));
    const { loss0, loss1, loss20 } = reference[id]!;
    const expected = new Map([
      [0, loss0],
      [1, loss1],
      [20, loss20],
    ]);
    for (const [after, value] of expected) {
      if (after > last) continue;
      expect(Math.abs(losses[after]! - value) / value, `loss after ${after} steps`).toBeLessThan(1e-4);
    }
  });

  it('has a reference for every workload', () => {
    expect(Object.keys(reference)).toEqual(Object.keys(specifications));
  });
});
