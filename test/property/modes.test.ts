/** Dropout, running statistics and sampling, in the emitted code. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import type { EmittedModule } from '../support/load.ts';
import { loadModule } from '../support/load.ts';

async function moduleOf(body: string): Promise<EmittedModule> {
  const text = `model M {\n${body}\n}`;
  const { modules, diagnostics } = await compile({ path: 'm.dsl', text }, { dtype: 'f64', format: false });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return loadModule(modules[0]?.text ?? '');
}

/** Numbers between -1 and 1 that are the same in every run. */
function numbers(count: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

describe('dropout', async () => {
  const wide = await moduleOf(
    `input x[n, 500]\nparam w ~ ones\nh = dropout(x, 0.3)\nloss = w * mean(h)\noutput y = w * h\n` +
      `metric zeros = mean(h == 0)\ntrain { optimizer: sgd(rate = 1e-300) }`,
  );
  const ones = { x: new Float64Array(40 * 500).fill(1) };
  const losses = (seed: number, steps: number): number[] => {
    const trainer = wide.createTrainer({ batch: 40, seed });
    return Array.from({ length: steps }, () => trainer.trainOnBatch(ones)['loss']!);
  };

  it('keeps the mean, and drops as many as it is told', () => {
    const trainer = wide.createTrainer({ batch: 40, seed: 5 });
    const { loss, zeros } = trainer.trainOnBatch(ones);
    // four standard deviations of the mean of 20,000 draws
    expect(Math.abs(loss! - 1)).toBeLessThan(4 * Math.sqrt(0.3 / 0.7 / 20000));
    expect(Math.abs(zeros! - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 20000));
  });

  it('draws the same for the same seed, and anew in every step', () => {
    expect(losses(1, 3)).toEqual(losses(1, 3));
    expect(new Set([...losses(1, 3), ...losses(2, 3)]).size).toBe(6);
  });

  it('does nothing in evaluation and prediction', () => {
    const trainer = wide.createTrainer({ batch: 40 });
    expect(trainer.evaluate(ones)).toEqual({ loss: 1, zeros: 0 });
    expect(trainer.predict(ones)['y']).toEqual(ones.x);
    const text = wide.createProgram.toString();
    expect(text.match(/drawBernoulli/g)).toHaveLength(1);
  });

  it('has the gradient of its own draw: that of finite differences at the same step', async () => {
    const net = await moduleOf(
      `input x[n, 3]\ninput t[n, 2]\n` +
        `z = x |> dense(6) |> tanh |> dropout(0.4) |> batch_norm |> dense(2)\n` +
        `loss = mean((z - t)^2)\ntrain { optimizer: sgd(rate = 0.1) }`,
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 2, max: 5 }), (seed, rows) => {
        const trainer = net.createTrainer({ batch: 5, seed });
        const data = { x: numbers(3 * rows, seed), t: numbers(2 * rows, seed + 1) };
        trainer.trainOnBatch(data);
        const weights = trainer.getWeights();
        const at = (name: string, place: number, by: number): number => {
          const moved = Float64Array.from(weights[name]!);
          moved[place]! += by;
          trainer.setWeights({ ...weights, [name]: moved });
          return trainer.gradientsOnBatch(data)['loss']!;
        };
        trainer.gradientsOnBatch(data);
        for (const [name, gradient] of Object.entries(trainer.getGradients())) {
          const place = seed % gradient.length;
          const slope = (step: number): number =>
            (at(name, place, step) - at(name, place, -step)) / (2 * step);
          const wanted = (4 * slope(1e-4) - slope(2e-4)) / 3;
          expect(Math.abs(gradient[place]! - wanted), name).toBeLessThan(1e-6 * (1 + Math.abs(wanted)));
        }
      }),
      { numRuns: 10, seed: 1 },
    );
  });

  it('of rate 1 leaves nothing, of rate 0 everything', async () => {
    for (const [rate, loss] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const made = await moduleOf(
        `input x[n, 500]\nparam w ~ ones\nloss = w * mean(dropout(x, ${rate}))\ntrain { optimizer: sgd(rate = 1e-300) }`,
      );
      expect(made.createTrainer({ batch: 40 }).trainOnBatch(ones)['loss']).toBe(loss);
    }
  });
});

describe('batch_norm', async () => {
  const CHANNELS = 3;
  const norm = await moduleOf(
    `input x[n, 2, ${CHANNELS}]\noutput y = x |> batch_norm(momentum = 0.2)\n` +
      `loss = mean(y^2)\ntrain { optimizer: sgd(rate = 1e-300) }`,
  );

  /** Mean, biased variance and number of values of each channel. */
  function statistics(x: ArrayLike<number>): { mean: number; variance: number; count: number }[] {
    return Array.from({ length: CHANNELS }, (_, channel) => {
      const own = Array.from(x).filter((_value, place) => place % CHANNELS === channel);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      return { mean, variance, count: own.length };
    });
  }

  it('moves its running statistics as computed by hand, through batches of several sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        const trainer = norm.createTrainer({ batch: 6 });
        const running = Array.from({ length: CHANNELS }, () => ({ mean: 0, variance: 1 }));
        for (const [step, rows] of sizes.entries()) {
          const x = numbers(rows * 2 * CHANNELS, step + 1);
          trainer.trainOnBatch({ x });
          for (const [channel, { mean, variance, count }] of statistics(x).entries()) {
            const own = running[channel]!;
            own.mean = 0.8 * own.mean + 0.2 * mean;
            own.variance = 0.8 * own.variance + 0.2 * variance * (count / (count - 1));
          }
        }
        const states = trainer.getState();
        for (const [channel, { mean, variance }] of running.entries()) {
          expect(states['y_running_mean']![channel]).toBeCloseTo(mean, 12);
          expect(states['y_running_variance']![channel]).toBeCloseTo(variance, 12);
        }
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('learns nothing of the variance from a batch of one value', async () => {
    const { createTrainer } = await moduleOf(
      'input x[n, 3]\noutput y = x |> batch_norm\nloss = mean(y^2)\ntrain { optimizer: sgd(rate = 1e-300) }',
    );
    const trainer = createTrainer({ batch: 4 });
    trainer.trainOnBatch({ x: numbers(12) });
    const before = [...trainer.getState()['y_running_variance']!];
    trainer.trainOnBatch({ x: numbers(3, 2) });
    expect([...trainer.getState()['y_running_variance']!]).toEqual(before);
  });

  it('standardises each channel over the batch while it is trained', () => {
    const trainer = norm.createTrainer({ batch: 6 });
    const x = numbers(6 * 2 * CHANNELS).map((value) => 5 + 3 * value);
    // the mean square of standardised values is v / (v + eps)
    const wanted = statistics(x).reduce((sum, { variance: v }) => sum + v / (v + 1e-5) / CHANNELS, 0);
    expect(trainer.trainOnBatch({ x })['loss']).toBeCloseTo(wanted, 12);
  });

  it('evaluates and predicts by the running statistics, one row at a time or all at once', () => {
    const trainer = norm.createTrainer({ batch: 4 });
    for (let step = 0; step < 5; step++) trainer.trainOnBatch({ x: numbers(4 * 2 * CHANNELS, step) });
    const states = trainer.getState();
    const x = numbers(7 * 2 * CHANNELS, 99);
    const wanted = x.map((value, place) => {
      const channel = place % CHANNELS;
      const [mean, variance] = [states['y_running_mean']![channel]!, states['y_running_variance']![channel]!];
      return (value - mean) / Math.sqrt(variance + 1e-5);
    });
    const all = trainer.predict({ x })['y']!;
    for (const [place, value] of wanted.entries()) expect(all[place]).toBeCloseTo(value, 12);
    for (let row = 0; row < 7; row++) {
      const [from, to] = [row * 2 * CHANNELS, (row + 1) * 2 * CHANNELS];
      expect([...trainer.predict({ x: x.subarray(from, to) })['y']!]).toEqual([...all.subarray(from, to)]);
    }
    const square = wanted.reduce((sum, value) => sum + value ** 2, 0) / wanted.length;
    expect(trainer.evaluate({ x })['loss']).toBeCloseTo(square, 12);
    expect(trainer.getState()).toEqual(states);
  });

  it('is not moved by gradients alone, and starts anew where it is set', () => {
    const trainer = norm.createTrainer({ batch: 4 });
    const first = trainer.getState();
    trainer.gradientsOnBatch({ x: numbers(4 * 2 * CHANNELS) });
    expect(trainer.getState()).toEqual(first);
    trainer.setState({ y_running_mean: [1, 2, 3] });
    expect([...trainer.getState()['y_running_mean']!]).toEqual([1, 2, 3]);
    expect(() => trainer.setState({ y_running_mean: [1] })).toThrow(
      "state 'y_running_mean' [3] needs 3 values, found 1",
    );
    expect(() => trainer.setState({ mean: [1] })).toThrow("there is no state 'mean'");
  });

  it('is described with its states and their shapes', () => {
    expect(norm.description.states.map(({ name, shape, initial }) => [name, shape, initial])).toEqual([
      ['y_running_mean', [CHANNELS], 0],
      ['y_running_variance', [CHANNELS], 1],
    ]);
  });
});

describe('states', () => {
  it('are read with their old value in the whole step, also by the gradient', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\nstate s ~ constant(2)\ns' = 10 * s\n` +
        `loss = w * s * mean(x)\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const trainer = made.createTrainer({ batch: 1 });
    for (const state of [2, 20, 200]) {
      expect(trainer.trainOnBatch({ x: [1] })['loss']).toBe(state);
      expect([...trainer.getGradients()['w']!]).toEqual([state]);
    }
  });

  it('may depend on one another: all next values are made of the old ones', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\nstate a ~ zeros\nstate b ~ ones\na' = b\nb' = a + b\n` +
        `loss = w * b * mean(x)\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const trainer = made.createTrainer({ batch: 1 });
    const fibonacci = Array.from({ length: 8 }, () => trainer.trainOnBatch({ x: [1] })['loss']);
    expect(fibonacci).toEqual([1, 1, 2, 3, 5, 8, 13, 21]);
  });

  it('are what a next value is in inference, whether the model asks for `training` or not', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\nstate m ~ zeros\nm' = (m + mean(x)) / 2\noutput y = w * m'\n` +
        `metric read = m'\nloss = w * m'\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const trainer = made.createTrainer({ batch: 1 });
    expect(trainer.predict({ x: [1] })['y']).toEqual(Float64Array.of(0));
    expect(trainer.trainOnBatch({ x: [1] })).toEqual({ loss: 0.5, read: 0.5 });
    expect(trainer.predict({ x: [9] })['y']).toEqual(Float64Array.of(0.5));
    expect(trainer.evaluate({ x: [9] })).toEqual({ loss: 0.5, read: 0.5 });
  });

  it('take their next values also where inference computes the same as an output', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\nstate m ~ zeros\nm' = (m + mean(x)) / 2\n` +
        `output y = training ? w * m' : (m + mean(x)) / 2\nloss = w * y\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const trainer = made.createTrainer({ batch: 1 });
    trainer.trainOnBatch({ x: [1] });
    expect([...trainer.getState()['m']!]).toEqual([0.5]);
    for (let time = 0; time < 2; time++)
      expect(trainer.predict({ x: [1] })['y']).toEqual(Float64Array.of(0.75));
  });

  it('may start from values and draws', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\nstate a[2] ~ [3, 4]\nstate b[50] ~ normal(0, 1)\na' = 2 * a\nb' = b\n` +
        `loss = w * sum(a) * sum(b) * mean(x)\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const { a, b } = made.createTrainer({ seed: 3 }).getState();
    expect([...a!]).toEqual([3, 4]);
    expect(new Set(b).size).toBe(50);
    expect(made.createTrainer({ seed: 3 }).getState()['b']).toEqual(b);
    expect(made.createTrainer({ seed: 4 }).getState()['b']).not.toEqual(b);
  });
});

describe('outputs', () => {
  it('have values of their own where what one is in inference is another one in training', async () => {
    const made = await moduleOf(
      `input x[n]\nparam w ~ ones\noutput y[n] = 2 * w * x[n]\noutput z[n] = (training ? 3 : 2) * w * x[n]\n` +
        `loss = mean[n](y[n] * z[n])\ntrain { optimizer: sgd(rate = 1e-300) }`,
    );
    const trainer = made.createTrainer({ batch: 2 });
    expect(trainer.trainOnBatch({ x: [1, 1] })).toEqual({ loss: 6 });
    const [y, z] = ['y', 'z'].map((name) => trainer.predict({ x: [1, 2] })[name]);
    expect([y, z]).toEqual([Float64Array.of(2, 4), Float64Array.of(2, 4)]);
  });
});

describe('draws in inference', async () => {
  const sampler = await moduleOf(
    `input x[n, 2]\nparam w[2] ~ ones\nrandom eps[n, 2] ~ normal\nrandom shift ~ uniform\n` +
      `output y[n, i] = w[i] * x[n, i] + eps[n, i] + shift\nloss = mean(y^2)\ntrain { optimizer: sgd(rate = 0.1) }`,
  );
  const x = numbers(2 * 11);

  it('do not depend on how the rows are cut into batches', () => {
    const outputs = [1, 2, 3, 7, 11].map(
      (batch) => sampler.createTrainer({ batch, seed: 2 }).predict({ x })['y'],
    );
    for (const output of outputs) expect(output).toEqual(outputs[0]);
    expect(new Set(outputs[0]).size).toBe(22);
  });

  it('are the same until a step is taken', () => {
    const trainer = sampler.createTrainer({ batch: 4 });
    const before = trainer.predict({ x })['y'];
    expect(trainer.predict({ x })['y']).toEqual(before);
    const { loss } = trainer.evaluate({ x });
    expect(trainer.evaluate({ x })['loss']).toBe(loss);
    trainer.setWeights({ w: [1, 1] });
    trainer.trainOnBatch({ x: x.subarray(0, 8) });
    trainer.setWeights({ w: [1, 1] });
    expect(trainer.predict({ x })['y']).not.toEqual(before);
  });
});
