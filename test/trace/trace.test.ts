import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { compile, type CompileOptions } from '../../compiler/index.ts';
import {
  summarizeTrace,
  type TraceEvent,
  type TraceOptions,
  type TrainerOptions,
} from '../../runtime/index.ts';
import { traceTo } from '../../runtime/node/index.ts';
import { hasChromium, launch } from '../support/chromium.ts';
import { loadModule } from '../support/load.ts';
import { strictErrors } from '../support/strict.ts';

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

  it('calls a cotangent as the module does where the model has its name for something else', async () => {
    const { seen, onTrace } = recorder();
    const text = `
model Uni {
  input x[n, 2]
  param dh[2] ~ [1, 2]
  param w[2] ~ [3, 4]
  h[n] = sum[i](x[n, i] * w[i])
  o[n] = h[n]^2 + sum[i](x[n, i] * dh[i])
  loss = mean[n](o[n])
  train { optimizer: sgd(rate = 0.1) }
}`;
    const trainer = await traced(text, { onTrace });
    trainer.trainOnBatch({ x: [1, 0] });
    expect(seen.map(({ name, kind, data }) => [name, kind, data])).toEqual([
      ['h', 'value', [3]],
      ['o', 'value', [10]],
      ['loss', 'value', [10]],
      ['do', 'cotangent', [1]],
      ['dh2', 'cotangent', [6]],
      ['ddh', 'gradient', [1, 0]],
      ['dw', 'gradient', [6, 0]],
      ['dh', 'parameter', [0.9, 2].map(Math.fround)],
      ['w', 'parameter', [2.4, 4].map(Math.fround)],
    ]);
  });

  it('of what differs in training and inference has the one that the pass computes, by the one name', async () => {
    const { seen, onTrace } = recorder();
    const text = `
layer double(x[..]) -> y[..] {
  inner[..] = training ? 2 * x[..] : x[..]
  y[..] = inner[..] + 0
}
model Modes {
  input x[n, 2]
  param w ~ 3
  a[n, i] = w * x[n, i]
  g = a |> double
  h[n, i] = g[n, i] + 1
  output o[n] = sum[i](h[n, i])
  loss = mean[n](o[n]^2)
  metric mae = mean[n](abs(o[n]))
  train { optimizer: sgd(rate = 0.1) }
}`;
    const trainer = await traced(text, { onTrace });
    const values = () => seen.splice(0).map(({ name, data }) => [name, ...data]);
    trainer.trainOnBatch({ x: [1, 0] });
    expect(values()).toEqual([
      ['a', 3, 0],
      ['g', 6, 0],
      ['h', 7, 1],
      ['o', 8],
      ['loss', 64],
      ['mae', 8],
      ['do', 16],
      ['dh', 16, 16],
      ['dg', 16, 16],
      ['da', 32, 32],
      ['dw', 32],
      ['w', Math.fround(-0.2)],
    ]);
    trainer.setWeights({ w: [3] });
    trainer.evaluate({ x: [1, 0] });
    expect(values()).toEqual([
      ['a', 3, 0],
      ['g', 3, 0],
      ['h', 4, 1],
      ['o', 5],
      ['loss', 25],
      ['mae', 5],
    ]);
    trainer.predict({ x: [1, 0] });
    // what only renames another tensor is not on the way to the outputs
    expect(values()).toEqual([
      ['a', 3, 0],
      ['h', 4, 1],
      ['o', 5],
    ]);
  });

  it('has nothing that only a layer or another model names, in whatever file it stands', async () => {
    const { seen, onTrace } = recorder();
    const text = `
import "./layers.dsl"
layer shift(x[..]) -> y[..] {
  near[..] = x[..] + 1
  y[..] = near[..]^2
}
model Here {
  input x[n]
  param w ~ 3
  h = x |> shift |> far(2)
  scan n2 {
    s[n, n2: 2] = (s[n, n2 - 1] else 0) + h[n] * w
  }
  loss = mean[n](s[n, 1])
  train { optimizer: sgd }
}
model There {
  input x[n]
  param w ~ 1
  near[n] = x[n] * w
  loss = mean[n](near[n])
}`;
    const far = {
      path: 'layers.dsl',
      text: 'layer far(x[..], k) -> s2[..] {\n  near[..] = exp(x[..])\n  s2[..] = k * near[..]\n}',
    };
    const trainer = await traced(text, { onTrace }, { load: () => far });
    trainer.trainOnBatch({ x: [1] });
    const names = seen.flatMap(({ name, kind }) => (kind === 'value' ? [name] : []));
    expect(names).toEqual(['h', 's', 'loss']);
  });

  it('goes together with --checks, and with float64', async () => {
    const { seen, onTrace } = recorder();
    const trainer = await traced(net, { onTrace }, { checks: true, dtype: 'f64' });
    trainer.trainOnBatch({ x: [1, 2] });
    expect(seen).toHaveLength(11);
    expect(() => trainer.trainOnBatch({ x: [1e10, 1] })).toThrow('beyond the limit');
  });

  it('is not what --checks looks at, where nothing else reads it', async () => {
    const text = `
model Stable {
  input x[n, 3]
  param w[3] ~ [400, 0, 900]
  z[n, k] = x[n, k] * w[k]
  a[n, k] = exp(z[n, k])
  s[n] = sum[k](a[n, k])
  p[n, k] = a[n, k] / s[n]
  loss = -mean[n](log(p[n, 2]))
  train { optimizer: sgd(rate = 0.01), batch: 4 }
}`;
    const { seen, onTrace } = recorder();
    const trainer = await traced(text, { onTrace, traceNames: ['a'] }, { checks: true });
    trainer.trainOnBatch({ x: [1, 2, 1] });
    expect(seen[0]!.data).toEqual([Infinity, 1, Infinity]);
  });

  it('tells a pass of evaluate from one of training', async () => {
    const { seen, onTrace } = recorder();
    const trainer = await traced(net, { onTrace, traceNames: ['loss'] });
    trainer.trainOnBatch({ x: [1, 2] });
    trainer.evaluate({ x: [1, 2] });
    expect(seen.map(({ phase }) => phase)).toEqual(['forward', 'evaluate']);
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

describe('a name that is asked for', () => {
  it('and misspelt does not compile', async () => {
    const { modules } = await compile(
      { path: 'net.dsl', text: net },
      { trace: true, format: false, standalone: runtimeText(['trace']) },
    );
    const asking = (name: string): string =>
      `${modules[0]!.text}\nexport const trainer = createTrainer({ traceNames: ['same', 'dsame', 'dw', '${name}'] });\n`;
    expect(strictErrors(asking('w'))).toBe('');
    expect(strictErrors(asking('sane'))).toMatch(
      /^[^\n]*error TS2322: Type '"sane"' is not assignable to type 'TraceName'\.\s*$/,
    );
  }, 60_000);
});

describe.skipIf(!hasChromium)('in a worker of a page', () => {
  it('a listener is handed the same', async () => {
    const { modules } = await compile(
      { path: 'net.dsl', text: net },
      { trace: true, format: false, standalone: runtimeText(['trace']) },
    );
    const using = `
      const seen = [];
      createTrainer({ onTrace: ({ name, data }) => seen.push([name, ...data]), traceNames: ['h', 'dh', 'dw'] })
        .trainOnBatch({ x: [1, 2] });
      postMessage(seen);`;
    const { code } = transformSync(`${modules[0]!.text}${using}`, { loader: 'ts', format: 'esm' });
    const browser = await launch();
    const page = await browser.newPage();
    await page.route('http://page.test/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto('http://page.test/');
    const found: unknown = await page.evaluate(`new Promise((resolve, reject) => {
      const file = new Blob([${JSON.stringify(code)}], { type: 'text/javascript' });
      const worker = new Worker(URL.createObjectURL(file), { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    })`);
    await browser.close();
    expect(found).toEqual([
      ['h', 3, 1],
      ['dh', 8, 8],
      ['dw', 8, 8, 16, 16],
    ]);
  }, 60_000);
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
