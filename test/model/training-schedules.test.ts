import { describe, expect, it } from 'vitest';
import type { Program } from '../../compiler/graph/types.ts';
import { loadCases } from '../oracle/cases.ts';
import { Run, groupOf, statesOf, trainingOf } from './training-support.ts';

const { PI, cos, floor, min } = Math;

/** The program of `rate = <expression>`. */
function scheduleOf(expression: string, definitions = ''): Program {
  const { training } = trainingOf(`optimizer: sgd(rate = ${expression})`, definitions);
  const [program] = training.schedules;
  if (program === undefined) throw new Error('no schedule');
  return program;
}

/** The values of the first steps. */
function valuesOf(program: Program, losses: readonly number[]): number[] {
  const run = new Run(program);
  return losses.map((loss) => run.next({ loss: [loss] }).get('value')?.[0] ?? NaN);
}

const line = (x: number, y: number, u: number): number => x + (y - x) * u;
const flat = (steps: number): number[] => Array.from({ length: steps }, () => 1);

describe('schedules', () => {
  it.each<[string, (step: number) => number]>([
    ['step_decay(0.4, period = 6, factor = 0.5)', (step) => 0.4 * 0.5 ** floor(step / 6)],
    ['exponential(0.05, 0.9)', (step) => 0.05 * 0.9 ** step],
    ['cosine(0.2, 20, floor = 0.001)', (step) => 0.001 + (0.199 * (1 + cos((PI * step) / 20))) / 2],
    ['linear(0.2, total = 10, end = 0.1)', (step) => 0.2 - 0.01 * min(step, 10)],
    ['warmup(0.2, 4)', (step) => 0.2 * min(1, (step + 1) / 4)],
    [
      'warmup_cosine(0.05, warmup = 4, total = 12, ratio = 0.1)',
      (step) =>
        step < 4 ? (0.05 * (step + 1)) / 4 : 0.05 * (0.1 + 0.45 * (1 + cos(PI * min(1, (step - 4) / 8)))),
    ],
    ['0.3 * from_step(5)', (step) => (step < 5 ? 0 : 0.3)],
    ['layerwise(warmup(0.2, 4), factor = 0.5, depth = 3)', (step) => (0.2 * min(1, (step + 1) / 4)) / 8],
    ['3 * warmup(cosine(0.2, 20), 4)', (step) => 0.3 * (1 + cos((PI * step) / 20)) * min(1, (step + 1) / 4)],
  ])('%s', (expression, formula) => {
    const values = valuesOf(scheduleOf(expression), flat(18));
    values.forEach((value, step) => expect(value).toBeCloseTo(formula(step), 14));
  });

  it('one_cycle of a linear shape and the momentum that goes with it', () => {
    const shape = 'total = 20, warm = 0.25, linear = true';
    const { training } = trainingOf(
      `optimizer: sgd(one_cycle(0.3, ${shape}, start = 10, end = 1000), momentum = one_cycle_momentum(${shape}))`,
    );
    const [group] = training.groups;
    expect(group?.scheduled).toEqual(new Map([['momentum', 'momentum_schedule']]));
    expect(group?.rate?.written).toEqual({ schedule: 'rate_schedule' });
    expect(training.schedules.map(({ name }) => name)).toEqual(['rate_schedule', 'momentum_schedule']);
    const [rate, momentum] = training.schedules.map((program) => valuesOf(program, flat(6)));
    [0.03, 0.0975, 0.165, 0.2325, 0.3, 0.280002].forEach((value, step) => {
      expect(rate?.[step]).toBeCloseTo(value, 12);
    });
    [0.95, 0.925, 0.9, 0.875, 0.85, 0.8566666666666667].forEach((value, step) => {
      expect(momentum?.[step]).toBeCloseTo(value, 12);
    });
    expect(group?.program.tensors.get('rate')).toMatchObject({ role: 'scalar', axes: [], element: 'double' });
  });

  it('one_cycle in three phases: up, down the same way, then to the end', () => {
    const values = valuesOf(
      scheduleOf('one_cycle(1, 20, 0.3, start = 4, end = 10, linear = true, three_phase = true)'),
      flat(22),
    );
    values.forEach((value, step) => {
      const last = line(0.25, 0.025, min(1, (step - 10) / 9));
      const wanted = step <= 5 ? line(0.25, 1, step / 5) : step <= 10 ? line(1, 0.25, (step - 5) / 5) : last;
      expect(value).toBeCloseTo(wanted, 14);
    });
  });

  it('reduce_on_plateau waits for a greater value with maximize, by an absolute threshold with relative = false', () => {
    const program = scheduleOf(
      'reduce_on_plateau(1, 0.5, patience = 0, threshold = 0.1, relative = false, maximize = true)',
    );
    expect(valuesOf(program, [1, 1.2, 1.25, 1.5, 1.4, 0])).toEqual([1, 1, 1, 0.5, 0.5, 0.25]);
  });

  it('two schedules with states do not share them', () => {
    const program = scheduleOf(
      'count(1) + count(10)',
      `schedule count(by) {
        state seen ~ zeros
        seen' = seen + by
        value = seen + 1
      }`,
    );
    expect(statesOf(program)).toHaveLength(2);
    expect(valuesOf(program, flat(3))).toEqual([2, 13, 24]);
  });

  it('the program of a constant hyper-parameter does not exist', () => {
    expect(trainingOf('optimizer: adam(rate = 0.1 * 2)').training.schedules).toEqual([]);
    expect(groupOf('adam').scheduled).toEqual(new Map());
  });

  it('a scheduled hyper-parameter that is not used is not computed', () => {
    const { training } = trainingOf(
      'optimizer: still(rate = exponential(0.1, 0.5))',
      "optimizer still(rate) {\n p' = p - g\n}",
    );
    expect(training.schedules).toEqual([]);
  });
});

const traces = loadCases(new URL('../oracle', import.meta.url).pathname).filter(
  ({ op }) => op === 'lr_trace' || op === 'plateau_trace',
);

/** The call for an oracle's schedule. */
function callOf(schedule: Record<string, unknown>, rate: number): string {
  const s = schedule as Record<string, number>;
  const calls: Record<string, string> = {
    step: `step_decay(${rate}, ${s['step_size']}, ${s['gamma']})`,
    exponential: `exponential(${rate}, ${s['gamma']})`,
    cosine: `cosine(${rate}, ${s['T_max']}, ${s['eta_min']})`,
    warmup_cosine: `warmup_cosine(${rate}, ${s['warmup_steps']}, ${s['total_steps']}, ${s['min_ratio']})`,
    one_cycle: `one_cycle(${s['max_lr']}, ${s['total_steps']}, ${s['pct_start']}, ${s['div_factor']}, ${s['final_div_factor']})`,
    reduce_on_plateau: `reduce_on_plateau(${rate}, ${s['factor']}, ${s['patience']}, ${s['threshold']}, cooldown = ${s['cooldown']}, floor = ${s['min_lr']}, eps = ${s['eps']})`,
  };
  return calls[String(schedule['kind'])] ?? '';
}

describe('schedules give the rates of PyTorch', () => {
  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_name, trace) => {
    const { schedule, base_lr: rate } = trace.hyper as { schedule: Record<string, unknown>; base_lr: number };
    const tensor = (role: string): readonly number[] => {
      const found = trace.tensors.find((candidate) => candidate.role === role);
      return found === undefined ? [] : [...trace.read(found)];
    };
    const wanted = tensor('forward');
    const metric = tensor('input');
    const program = scheduleOf(callOf(schedule, rate));
    // a plateau's rate i is the one after metric i has been seen, which is the rate of the next step
    const losses = metric.length > 0 ? [...metric, 0] : flat(wanted.length);
    const values = valuesOf(program, losses).slice(losses.length - wanted.length);
    expect(wanted.length).toBeGreaterThan(5);
    values.forEach((value, step) => expect(value).toBeCloseTo(wanted[step] ?? NaN, 10));
  });
});
