/** Fine-tuning: what is frozen costs nothing, weights go from model to model, rates by group, L2-SP, LoRA, unfreezing. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { DataError, mergeLora, transferWeights, type Tensors } from '../../runtime/index.ts';
import { getTensors } from '../../runtime/formats/index.ts';
import { moduleOf, rowsOf } from './support.ts';

/** A network of three layers with what stands in its train block; `h2` and `z` as given. */
const network = (train: string, { layer = 'dense(6)', head = 'dense(3)', more = '' } = {}): string =>
  `model Network {
  input x[n, 3]
  input label[n]: 3
  h1 = x |> dense(5) |> tanh
  h2 = h1 |> ${layer} |> tanh
  z = h2 |> ${head}
  output p[n, k] = softmax[k](z[n, k])
  ${more || 'loss = mean[n](cross_entropy[k](z[n, k], label[n]))'}
  train { ${train} }
}`;

const PARAMETERS = ['h1_W', 'h1_b', 'h2_W', 'h2_b', 'z_W', 'z_b'];
const data = rowsOf(16);
type Weights = Record<string, ArrayLike<number>>;

async function trainerOf(text: string, seed = 1) {
  return (await moduleOf(text)).createTrainer({ batch: 16, seed });
}
type Trainer = Awaited<ReturnType<typeof trainerOf>>;

async function pretrained(): Promise<Trainer> {
  const trainer = await trainerOf(network('optimizer: adam(rate = 0.03)'));
  for (let step = 0; step < 30; step++) trainer.trainOnBatch(data);
  return trainer;
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, digits = 12): void {
  expect(got).toHaveLength(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(got[i]).toBeCloseTo(wanted[i]!, digits);
}

/** The names of the functions of the backward pass and of the optimizer, and the bytes that a row needs. */
async function emitted(train: string): Promise<{ functions: string[]; bytes: number }> {
  const { modules } = await compile(
    { path: 'network.dsl', text: network(train) },
    { format: false, without: new Set(['unroll']) },
  );
  const { text } = modules[0]!;
  const names = text.matchAll(/^export function ((?:backward|gradient|clip|update)_\w+)/gm);
  const [, bytes] = /Inputs and intermediates: ([\d,]+) n/.exec(text)!;
  return { functions: [...names].map(([, name]) => name!), bytes: Number(bytes!.replaceAll(',', '')) };
}

describe('what is frozen', () => {
  it('has no gradient, no backward pass below the lowest trained layer, no place for it, no optimizer state', async () => {
    const { functions: all, bytes } = await emitted('optimizer: adam');
    expect(all.filter((name) => name.startsWith('gradient_')).toSorted()).toEqual(
      PARAMETERS.map((name) => `gradient_${name}`).toSorted(),
    );
    // the cotangents of h2 and h1 are functions of their own
    expect(all.filter((name) => /^backward_dh[12]/.test(name)).length).toBeGreaterThanOrEqual(2);

    const head = await emitted('optimizer: adam, freeze: ["h*"]');
    // of 5 and 6 cotangents in float32 a row at least the greater part is not there
    expect(head.bytes).toBeLessThanOrEqual(bytes - 4 * 6);
    expect(head.functions.toSorted()).toEqual(['backward_dz', 'gradient_z_W', 'gradient_z_b', 'update_adam']);

    const { functions: middle } = await emitted('optimizer: adam, freeze: ["h1_*", "z_*"]');
    expect(middle.filter((name) => name.startsWith('gradient_'))).toEqual(['gradient_h2_b', 'gradient_h2_W']);
    expect(middle.filter((name) => /dh1/.test(name))).toEqual([]);

    const { description } = await moduleOf(network('optimizer: adam, freeze: ["h*"]'));
    expect(description.states.map(({ name }) => name)).toEqual(['z_W.m', 'z_b.m', 'z_W.v', 'z_b.v']);
  });

  it('stays as it is, and what is trained has the same gradient as if all were', async () => {
    const from = await pretrained();
    const tuned = await trainerOf(network('optimizer: adam, freeze: ["h1_*", z_W]'));
    transferWeights(from, tuned);
    from.gradientsOnBatch(data);
    tuned.gradientsOnBatch(data);
    const [wanted, got] = [from.getGradients(), tuned.getGradients()];
    expect(Object.keys(got)).toEqual(['h2_W', 'h2_b', 'z_b']);
    for (const name of Object.keys(got)) expectClose(got[name]!, wanted[name]!);
    const before = tuned.getWeights();
    for (let step = 0; step < 5; step++) tuned.trainOnBatch(data);
    const after = tuned.getWeights();
    for (const name of PARAMETERS) {
      const isFrozen = ['h1_W', 'h1_b', 'z_W'].includes(name);
      expect(after[name]!.every((value, i) => value === before[name]![i])).toBe(isFrozen);
    }
  });

  it('holds running statistics, too, where it is frozen_batch_norm', async () => {
    const normed = (norm: string, train: string): string =>
      network(train).replace('z = h2', `s2 = h2 |> ${norm}\n  z = s2`);
    const from = await trainerOf(normed('batch_norm', 'optimizer: adam'));
    for (let step = 0; step < 10; step++) from.trainOnBatch(data);
    const train = 'optimizer: adam, freeze: ["h*", "s2_*"]';
    const [moving, held] = await Promise.all([
      trainerOf(normed('batch_norm', train), 2),
      trainerOf(normed('frozen_batch_norm', train), 2),
    ]);
    expect(transferWeights(from, held)).toEqual({
      ...transferWeights(from, moving),
      loaded: expect.any(Array),
    });
    expectClose(held.predict(data)['p']!, from.predict(data)['p']!, 14);
    expect(held.trainOnBatch(data)['loss']).toBeCloseTo(from.evaluate(data)['loss']!, 14);
    moving.trainOnBatch(data);
    const mean = from.getState()['s2_running_mean'];
    expect(moving.getState()['s2_running_mean']).not.toEqual(mean);
    expect(held.getWeights()['s2_running_mean']).toEqual(mean);
    expect(Object.keys(held.getGradients())).toEqual(['z_W', 'z_b']);
  });

  it('does not count in clip_norm', async () => {
    const [all, part] = await Promise.all([
      trainerOf(network('optimizer: sgd(rate = 1), clip_norm: 1e-3')),
      trainerOf(network('optimizer: sgd(rate = 1), clip_norm: 1e-3, freeze: ["h*"]')),
    ]);
    const moved = (trainer: Trainer): number => {
      const before = trainer.getWeights();
      trainer.trainOnBatch(data);
      const after = trainer.getWeights();
      return Math.hypot(
        ...PARAMETERS.flatMap((name) => Array.from(after[name]!, (w, i) => w - before[name]![i]!)),
      );
    };
    // the norm is divided by itself plus 1e-6, as in PyTorch
    expect(moved(all)).toBeCloseTo(1e-3, 8);
    expect(moved(part)).toBeCloseTo(1e-3, 8);
  });
});

describe('transferWeights', () => {
  it('copies all weights of a model of the same names, running statistics too, and nothing else', async () => {
    const text = network('optimizer: adam', { layer: 'dense(6) |> batch_norm' });
    const [from, to] = [await trainerOf(text), await trainerOf(text, 2)];
    from.trainOnBatch(data);
    const report = transferWeights(from, to);
    expect([report.missing, report.unexpected]).toEqual([[], []]);
    expect(to.predict(data)).toEqual(from.predict(data));
    expect(to.getWeights()).toEqual(from.getWeights());
    expect(to.getState()['h2_batch_norm_running_mean']).toEqual(
      from.getState()['h2_batch_norm_running_mean'],
    );
    expect(to.getState()['z_W.m']!.every((value) => value === 0)).toBe(true);
  });

  it('says what was missing and unexpected, and leaves out what the map does', async () => {
    const from = await pretrained();
    const to = await trainerOf(network('optimizer: adam', { head: 'dense(4)' }), 2);
    const head = to.getWeights()['z_W'];
    expect(() => transferWeights(from, to, { partial: true })).toThrow(
      `model Network does not fit model Network: 'z_W' has shape [6, 3], expected [6, 4]`,
    );
    const report = transferWeights(from, to, {
      map: (name) => (name.startsWith('z_') ? undefined : name === 'h2_b' ? 'no_such' : name),
      partial: true,
    });
    expect(report).toEqual({
      loaded: ['h1_W', 'h1_b', 'h2_W'],
      missing: ['h2_b', 'z_W', 'z_b'],
      unexpected: ['h2_b'],
    });
    expect(to.getWeights()['h1_W']).toEqual(from.getWeights()['h1_W']);
    expect(to.getWeights()['z_W']).toEqual(head);
  });

  it('without `partial` everything must agree, and nothing is changed otherwise', async () => {
    const from = await pretrained();
    const to = await trainerOf(network('optimizer: adam', { layer: 'lora_dense(6, rank = 2, alpha = 4)' }));
    const before = to.getWeights();
    expect(() => transferWeights(from, to)).toThrow(DataError);
    expect(() => transferWeights(from, to)).toThrow(`'h2_W_A' [5, 2] is missing; 'h2_W_B' [2, 6] is missing`);
    expect(to.getWeights()).toEqual(before);
  });
});

describe('rates by group', () => {
  it('layerwise: a step of the layer at each depth is the rate times the factor to that power', async () => {
    const groups = ['z', 'h2', 'h1'].map(
      (name, depth) =>
        `optimizer["${name}_*"]: sgd(rate = layerwise(0.1, factor = 1 / 2.6, depth = ${depth}))`,
    );
    const trainer = await trainerOf(network(groups.join('\n')));
    const before = trainer.getWeights();
    trainer.trainOnBatch(data);
    const [after, gradients] = [trainer.getWeights(), trainer.getGradients()];
    for (const name of PARAMETERS) {
      const rate = 0.1 / 2.6 ** ['z', 'h2', 'h1'].indexOf(name.split('_')[0]!);
      const wanted = before[name]!.map((value, i) => value - rate * gradients[name]![i]!);
      expectClose(after[name]!, wanted, 14);
    }
  });

  // Each rule is multiplied by the rate as a whole, decay too.
  const rules = ['sgd', 'momentum', 'nesterov', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'amsgrad', 'adamw'];
  const others = ['adamax', 'nadam', 'radam', 'lion', 'lamb'];
  it.each([...rules, ...others])('from_step: under %s a part begins to move at its step', async (rule) => {
    const train = `optimizer["h2_*"]: ${rule}(rate = 1e-2 * from_step(2), weight_decay = 0.1)
    optimizer["z_*"]: ${rule}(rate = 1e-2)
    freeze: ["h1_*"]`;
    const trainer = await trainerOf(network(train));
    const [start, moved]: [Weights, boolean[][]] = [trainer.getWeights(), []];
    for (let step = 0; step < 4; step++) {
      trainer.trainOnBatch(data);
      const now = trainer.getWeights();
      moved.push(['h2_W', 'z_W'].map((name) => now[name]!.some((value, i) => value !== start[name]![i])));
    }
    expect(moved.map(([part]) => part)).toEqual([false, false, true, true]);
    expect(moved.every(([, head]) => head)).toBe(true);
  });
});

describe('L2-SP', () => {
  const pulled = (start: string): string => `param start_W[5, 6] ~ zeros
  loss = mean[n](cross_entropy[k](z[n, k], label[n])) + l2_sp(h2_W, ${start}, lambda = 0.3)`;
  const model = network('optimizer: sgd(rate = 0.1), freeze: [start_W]', { more: pulled('start_W') });

  async function begun(text: string): Promise<Trainer> {
    const from = await pretrained();
    const trainer = await trainerOf(text, 2);
    transferWeights(from, trainer, { partial: true });
    if (text === model)
      transferWeights(from, trainer, {
        map: (name) => (name === 'h2_W' ? 'start_W' : undefined),
        partial: true,
      });
    return trainer;
  }

  it('has the gradient of finite differences, none at the starting point', async () => {
    const [trainer, plain] = [await begun(model), await begun(network('optimizer: sgd'))];
    const same = ['h2_W', 'z_W'];
    trainer.gradientsOnBatch(data);
    plain.gradientsOnBatch(data);
    for (const name of same) expectClose(trainer.getGradients()[name]!, plain.getGradients()[name]!);

    const away = trainer.getWeights()['h2_W']!.map((value, i) => value + Math.sin(i));
    const lossAt = (W: ArrayLike<number>): number => {
      trainer.setWeights({ h2_W: W });
      return trainer.gradientsOnBatch(data)['loss']!;
    };
    lossAt(away);
    const gradient = trainer.getGradients();
    expect(Object.keys(gradient)).not.toContain('start_W');
    for (const place of [0, 7, 29]) {
      const moved = (by: number): number =>
        lossAt(away.map((value, i) => (i === place ? value + by : value)));
      expect(gradient['h2_W']![place]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 8);
    }
  });

  it('is the same as an optimizer that remembers where it began', async () => {
    const remembering = `optimizer sgd_sp(rate, pull) {
      state start ~ zeros
      start' = t == 1 ? p : start
      p'     = p - rate * (g + pull * (p - start'))
    }
    ${network('optimizer[h2_W]: sgd_sp(rate = 0.1, pull = 0.3), optimizer: sgd(rate = 0.1)')}`;
    const [penalty, remembers] = [await begun(model), await begun(remembering)];
    for (let step = 0; step < 20; step++) {
      penalty.trainOnBatch(data);
      remembers.trainOnBatch(data);
    }
    for (const name of PARAMETERS) expectClose(remembers.getWeights()[name]!, penalty.getWeights()[name]!);
    expectClose(remembers.getState()['h2_W.start']!, penalty.getWeights()['start_W']!);
  });
});

describe('LoRA', () => {
  const lora = network('optimizer: adam(rate = 0.03), freeze: ["*_W", "*_b"]', {
    layer: 'lora_dense(6, rank = 2, alpha = 4)',
    head: 'lora_dense(3, rank = 1, alpha = 3)',
  });
  const scales = { alpha: (name: string) => (name === 'z_W' ? 3 : 4) };

  async function tuned(): Promise<{ from: Trainer; trainer: Trainer }> {
    const [from, trainer] = [await pretrained(), await trainerOf(lora, 2)];
    const report = transferWeights(from, trainer, { partial: true });
    expect(report.missing).toEqual(['h2_W_A', 'h2_W_B', 'z_W_A', 'z_W_B']);
    return { from, trainer };
  }

  it('begins with the predictions of the pretrained network, and trains the updates alone', async () => {
    const { from, trainer } = await tuned();
    expect(trainer.predict(data)['p']).toEqual(from.predict(data)['p']);
    const before = trainer.evaluate(data)['loss']!;
    for (let step = 0; step < 30; step++) trainer.trainOnBatch(data);
    expect(trainer.evaluate(data)['loss']!).toBeLessThan(before);
    expect(Object.keys(trainer.getGradients())).toEqual(['h2_W_A', 'h2_W_B', 'z_W_A', 'z_W_B']);
    for (const name of PARAMETERS) expect(trainer.getWeights()[name]).toEqual(from.getWeights()[name]);
  });

  it('merged into plain weights predicts the same', async () => {
    const { from, trainer } = await tuned();
    for (let step = 0; step < 30; step++) trainer.trainOnBatch(data);
    const merged = mergeLora(trainer, scales);
    expect(Object.keys(merged)).toEqual(PARAMETERS);
    const plain = await trainerOf(network('optimizer: adam'), 3);
    expect(transferWeights(merged, plain).missing).toEqual([]);
    expectClose(plain.predict(data)['p']!, trainer.predict(data)['p']!);
    const gone = Math.max(
      ...plain.predict(data)['p']!.map((p, i) => Math.abs(p - from.predict(data)['p']![i]!)),
    );
    expect(gone).toBeGreaterThan(0.01);
  });

  it('merges updates of more than two axes: those of W are those of A, then those of B', () => {
    const tensors: Tensors = {
      Q: { shape: [2, 2, 3], data: new Float64Array(12).fill(10) },
      Q_A: { shape: [2, 1], data: Float64Array.of(1, 2) },
      Q_B: { shape: [1, 2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) },
    };
    const { Q } = mergeLora(tensors, { alpha: 0.5 });
    expect(Q).toEqual({
      shape: [2, 2, 3],
      data: Float64Array.of(10.5, 11, 11.5, 12, 12.5, 13, 11, 12, 13, 14, 15, 16),
    });
  });

  it('refuses what it cannot merge', async () => {
    expect(() => mergeLora({ W: { shape: [1], data: Float32Array.of(1) } }, { alpha: 1 })).toThrow(
      /no low-rank update to merge: .* the parameters are W/,
    );
    const { trainer } = await tuned();
    expect(() => mergeLora(trainer, { alpha: NaN })).toThrow(`alpha of 'h2_W' is NaN`);
    const tensors = { ...getTensors(trainer), h2_W_A: { shape: [5, 3], data: new Float64Array(15) } };
    expect(() => mergeLora(tensors, scales)).toThrow(
      `'h2_W' [5, 6] has an update whose shapes do not fit: 'h2_W_A' [5, 3], 'h2_W_B' [2, 6]`,
    );
  });
});

describe('gradual unfreezing by stages', () => {
  it('goes on in the next module with the weights of the last', async () => {
    const first = await trainerOf(network('optimizer: adam(rate = 0.03), freeze: ["h*"]'), 5);
    const second = await trainerOf(network('optimizer: adam(rate = 0.03), freeze: ["h1_*"]'));
    for (let step = 0; step < 10; step++) first.trainOnBatch(data);
    transferWeights(first, second);
    expect(second.evaluate(data)).toEqual(first.evaluate(data));
    for (let step = 0; step < 10; step++) second.trainOnBatch(data);
    expect(second.evaluate(data)['loss']!).toBeLessThan(first.evaluate(data)['loss']!);
  });
});
