import { describe, expect, it } from 'vitest';
import { printProgram } from '../../compiler/graph/print.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { Run, groupOf, statesOf, trainingOf } from './training-support.ts';

const { sqrt, abs, max, sign } = Math;

/** One parameter's step in plain numbers: `s` keeps the states, all 0 before the first step. */
type Step = (p: number, g: number, t: number, s: Record<string, number>) => number;

const moments = (g: number, b1: number, b2: number, s: Record<string, number>): [number, number] => {
  s['m'] = b1 * (s['m'] ?? 0) + (1 - b1) * g;
  s['v'] = b2 * (s['v'] ?? 0) + (1 - b2) * g * g;
  return [s['m'], s['v']];
};

const adam =
  (rate: number, b1: number, b2: number, decay = 0, decoupled = false, amsgrad = false): Step =>
  (p, g, t, s) => {
    const [m, v] = moments(decoupled ? g : g + decay * p, b1, b2, s);
    s['w'] = amsgrad ? max(s['w'] ?? 0, v) : v;
    const kept = decoupled ? p - rate * decay * p : p;
    return kept - (rate * (m / (1 - b1 ** t))) / (sqrt(s['w'] / (1 - b2 ** t)) + 1e-8);
  };

const sgd =
  (rate: number, momentum: number, dampening = 0, nesterov = false, decay = 0): Step =>
  (p, g, t, s) => {
    const d = g + decay * p;
    if (momentum === 0) return p - rate * d;
    s['u'] = t === 1 ? d : momentum * (s['u'] ?? 0) + (1 - dampening) * d;
    return p - rate * (nesterov ? d + momentum * s['u'] : s['u']);
  };

const rmsprop =
  (rate: number, alpha: number, eps: number, centered: boolean, momentum: number): Step =>
  (p, g, _t, s) => {
    s['v'] = alpha * (s['v'] ?? 0) + (1 - alpha) * g * g;
    s['a'] = alpha * (s['a'] ?? 0) + (1 - alpha) * g;
    const scale = sqrt(centered ? s['v'] - s['a'] ** 2 : s['v']) + eps;
    s['u'] = momentum * (s['u'] ?? 0) + g / scale;
    return p - rate * s['u'];
  };

/** nadam's momentum at a step */
const mu = (at: number): number => 0.9 * (1 - 0.5 * 0.96 ** (at * 0.004));

const nadam: Step = (p, g, t, s) => {
  const [m, v] = moments(g, 0.9, 0.999, s);
  s['P'] = (s['P'] ?? 1) * mu(t);
  const denominator = sqrt(v / (1 - 0.999 ** t)) + 1e-8;
  return (
    p -
    (((0.02 * (1 - mu(t))) / (1 - s['P'])) * g) / denominator -
    (((0.02 * mu(t + 1)) / (1 - s['P'] * mu(t + 1))) * m) / denominator
  );
};

const radam: Step = (p, g, t, s) => {
  const [m, v] = moments(g, 0.9, 0.999, s);
  const M = m / (1 - 0.9 ** t);
  const R = 2 / (1 - 0.999) - 1;
  const rho = R - (2 * t * 0.999 ** t) / (1 - 0.999 ** t);
  if (rho <= 5) return p - 0.05 * M;
  const r = sqrt(((rho - 4) * (rho - 2) * R) / ((R - 4) * (R - 2) * rho));
  return p - (0.05 * M * r * sqrt(1 - 0.999 ** t)) / (sqrt(v) + 1e-8);
};

const cases: readonly [call: string, states: string, step: Step][] = [
  ['sgd(0.3)', '', sgd(0.3, 0)],
  ['sgd', '', sgd(1e-3, 0)],
  ['sgd(0.2, weight_decay = 0.02)', '', sgd(0.2, 0, 0, false, 0.02)],
  ['sgd(0.1, momentum = 0.9)', 'u', sgd(0.1, 0.9)],
  ['sgd(0.2, 0.8, 0.3)', 'u', sgd(0.2, 0.8, 0.3)],
  ['sgd(0.1, 0.9, nesterov = true)', 'u', sgd(0.1, 0.9, 0, true)],
  ['momentum(0.1, weight_decay = 0.01)', 'u', sgd(0.1, 0.9, 0, false, 0.01)],
  ['nesterov(0.1)', 'u', sgd(0.1, 0.9, 0, true)],
  ['rmsprop', 'v', rmsprop(0.01, 0.99, 1e-8, false, 0)],
  ['rmsprop(alpha = 0.95, eps = 1e-6, centered = true)', 'v a', rmsprop(0.01, 0.95, 1e-6, true, 0)],
  ['rmsprop(5e-3, alpha = 0.9, momentum = 0.9)', 'v u', rmsprop(5e-3, 0.9, 1e-8, false, 0.9)],
  [
    'adagrad(0.1, rate_decay = 0.1, initial = 0.01)',
    's',
    (p, g, t, s) => {
      s['s'] = (s['s'] ?? 0.01) + g * g;
      return p - ((0.1 / (1 + (t - 1) * 0.1)) * g) / (sqrt(s['s']) + 1e-10);
    },
  ],
  [
    'adadelta',
    'v a',
    (p, g, _t, s) => {
      s['v'] = 0.9 * (s['v'] ?? 0) + 0.1 * g * g;
      const d = (sqrt((s['a'] ?? 0) + 1e-6) / sqrt(s['v'] + 1e-6)) * g;
      s['a'] = 0.9 * (s['a'] ?? 0) + 0.1 * d * d;
      return p - d;
    },
  ],
  ['adam(rate = 0.02)', 'm v', adam(0.02, 0.9, 0.999)],
  ['adam(rate = 0.02, weight_decay = 0.05)', 'm v', adam(0.02, 0.9, 0.999, 0.05)],
  ['adam(0.05, beta2 = 0.99, amsgrad = true)', 'm v w', adam(0.05, 0.9, 0.99, 0, false, true)],
  ['amsgrad(0.05, beta2 = 0.99)', 'm v w', adam(0.05, 0.9, 0.99, 0, false, true)],
  ['adamw(0.02, weight_decay = 0.05)', 'm v', adam(0.02, 0.9, 0.999, 0.05, true)],
  [
    'adamax(0.02)',
    'm u',
    (p, g, t, s) => {
      const [m] = moments(g, 0.9, 0.999, s);
      s['u'] = max(0.999 * (s['u'] ?? 0), abs(g) + 1e-8);
      return p - ((0.02 / (1 - 0.9 ** t)) * m) / s['u'];
    },
  ],
  ['nadam(0.02)', 'm v P', nadam],
  ['radam(0.05)', 'm v', radam],
  [
    'lion(0.01, weight_decay = 0.1)',
    'm',
    (p, g, _t, s) => {
      const c = 0.9 * (s['m'] ?? 0) + 0.1 * g;
      s['m'] = 0.99 * (s['m'] ?? 0) + 0.01 * g;
      return p - 0.01 * (sign(c) + 0.1 * p);
    },
  ],
];

describe('optimizers', () => {
  it.each(cases)('%s takes the steps of its formula, with the states [%s]', (call, states, step) => {
    const group = groupOf(call);
    expect(statesOf(group.program).join(' ')).toBe(states);
    expect(group.perParameter).toBe(false);
    const run = new Run(group, 3);
    const own = [{}, {}, {}];
    let p = [0.5, -1.5, 0];
    for (let t = 1; t <= 8; t++) {
      const g = p.map((value, i) => value * (i + 1) + Math.cos(3 * t + i));
      const made = run.next({ p, g }).get("p'") ?? [];
      p = p.map((value, i) => step(value, g[i] ?? NaN, t, own[i] ?? {}));
      p.forEach((value, i) => expect(made[i]).toBeCloseTo(value, 12));
      p = [...made];
    }
  });

  it('lamb scales the step of each tensor by the norms of the tensor and of the step', () => {
    const group = groupOf('lamb(0.02, weight_decay = 0.1)');
    expect(group.perParameter).toBe(true);
    const p = [3, 4];
    const g = [0.5, -2];
    // at the first step the corrected moments are g and g²
    const r = p.map((value, i) => (g[i] ?? 0) / (abs(g[i] ?? 0) + 1e-6) + 0.1 * value);
    const trust = 5 / Math.hypot(...r);
    const made = new Run(group, 2).next({ p, g }).get("p'") ?? [];
    p.forEach((value, i) => expect(made[i]).toBeCloseTo(value - 0.02 * trust * (r[i] ?? 0), 12));
  });

  it('lamb has a trust ratio of 1 where a norm is 0', () => {
    const made = new Run(groupOf('lamb(0.02)'), 1).next({ p: [0], g: [0.5] }).get("p'");
    expect(made?.[0]).toBeCloseTo((-0.02 * 0.5) / (0.5 + 1e-6), 12);
  });

  it('a user writes one, and has it under its name', () => {
    const group = groupOf(
      'signed(rate = 0.1 / two)',
      `optimizer signed(rate, floor = rate / 10) {
        state seen[] ~ constant(floor), unused ~ zeros
        seen'   = seen + mean(g^2)
        unused' = unused + g
        p'      = p - rate * sign(g) * seen'
      }`,
    );
    expect(group.optimizer).toBe('signed');
    expect(statesOf(group.program)).toEqual(['seen']);
    expect(group.perParameter).toBe(true);
    const run = new Run(group, 2);
    expect(run.next({ p: [1, 1], g: [3, -1] }).get("p'")).toEqual(
      Float64Array.of(1 - 0.05 * 5.005, 1 + 0.05 * 5.005),
    );
  });

  it('keeps no state that only feeds its own next value, and reads that in place', () => {
    const { program } = groupOf(
      'once(1)',
      `optimizer once(rate, keep = 0) {
        state m ~ zeros, total[] ~ zeros
        m'     = keep * m + g
        total' = sum(m')
        p'     = p - rate * m' / total'
      }`,
    );
    expect(printProgram(program)).toBe(
      "optimizer once(rate) {\n  total = sum(g)\n  p' = p - rate * g / total\n}\n",
    );
    expect(validate(program)).toEqual([]);
  });

  it('names the sums in a next value after the state, without the prime', () => {
    const { program } = groupOf(
      'o(1)',
      "optimizer o(rate) {\n state m[] ~ zeros\n m' = m + sum(g) / 2\n p' = p - rate * m'\n}",
    );
    expect(program.statements.map(({ target }) => target)).toEqual(['m_sum', "m'", "p'"]);
    expect(validate(program)).toEqual([]);
  });

  it('take a hyper-parameter named rate, a number or a schedule, from outside', () => {
    for (const [text, written] of [
      ['0.1', 0.1],
      ['exponential(1, 0.1)', { schedule: 'rate_schedule' }],
    ] as const) {
      const group = groupOf(`sgd(${text}, weight_decay = 0.5)`);
      expect(group.rate).toEqual({ name: 'sgd', written });
      for (const rate of [0.1, 0.025, 0])
        expect(new Run(group.program).next({ p: [2], g: [3], rate: [rate] }).get("p'")![0]).toBe(
          2 - rate * 4,
        );
    }
    expect(groupOf('plain', "optimizer plain(speed = 0.1) { p' = p - speed * g }").rate).toBeUndefined();
    expect(groupOf('still', "optimizer still(rate = 0.1) { p' = p - g }").rate).toBeUndefined();
  });

  it('call the rate of a group after its optimizer and what it is for', () => {
    const { training } = trainingOf(
      'optimizer["*1"]: sgd(0.1), optimizer[W2, "b*2"]: adam, optimizer: sgd(0.3)',
    );
    expect(training.groups.map(({ rate }) => rate?.name)).toEqual(['sgd of *1', 'adam of W2, b*2']);
  });

  it('take the rate as it is written for defaults and first values', () => {
    const group = groupOf(
      'o(0.5)',
      "optimizer o(rate, less = rate / 2) {\n state m[] ~ constant(rate)\n m' = m * less\n p' = p - rate * m'\n}",
    );
    const run = new Run(group.program);
    expect(run.next({ p: [1], g: [1], rate: [0.05] }).get("m'")![0]).toBe(0.125);
  });

  it('a schedule may call its states as it likes', () => {
    const { training } = trainingOf(
      'optimizer: sgd(rate = s(0.5))',
      "schedule s(rate) {\n  state value_ ~ zeros, out ~ ones\n  out' = out * 2\n  value_' = out\n  value = rate * out + value_\n}",
    );
    const run = new Run(training.schedules[0]!);
    const values = [0, 1, 2].map(() => run.next({}).get('value')?.[0]);
    expect(values).toEqual([0.5, 2, 4]);
  });
});
