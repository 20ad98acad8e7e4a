import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { scheduleUpdate } from '../../compiler/schedule/index.ts';
import { evaluateSize } from '../../compiler/schedule/integers.ts';
import { runSteps } from '../../compiler/schedule/run.ts';
import type { Memory } from '../../compiler/schedule/run.ts';

function updateOf(optimizer: string): Program {
  const text = `model M {
    input x[n]
    param w[4] ~ ones
    loss = sum[n, i](x[n] * w[i])
    train { optimizer: ${optimizer}, batch: 2, epochs: 1, seed: 1 }
  }`;
  const [model] = analyse({ path: 'm.dsl', text }).models;
  const group = model?.model.training?.groups[0];
  if (!group) throw new Error('no update group');
  return group.program;
}

const count = 5;
const values = (seed: number, size: number): number[] =>
  Array.from({ length: size }, (_, i) => 0.3 + Math.abs(Math.sin(seed + i)));

describe.each([
  'sgd(rate = 0.1)',
  'adam(rate = 0.1)',
  'lamb(rate = 0.1)',
  'adamw(rate = 0.1)',
  'rmsprop(rate = 0.1)',
])('the update %s', (optimizer) => {
  const program = updateOf(optimizer);
  const loops = scheduleUpdate(program, { dtype: 'f64' });

  it('stores in place what the interpreter gives as next values', () => {
    const tensors: Record<string, number[]> = {};
    const numbers: Record<string, number> = {};
    const memory = new Map<string, Memory>();
    let seed = 1;
    for (const [name, tensor] of program.tensors) {
      if (tensor.role === 'intermediate') continue;
      const given = tensor.role === 'scalar' ? [3] : values(seed++, tensor.axes.length === 0 ? 1 : count);
      tensors[name] = given;
      numbers[name] = given[0] ?? 0;
      memory.set(name, Float64Array.from(given));
    }
    for (const [name, buffer] of loops.buffers)
      memory.set(name, new Float64Array(evaluateSize(buffer.size, new Map([['count', count]]))));
    const truth = interpret(program, { tensors, extents: { count } });
    runSteps(loops.steps, loops.functions, memory, { count }, numbers);
    let compared = 0;
    for (const [name, expected] of truth) {
      if (!name.endsWith("'")) continue;
      const got = memory.get(name.slice(0, -1)) ?? [];
      expected.forEach((value, i) => expect(got[i], name).toBeCloseTo(value, 12));
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

it.each([
  ['adam(rate = 0.1)', ['t']],
  ['adam(rate = cosine(0.1, period = 9), beta1 = linear(0.8, total = 9, end = 0.9))', ['t']],
  ['lamb(rate = 0.1)', ['t']],
  ['sgd(rate = 0.1)', []],
])('hands whole numbers to functions, and fractions in arrays: %s', (optimizer, whole) => {
  const { functions, steps } = scheduleUpdate(updateOf(optimizer), { dtype: 'f32' });
  expect([...new Set(functions.flatMap(({ numbers = [] }) => numbers))]).toEqual(whole);
  expect(steps.flatMap(({ buffers }) => buffers)).toContain('rate');
});

it('fuses an elementwise optimizer into one loop, with scalars and their reciprocals before it', () => {
  const loops = scheduleUpdate(updateOf('adam(rate = 0.1)'), { dtype: 'f32' });
  expect(loops.steps).toHaveLength(1);
  const body = loops.functions[0]?.body ?? [];
  expect(body.map((statement) => ('name' in statement ? statement.name : statement.kind))).toEqual([
    'c1',
    'c2',
    'inverse_c1',
    'rate_value',
    'inverse_c2',
    'for',
  ]);
  expect(loops.buffers.size).toBe(0);
});
