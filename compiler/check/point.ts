/** Where the gradient is looked at: random data, and parameters near their first values. */
import { Random } from '../../runtime/random.ts';
import { sizeOf } from '../../runtime/ports.ts';
import type { Port } from '../../runtime/types.ts';
import type { Point } from './running.ts';
import type { InputData, LoadedModule } from './types.ts';

/** How real inputs are drawn; the first that gives a finite loss is taken. */
export const dataKinds = {
  normal: { words: 'random data, normal', draw: (random: Random) => random.normal() },
  unit: {
    words: 'random data between 0.05 and 0.95',
    draw: (random: Random) => 0.05 + 0.9 * random.uniform(),
  },
} as const satisfies Record<string, { words: string; draw: (random: Random) => number }>;

export type DataKind = keyof typeof dataKinds;

/** Integers of which the model does not say how far they go. */
const UNBOUNDED = 10;

/** Numbers that float32 holds exactly. */
const rounded = (length: number, draw: (i: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.fround(draw(i)));

/** A batch of random rows. */
export function randomData(ports: readonly Port[], rows: number, kind: DataKind, seed: number): InputData {
  const arrays = ports.map((port) => {
    const random = new Random(seed, `check ${port.name}`);
    const length = sizeOf(port) * (port.batched ? rows : 1);
    const { least = 0, greatest = least + UNBOUNDED - 1 } = port;
    const draw =
      port.element === 'integer'
        ? () => least + random.integer(greatest - least + 1)
        : () => dataKinds[kind].draw(random);
    return [port.name, rounded(length, draw)] as const;
  });
  return Object.fromEntries(arrays);
}

/** The first rows of given data, which have been checked; inputs that were left out have their defaults. */
export function firstRows(ports: readonly Port[], data: InputData, rows: number): InputData {
  const arrays = ports.map((port) => {
    const values = data[port.name];
    const length = sizeOf(port) * (port.batched ? rows : 1);
    return [port.name, rounded(length, (i) => values?.[i] ?? port.default ?? 0)] as const;
  });
  return Object.fromEntries(arrays);
}

/**
 * Parameters and states as training begins, each moved by up to a fifth of itself, and by up to 0.1 where it is 0: a bias of 0
 * or a scale of 1 would hide what is multiplied with it. Signs stay.
 */
export function pointNear(module: LoadedModule, inputs: InputData, rows: number, seed: number): Point {
  const trainer = module.createTrainer({ batch: rows, seed });
  const moved = (name: string, values: ArrayLike<number>): Float64Array => {
    const random = new Random(seed, `check point ${name}`);
    return rounded(values.length, (i) => {
      const value = values[i] ?? 0;
      const by = 2 * random.uniform() - 1;
      return value === 0 ? 0.1 * by : value * (1 + 0.2 * by);
    });
  };
  const states = module.description.states.filter(({ shape }) => shape !== undefined);
  const kept = trainer.getState();
  return {
    rows,
    inputs,
    parameters: new Map(
      Object.entries(trainer.getWeights()).map(([name, values]) => [name, moved(name, values)]),
    ),
    states: Object.fromEntries(states.map(({ name }) => [name, moved(name, kept[name] ?? [])] as const)),
  };
}

/**
 * A direction for a parameter: +m or -m for each element, m as large as the parameter's elements are. Every element counts
 * the same, so that a wrong one cannot hide behind a small weight.
 */
export function directionFor(values: Float64Array, seed: number, name: string): Float64Array {
  const random = new Random(seed, `check direction ${name}`);
  const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
  // a power of two: the product with it rounds nothing
  const m = 2 ** Math.round(Math.log2(Math.max(size, 2 ** -6)));
  return Float64Array.from(values, () => (random.uniform() < 0.5 ? -m : m));
}
