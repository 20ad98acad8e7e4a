/** Pruning: the schedule, which weights go, and that they stay away. */
import { describe, expect, it } from 'vitest';
import {
  getTraining,
  MagnitudePruning,
  setTraining,
  type Callback,
  type TrainingSnapshot,
} from '../../runtime/index.ts';
import { BUSY, moduleOf, PLAIN, rowsOf } from './support.ts';

const data = rowsOf(24);
const module = await moduleOf(PLAIN);
const busy = await moduleOf(BUSY);

const zeros = (values: ArrayLike<number>): number =>
  Array.from(values).filter((value) => value === 0).length / values.length;

/** The zeros of each parameter after every step: PLAIN has `h_dense_W` [3, 5] and `z_W` [5, 3]. */
async function zerosOf(pruning: MagnitudePruning, epochs = 5): Promise<Record<string, number>[]> {
  const steps: Record<string, number>[] = [];
  const watch: Callback = {
    onBatchEnd: (_, { trainer }) => {
      const weights = Object.entries(trainer.getWeights());
      steps.push(Object.fromEntries(weights.map(([name, values]) => [name, zeros(values)])));
    },
  };
  await module.createTrainer().fit(data, { epochs, callbacks: [pruning, watch] });
  return steps;
}

describe('MagnitudePruning', () => {
  it('follows the cubic of Zhu & Gupta', () => {
    const pruning = new MagnitudePruning({ sparsity: 0.8, initialSparsity: 0.2, begin: 10, end: 30 });
    expect(pruning.sparsityAt(9)).toBe(0);
    expect(pruning.sparsityAt(10)).toBeCloseTo(0.2, 12);
    expect(pruning.sparsityAt(20)).toBeCloseTo(0.8 - 0.6 / 8, 12);
    expect(pruning.sparsityAt(30)).toBe(0.8);
    expect(pruning.sparsityAt(99)).toBe(0.8);
  });

  it('takes the share away in steps, and keeps it away', async () => {
    const pruning = new MagnitudePruning({ sparsity: 0.8, begin: 2, end: 6, every: 2 });
    const steps = await zerosOf(pruning);
    expect(steps).toHaveLength(10);
    const share = steps.map((step) => step['z_W']!);
    // 15 weights: 0.8 (1 - (1 - 2/4)³) = 0.7 of them is 10.5
    expect(share).toEqual([0, 0, 0, 11, 11, 12, 12, 12, 12, 12].map((count) => count / 15));
    for (const step of steps) expect(step['z_b']).toBe(0);
  });

  it('takes the smallest, and what is left goes on learning', async () => {
    const trainer = module.createTrainer();
    await trainer.fit(data, { epochs: 1 });
    const before = trainer.getWeights()['z_W']!;
    const limit = Array.from(before, Math.abs).toSorted((a, b) => a - b)[7]!;
    const seen: (readonly number[])[] = [];
    const watch: Callback = {
      onBatchEnd: (_, context) => void seen.push([...context.trainer.getWeights()['z_W']!]),
    };
    const still = { onTrainBegin: () => void (trainer.rateFactor = 0) };
    const pruning = new MagnitudePruning({ sparsity: 0.5, parameters: 'z_*' });
    await trainer.fit(data, { epochs: 2, initialEpoch: 1, callbacks: [still, pruning, watch] });
    // the rate is 0: what is not pruned has not changed, and it is the greater half (8 of 15 go)
    expect(seen.at(-1)).toEqual(Array.from(before, (value) => (Math.abs(value) <= limit ? 0 : value)));
    trainer.rateFactor = 1;
    await trainer.fit(data, { epochs: 3, initialEpoch: 2, callbacks: [pruning, watch] });
    expect(seen.at(-1)!.filter((value) => value !== 0)).toHaveLength(7);
    expect(seen.at(-1)).not.toEqual(seen.at(-3));
  });

  it('with scope global takes the smallest wherever they are', async () => {
    const one = (await zerosOf(new MagnitudePruning({ sparsity: 0.5, scope: 'global' }))).at(-1)!;
    const names = ['h_dense_W', 'z_W'];
    expect(names.reduce((sum, name) => sum + one[name]! * 15, 0)).toBeCloseTo(15, 12);
    expect(one['h_dense_W']).not.toBe(one['z_W']);
  });

  it('prunes what it is told, biases too', async () => {
    const steps = await zerosOf(new MagnitudePruning({ sparsity: 0.4, parameters: ['z_*', 'h_dense_b'] }));
    expect(steps.at(-1)).toEqual({ h_dense_W: 0, h_dense_b: 0.4, z_W: 0.4, z_b: 1 / 3 });
  });

  it('prunes weights that another callback puts back at the end', async () => {
    const trainer = module.createTrainer();
    const back: Callback = {
      onTrainEnd: (_, context) => context.trainer.setWeights({ z_W: new Float64Array(15).fill(1) }),
    };
    const pruning = new MagnitudePruning({ sparsity: 0.6 });
    await trainer.fit(data, { epochs: 1, callbacks: [back, pruning] });
    expect(zeros(trainer.getWeights()['z_W']!)).toBe(0.6);
  });

  it('goes on from a snapshot with the same bits', async () => {
    const pruning = (): MagnitudePruning =>
      new MagnitudePruning({ sparsity: 0.7, begin: 2, end: 14, every: 3 });
    const whole = busy.createTrainer();
    await whole.fit(data, { epochs: 3, callbacks: [pruning()] });
    const first = busy.createTrainer();
    let snapshot: TrainingSnapshot | undefined;
    const stop: Callback = {
      onBatchEnd: (_, context) => {
        if (context.trainer.step !== 7) return;
        snapshot = getTraining(context.trainer);
        context.stop();
      },
    };
    await first.fit(data, { epochs: 3, callbacks: [pruning(), stop] });
    const second = busy.createTrainer({ seed: 99 });
    setTraining(second, snapshot!);
    await second.fit(data, { epochs: 3, resume: true, callbacks: [pruning()] });
    expect(second.getWeights()).toEqual(whole.getWeights());
  });

  it('refuses a state that is not its own, before anything is changed', async () => {
    const make = (parameters?: string): MagnitudePruning =>
      new MagnitudePruning({ sparsity: 0.5, every: 1, ...(parameters && { parameters }) });
    const first = module.createTrainer();
    await first.fit(data, { epochs: 1, callbacks: [make()] });
    const snapshot = getTraining(first);
    const id = 'callback/MagnitudePruning/h_dense_W';
    const mask = snapshot.arrays[id]!;
    const withMask = (values: readonly number[]): TrainingSnapshot => ({
      ...snapshot,
      arrays: {
        ...snapshot.arrays,
        [id]: { ...mask, shape: [values.length], data: Float32Array.from(values) },
      },
    });
    const refusal = async (from: TrainingSnapshot, callback = make()): Promise<string> => {
      const trainer = module.createTrainer({ seed: 9 });
      setTraining(trainer, from);
      const before = getTraining(trainer);
      const message = await trainer.fit(data, { epochs: 2, resume: true, callbacks: [callback] }).then(
        () => 'none',
        (error: Error) => `${error.name}: ${error.message}`,
      );
      expect(getTraining(trainer)).toEqual(before);
      return message;
    };
    expect(await refusal(withMask([...mask.data].map(() => 0.5)))).toContain(
      "no mask of 0 and 1 in 'h_dense_W'",
    );
    expect(await refusal(withMask([0, 1]))).toMatch(
      /^DataError: the mask of 'h_dense_W' must have \d+ values, found 2$/,
    );
    expect(await refusal(snapshot, make('h_dense_W'))).toContain('MagnitudePruning must prune what it did');
  });

  it.each<[ConstructorParameters<typeof MagnitudePruning>[0], string]>([
    [{ sparsity: 1 }, 'sparsity must be a share from 0 to less than 1, found 1'],
    [{ sparsity: 0.5, initialSparsity: 0.6 }, 'initialSparsity 0.6 is more than sparsity 0.5'],
    [{ sparsity: 0.5, begin: 5, end: 4 }, 'end must be a whole number from 5, found 4'],
    [{ sparsity: 0.5, every: 0 }, 'every must be a whole number from 1, found 0'],
    [{ sparsity: 0.5, scope: 'all' as 'global' }, 'scope must be parameter or global, found all'],
  ])('refuses %o', (options, message) => {
    expect(() => new MagnitudePruning(options)).toThrow(message);
  });

  it('refuses to begin where no parameter is meant', async () => {
    const trainer = module.createTrainer();
    const fit = trainer.fit(data, {
      callbacks: [new MagnitudePruning({ sparsity: 0.5, parameters: 'conv*' })],
    });
    await expect(fit).rejects.toThrow("no parameter is called 'conv*'; there are h_dense_W");
    expect(trainer.step).toBe(0);
  });
});
