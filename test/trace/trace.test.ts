import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, type CompileOptions } from '../../compiler/index.ts';
import {
  summarizeTrace,
  type TraceEvent,
  type TraceOptions,
  type TrainerOptions,
} from '../../runtime/index.ts';
import { traceTo } from '../../runtime/node/index.ts';
import { loadModule } from '../support/load.ts';

/** h = relu(x w), y = Σ h: for x = (1, 2) and w = ((1, -1), (1, 1)): h = (3, 1), y = 4. */
const net = `
model Net {
  input x[n, 2]
  param w[2, 2] ~ [[1, -1], [1, 1]]
  u[n, j] = sum[i](x[n, i] * w[i, j])
  h[n, j] = relu(u[n, j])
  output y[n] = sum[j](h[n, j])
  same[n]     = y[n]
  loss        = mean[n](same[n]^2)
  train { optimizer: sgd(rate = 0.1), batch: 4 }
}`;

const traced = async (text: string, options: TrainerOptions & TraceOptions, more: CompileOptions = {}) => {
  const { modules } = await compile({ path: 'net.dsl', text }, { trace: true, format: false, ...more });
  return loadModule(modules[0]!.text).createTrainer(options);
};

interface Seen extends Omit<TraceEvent, 'data'> {
  readonly data: readonly number[];
}

const recorder = () => {
  const seen: Seen[] = [];
  return { seen, onTrace: (event: TraceEvent): void => void seen.push({ ...event, data: [...event.data] }) };
};

describe('a trace', () => {
  it('has every name of the model and its cotangent, as it is computed, though it would be moved into others', async () => {
    const { seen, onTrace } = recorder();
    const trainer = await traced(net, { onTrace });
    trainer.trainOnBatch({ x: [1, 2] });
    expect(seen.map(({ name, kind, data }) => [name, kind, data])).toEqual([
      ['u', 'value', [3, 1]],
      ['h', 'value', [3, 1]],
      ['y', 'value', [4]],
      ['same', 'value', [4]],
      ['loss', 'value', [16]],
      ['dsame', 'cotangent', [8]],
      ['dy', 'cotangent', [8]],
      ['dh', 'cotangent', [8, 8]],
      ['du', 'cotangent', [8, 8]],
      ['dw', 'gradient', [8, 8, 16, 16]],
      ['w', 'parameter', [0.2, -1.8, -0.6, -0.6].map(Math.fround)],
    ]);
  });

  it('says of each its shape, step, phase, place and formula', async () => {
    const { seen, onTrace } = recorder();
    const trainer = await traced(net, { onTrace, traceNames: ['h'] });
    trainer.trainOnBatch({ x: [1, 2, 3, 4, 5, 6] });
    trainer.trainOnBatch({ x: [1, 2] });
    trainer.predict({ x: [1, 2] });
    const same = { name: 'h', kind: 'value', place: 'net.dsl:6:3', formula: 'h[n, j] = relu(u[n, j])' };
    expect(seen).toMatchObject([
      { ...same, shape: [3, 2], step: 1, phase: 'forward' },
      { ...same, shape: [1, 2], step: 2, phase: 'forward' },
      { ...same, shape: [1, 2], step: 3, phase: 'predict' },
    ]);
  });

  it('follows only what is named, and what is asked for may change between passes', async () => {
    const { seen, onTrace } = recorder();
    const options: TraceOptions = { traceNames: ['dh', 'w'] };
    const trainer = await traced(net, options);
    trainer.trainOnBatch({ x: [1, 2] });
    expect(seen).toEqual([]);
    options.onTrace = onTrace;
    trainer.trainOnBatch({ x: [1, 2] });
    expect(seen.map(({ name }) => name)).toEqual(['dh', 'w']);
    options.traceNames = ['hidden'];
    expect(() => trainer.trainOnBatch({ x: [1, 2] })).toThrow(
      "nothing is called 'hidden'; what can be traced is u, h,",
    );
  });

  it('sees each step of a recurrence in one tensor, and tensors of layers by the name of their result', async () => {
    const { seen, onTrace } = recorder();
    const text = `
model Sequence {
  input x[n, 3, 2]
  h = x |> gru(2)
  scan t {
    s[n, t: 3] = (s[n, t - 1] else 0) + h[n, t, 0]
  }
  loss = mean[n](s[n, 2]^2)
  train { optimizer: sgd }
}`;
    const trainer = await traced(text, { onTrace });
    trainer.trainOnBatch({ x: [1, 2, 3, 4, 5, 6] });
    const shapes = Object.fromEntries(seen.map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({ h: [1, 3, 2], s: [1, 3], dh: [1, 3, 2], ds: [1, 3], loss: [] });
    const [h, s] = ['h', 's'].map((name) => seen.find((event) => event.name === name)!.data);
    expect(s![2]).toBeCloseTo(h![0]! + h![2]! + h![4]!, 6);
  });

  it('goes together with --checks, and with float64', async () => {
    const { seen, onTrace } = recorder();
    const trainer = await traced(net, { onTrace }, { checks: true, dtype: 'f64' });
    trainer.trainOnBatch({ x: [1, 2] });
    expect(seen).toHaveLength(11);
    expect(() => trainer.trainOnBatch({ x: [1e10, 1] })).toThrow('beyond the limit');
  });

  it('computes what the model computes without it', async () => {
    const train = async (trace: boolean) => {
      const trainer = await traced(net, {}, { trace });
      for (let k = 0; k < 3; k++) trainer.trainOnBatch({ x: [0.1, 0.2, -0.3, 0.4] });
      return trainer.getWeights()['w']!;
    };
    const [plain, followed] = [await train(false), await train(true)];
    followed.forEach((value, k) => expect(value).toBeCloseTo(plain[k]!, 6));
  });
});

describe('a summary', () => {
  const event: TraceEvent = {
    name: 'h',
    kind: 'value',
    phase: 'forward',
    shape: [2, 3],
    data: Float32Array.of(0, 3, 0, 4, NaN, -7),
    step: 1,
    place: 'net.dsl:6:3',
    formula: '',
  };

  it('has the moments of the finite elements, and counts the others', () => {
    expect(summarizeTrace(event)).toEqual({
      name: 'h',
      kind: 'value',
      phase: 'forward',
      step: 1,
      shape: [2, 3],
      mean: 0,
      deviation: Math.sqrt(74 / 5),
      min: -7,
      max: 4,
      zeros: 2 / 6,
      norm: Math.sqrt(74),
      nonFinite: 1,
    });
  });

  it('is written as a line of JSON', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chainrule-trace-'));
    const file = join(folder, 'runs', 'trace.jsonl');
    const trainer = await traced(net, { onTrace: traceTo(file, { every: 2 }), traceNames: ['h', 'dw'] });
    for (let k = 0; k < 3; k++) trainer.trainOnBatch({ x: [1, 2] });
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    rmSync(folder, { recursive: true });
    expect(lines.map(({ name, step }) => [name, step])).toEqual([
      ['h', 1],
      ['dw', 1],
      ['h', 3],
      ['dw', 3],
    ]);
    expect(lines[0]).toMatchObject({ mean: 2, deviation: 1, min: 1, max: 3, zeros: 0 });
  });
});

describe('without the flag', () => {
  it('no byte of the module is another', async () => {
    const text = async (options: CompileOptions): Promise<string> =>
      (await compile({ path: 'net.dsl', text: net }, options)).modules[0]!.text;
    expect(await text({ trace: false })).toBe(await text({}));
    expect(await text({})).not.toMatch(/trace/i);
  });
});
