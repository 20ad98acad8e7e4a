import { describe, expect, it } from 'vitest';
import {
  DataError,
  makeTrainer,
  type CompiledModel,
  type CompiledProgram,
  type Trainer,
} from '../../runtime/index.ts';

/** A model written by hand: y = w x, mean squared error, plain gradient descent; `label` is checked and not used. */
const model: CompiledModel = {
  description: {
    name: 'Line',
    dtype: 'f64',
    inputs: [
      { name: 'x', shape: [], batched: true, element: 'real', predicts: true },
      { name: 't', shape: [], batched: true, element: 'real' },
      { name: 'label', shape: [], batched: true, element: 'integer', least: 0, greatest: 2 },
    ],
    outputs: [{ name: 'y', shape: [], batched: true, element: 'real' }],
    metrics: ['error'],
    hasLoss: true,
    trains: true,
    parameters: [
      {
        name: 'w',
        shape: [1],
        offset: 0,
        size: 1,
        frozen: false,
        initializer: { kind: 'uniform', low: -1, high: 1 },
      },
    ],
    states: [],
    layers: [{ name: 'y', shape: [], batched: true, parameters: ['w'], flops: [0, 1] }],
    work: { bytes: [0, 32] },
    training: { batch: 2, epochs: 3, seed: 1, shuffle: true, rates: ['sgd'] },
  },
  create(batch: number): CompiledProgram {
    const parameters = new Float64Array(1);
    const gradients = new Float64Array(1);
    const x = new Float64Array(batch);
    const t = new Float64Array(batch);
    const y = new Float64Array(batch);
    const results = new Float64Array(2);
    const predict = (rows: number): void => {
      for (let n = 0; n < rows; n++) y[n] = parameters[0]! * x[n]!;
    };
    return {
      batch,
      parameters,
      gradients,
      state: new Float64Array(0),
      scalars: new Float64Array(0),
      rates: new Float64Array(1),
      inputs: { x, t, label: new Int32Array(batch) },
      outputs: { y },
      results,
      predict,
      forward(rows) {
        predict(rows);
        results.fill(0);
        for (let n = 0; n < rows; n++) {
          results[0]! += (y[n]! - t[n]!) ** 2 / rows;
          results[1]! += Math.abs(y[n]! - t[n]!) / rows;
        }
      },
      backward(rows) {
        gradients[0] = 0;
        for (let n = 0; n < rows; n++) gradients[0]! += (2 * (y[n]! - t[n]!) * x[n]!) / rows;
      },
      update() {
        parameters[0]! -= 0.1 * gradients[0]!;
      },
    };
  },
};

interface Inputs {
  x: ArrayLike<number>;
  t: ArrayLike<number>;
  label: ArrayLike<number>;
}
const make = (options = {}): Trainer<Inputs, { y: Float64Array }> => makeTrainer(model, options);
const data: Inputs = { x: [1, 2, 3, 0.5, 1.5], t: [2, 4, 6, 1, 3], label: [0, 1, 2, 0, 1] };

describe('a trainer', () => {
  it('learns: the loss falls, epoch by epoch', async () => {
    const { epochs, history } = await make().fit(data, { epochs: 5, validationData: data });
    expect(epochs).toEqual([1, 2, 3, 4, 5]);
    expect(Object.keys(history)).toEqual(['loss', 'error', 'val_loss', 'val_error']);
    expect(history['loss']![4]).toBeLessThan(history['loss']![0]! / 10);
    expect(make().predict(data).y).toHaveLength(5);
  });

  it('averages over rows, not over batches, when the last batch is smaller', () => {
    const trainer = make();
    trainer.setWeights({ w: [0] });
    const mean = Array.from(data.t, (t) => t * t).reduce((sum, square) => sum + square / 5, 0);
    expect(trainer.evaluate(data)['loss']).toBeCloseTo(mean, 12);
  });

  it('is decided by its seed alone', async () => {
    const weights = async (seed: number): Promise<number> => {
      const trainer = make({ seed });
      await trainer.fit(data);
      return trainer.getWeights()['w']![0]!;
    };
    expect(await weights(5)).toBe(await weights(5));
    expect(await weights(5)).not.toBe(await weights(6));
  });

  it('predicts without the targets', () => {
    const trainer = make();
    trainer.setWeights({ w: [2] });
    expect([...trainer.predict({ x: [1, 2, 3] }).y]).toEqual([2, 4, 6]);
  });

  it('gives the gradient without a step, and takes a step with trainOnBatch', () => {
    const trainer = make();
    trainer.setWeights({ w: [1] });
    const batch = { x: [1, 2], t: [0, 0], label: [0, 0] };
    expect(trainer.gradientsOnBatch(batch)['loss']).toBe(2.5);
    expect(trainer.getGradients()['w']![0]).toBe(5);
    expect(trainer.step).toBe(0);
    trainer.trainOnBatch(batch);
    expect(trainer.step).toBe(1);
    expect(trainer.getWeights()['w']![0]).toBe(0.5);
  });

  it('stops after the step at hand when it is told to', async () => {
    const controller = new AbortController();
    const trainer = make();
    const { epochs } = await trainer.fit(data, {
      epochs: 50,
      signal: controller.signal,
      onBatch: () => {
        if (trainer.step === 7) controller.abort();
      },
    });
    expect(trainer.step).toBe(7);
    expect(epochs).toEqual([1, 2]);
  });

  it('reports progress', async () => {
    const seen: string[] = [];
    await make().fit(data, {
      epochs: 1,
      onBatch: (done, rows) => seen.push(`${done}/${rows}`),
      onEpoch: ({ epoch, epochs, results }) =>
        seen.push(`${epoch} of ${epochs}: ${Object.keys(results).join()}`),
    });
    expect(seen).toEqual(['2/5', '4/5', '5/5', '1 of 1: loss,error']);
  });
});

describe('wrong data is refused before anything is changed', () => {
  it.each<[string, Partial<Inputs>, string]>([
    ['a missing input', { x: data.x, t: data.t }, "input 'label' [rows] is missing"],
    ['rows that disagree', { ...data, t: [1, 2] }, "input 't' [rows] has 2 rows, but input 'x' has 5"],
    ['no rows', { x: [], t: [], label: [] }, 'at least one row'],
    ['NaN', { ...data, x: [1, NaN, 3, 4, 5] }, "input 'x' [rows] is NaN at row 1"],
    [
      'a label out of range',
      { ...data, label: [0, 1, 3, 0, 0] },
      'whole numbers from 0 to 2; found 3 at row 2',
    ],
    ['a label that is not whole', { ...data, label: [0, 0.5, 0, 0, 0] }, 'found 0.5'],
    ['an unknown input', { ...data, z: [1] } as Partial<Inputs>, "there is no input 'z'"],
  ])('%s', async (_, wrong, words) => {
    const trainer = make();
    const before = trainer.getWeights();
    await expect(trainer.fit(wrong as Inputs)).rejects.toThrow(words);
    await expect(trainer.fit(wrong as Inputs)).rejects.toBeInstanceOf(DataError);
    expect(() => trainer.trainOnBatch(wrong as Inputs)).toThrow(DataError);
    expect(trainer.getWeights()).toEqual(before);
    expect(trainer.step).toBe(0);
  });

  it('validation data too', async () => {
    const trainer = make();
    await expect(trainer.fit(data, { validationData: { ...data, x: [NaN, 0, 0, 0, 0] } })).rejects.toThrow(
      'NaN',
    );
    expect(trainer.step).toBe(0);
  });

  it('a batch that is too large', () => {
    expect(() => make().trainOnBatch(data)).toThrow('at most 2 rows here, found 5');
  });

  it.each([
    ['an unknown parameter', { w: [1], v: [1] }, "no parameter 'v'"],
    ['a wrong length', { w: [1, 2] }, "parameter 'w' [1] needs 1 values, found 2"],
    ['NaN', { w: [NaN] }, "parameter 'w' [1] is NaN at element 0"],
    ['null', { w: null }, "parameter 'w' [1] must be an array of numbers, found null"],
  ])('weights: %s', (_, weights, words) => {
    const trainer = make();
    const before = trainer.getWeights();
    expect(() => trainer.setWeights(weights as unknown as Record<string, number[]>)).toThrow(words);
    expect(trainer.getWeights()).toEqual(before);
  });

  it.each([{ batch: 0 }, { batch: 1.5 }, { batch: 1e12 }, { seed: 0.5 }])('options %o', (options) => {
    expect(() => make(options)).toThrow(DataError);
  });
});
