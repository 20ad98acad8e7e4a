/** Values of the recurrent layers, against the formulas of PyTorch's documentation written as loops. */
import { describe, expect, it } from 'vitest';
import { numbers, valueOf } from './support.ts';
import type { Values } from './support.ts';

const [T, I, H] = [5, 3, 2];
const x = numbers(T * I, 3);
const sequence = `input x[${T}, ${I}]`;

const sigmoid = (u: number): number => 1 / (1 + Math.exp(-u));

/** v M + b, M row by row. */
const times = (v: readonly number[], M: readonly number[], b: readonly number[]): number[] =>
  b.map((bias, column) => v.reduce((total, value, row) => total + value * M[row * b.length + column]!, bias));

interface Cell {
  readonly gates: number;
  readonly hasBias: boolean;
  /** The states after a step, h first. */
  readonly step: (row: readonly number[], states: readonly number[][], own: Values) => number[][];
}

const ownOf = (own: Values, name: string): number[] => Array.from(own[name] ?? []);

const cells: Readonly<Record<string, Cell>> = {
  simple_rnn: {
    gates: 1,
    hasBias: false,
    step: (row, [h = []], own) => {
      const a = times(row, ownOf(own, 'W'), ownOf(own, 'b'));
      const s = times(
        h,
        ownOf(own, 'U'),
        Array.from({ length: H }, () => 0),
      );
      return [a.map((value, o) => Math.tanh(value + s[o]!))];
    },
  },
  gru: {
    gates: 3,
    hasBias: true,
    step: (row, [h = []], own) => {
      const a = times(row, ownOf(own, 'W'), ownOf(own, 'b'));
      const s = times(h, ownOf(own, 'U'), ownOf(own, 'c'));
      return [
        h.map((old, o) => {
          const [r, z] = [0, 1].map((gate) => sigmoid(a[gate * H + o]! + s[gate * H + o]!)) as [
            number,
            number,
          ];
          return (1 - z) * Math.tanh(a[2 * H + o]! + r * s[2 * H + o]!) + z * old;
        }),
      ];
    },
  },
  lstm: {
    gates: 4,
    hasBias: false,
    step: (row, [h = [], c = []], own) => {
      const a = times(row, ownOf(own, 'W'), ownOf(own, 'b'));
      const s = times(
        h,
        ownOf(own, 'U'),
        Array.from({ length: 4 * H }, () => 0),
      );
      const gate = (k: number, o: number): number => a[k * H + o]! + s[k * H + o]!;
      const cell = c.map((old, o) => sigmoid(gate(1, o)) * old + sigmoid(gate(0, o)) * Math.tanh(gate(2, o)));
      return [cell.map((value, o) => sigmoid(gate(3, o)) * Math.tanh(value)), cell];
    },
  },
};
const names = Object.keys(cells);

const zeros = (): number[] => Array.from({ length: H }, () => 0);

/** The weights of a cell, as the layer names them. */
const weightsOf = ({ gates, hasBias }: Cell, seed = 5, features = I): Record<string, number[]> => ({
  W: numbers(features * gates * H, seed),
  U: numbers(H * gates * H, seed + 1),
  b: numbers(gates * H, seed + 2),
  ...(hasBias ? { c: numbers(gates * H, seed + 3) } : {}),
});

const named = (prefix: string, weights: Values): Values =>
  Object.fromEntries(Object.entries(weights).map(([name, value]) => [`${prefix}_${name}`, value]));

/** All states after each step. */
function run(cell: Cell, own: Values, rows: readonly number[], start = [zeros(), zeros()]): number[][][] {
  const features = (own['W']?.length ?? 0) / (cell.gates * H);
  let states = start;
  return Array.from({ length: rows.length / features }, (_, t) => {
    states = cell.step(rows.slice(t * features, (t + 1) * features), states, own);
    return states;
  });
}

const steps = (states: readonly number[][][]): number[] => states.flatMap(([h = []]) => h);

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i] ?? NaN, 12);
}

describe.each(names)('%s', (name) => {
  const cell = cells[name]!;
  const own = weightsOf(cell);
  const given = { x, ...named('y', own) };

  it('gives every step, from a state of zeros', () => {
    expectClose(valueOf(sequence, `x |> ${name}(${H})`, given), steps(run(cell, own, x)));
  });

  it('gives the last step', () => {
    const weights = named(`y_${name}`, own);
    expectClose(
      valueOf(sequence, `x |> ${name}(${H}) |> last_step`, { x, ...weights }),
      steps(run(cell, own, x)).slice(-H),
    );
  });

  it('is stacked by piping', () => {
    const below = weightsOf(cell, 5);
    const above = weightsOf(cell, 25, H);
    const weights = { ...named(`y_${name}1`, below), ...named(`y_${name}2`, above) };
    expectClose(
      valueOf(sequence, `x |> ${name}(${H}) |> ${name}(${H})`, { x, ...weights }),
      steps(run(cell, above, steps(run(cell, below, x)))),
    );
  });

  it('begins where it is told: in two halves it is what it is in one', () => {
    const cut = 2 * I;
    const start = run(cell, own, x.slice(0, cut)).at(-1)!;
    const [h0, c0] = [start[0]!, start[1] ?? zeros()];
    const around = `input x[${T - 2}, ${I}]\ninput h0[${H}]${name === 'lstm' ? `\ninput c0[${H}]` : ''}`;
    const call = name === 'lstm' ? 'lstm_from(x, h0, c0)' : `${name}_from(x, h0)`;
    const later = run(cell, own, x).slice(2);
    const wanted = name === 'lstm' ? later.flat(2) : steps(later);
    expectClose(valueOf(around, call, { ...given, x: x.slice(cut), h0, c0 }), wanted);
  });

  it('that is masked keeps its state at steps that do not count', () => {
    const text = `${sequence}\ninput count: 1 .. ${T}\nmask = length_mask(count, ${T})`;
    const valid = steps(run(cell, own, x.slice(0, 3 * I)));
    const last = valid.slice(-H);
    expectClose(valueOf(text, `x |> masked_${name}(mask, ${H})`, { ...given, count: [3] }), [
      ...valid,
      ...last,
      ...last,
    ]);
    const gaps = steps(run(cell, own, [...x.slice(I, 2 * I), ...x.slice(3 * I, 4 * I)]));
    const [first, second] = [gaps.slice(0, H), gaps.slice(H)];
    expectClose(
      valueOf(`${sequence}\ninput m[${T}]`, `x |> masked_${name}(m, ${H})`, { ...given, m: [0, 1, 0, 1, 0] }),
      [...zeros(), ...first, ...first, ...second, ...second],
    );
  });

  const both = (ahead: readonly number[], behind: readonly number[]): number[] =>
    Array.from({ length: ahead.length / H }, (_, t) => [
      ...ahead.slice(t * H, (t + 1) * H),
      ...behind.slice(t * H, (t + 1) * H),
    ]).flat();
  const backwards = (rows: readonly number[], width: number): number[] =>
    Array.from({ length: rows.length / width }, (_, t) => rows.slice(t * width, (t + 1) * width))
      .toReversed()
      .flat();

  it('in both directions stands side by side', () => {
    const reversed = weightsOf(cell, 25);
    const weights = { ...named('y_forward', own), ...named(`y_backward_${name}`, reversed) };
    const behind = backwards(steps(run(cell, reversed, backwards(x, I))), H);
    expectClose(
      valueOf(sequence, `x |> bidirectional_${name}(${H})`, { x, ...weights }),
      both(steps(run(cell, own, x)), behind),
    );
  });

  it('in both directions and masked turns around at the last valid step', () => {
    const reversed = weightsOf(cell, 25);
    const masked = { ...named('y_forward', own), ...named(`y_backward_masked_${name}`, reversed) };
    const text = `${sequence}\ninput count: 1 .. ${T}\nmask = length_mask(count, ${T})`;
    const got = valueOf(text, `x |> masked_bidirectional_${name}(mask, ${H})`, { x, ...masked, count: [3] });
    const short = x.slice(0, 3 * I);
    const ahead = steps(run(cell, own, short));
    const behind = backwards(steps(run(cell, reversed, backwards(short, I))), H);
    const end = [...ahead.slice(-H), ...zeros()];
    expectClose(got, [...both(ahead, behind), ...end, ...end]);
  });
});

describe('what is around recurrences', () => {
  it('lstm opens its forget gate at first, where it is told to', () => {
    const own = weightsOf(cells['lstm']!);
    const biased = { ...own, b: own['b']!.map((value, i) => (i >= H && i < 2 * H ? value + 1 : value)) };
    expectClose(
      valueOf(sequence, `x |> lstm(${H}, forget = 1)`, { x, ...named('y', own) }),
      valueOf(sequence, `x |> lstm(${H})`, { x, ...named('y', biased) }),
    );
  });

  it('last_valid is the step of each row that its length says; flip turns all steps around', () => {
    const text = 'input x[2, 3, 1]\ninput count[2]: 1 .. 3';
    expect(valueOf(text, 'x |> last_valid(count)', { x: [1, 2, 3, 4, 5, 6], count: [2, 3] })).toEqual([2, 6]);
    expect(valueOf(text, 'x |> flip', { x: [1, 2, 3, 4, 5, 6] })).toEqual([3, 2, 1, 6, 5, 4]);
  });

  it('length_mask is 1 for as many steps', () => {
    const text = 'input count[3]: 1 .. 4';
    expect(valueOf(text, 'length_mask(count, 4)', { count: [1, 4, 2] })).toEqual([
      1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0,
    ]);
  });
});
