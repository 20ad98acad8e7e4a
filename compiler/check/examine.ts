/** The four proofs at one point: what each finds for each parameter. */
import { compareSlope, isKink, SLOPE_TOLERANCE, type Slope } from './slope.ts';
import { directionFor } from './point.ts';
import { roundingOf } from './noise.ts';
import type { Point, Running } from './running.ts';
import type { ElementwiseProof, Proof, ProofName } from './types.ts';

interface ProofKind {
  /** Before the number that it expects. */
  readonly says: string;
  readonly tolerance: number;
}

/** What each proof compares the emitted gradient with, and how much they may differ, relative to the gradient. */
export const proofs: Readonly<Record<ProofName, ProofKind>> = {
  differences: {
    says: 'by differences it is',
    tolerance: SLOPE_TOLERANCE,
  },
  // both are exact but for rounding, of formulas that are rewritten on one side only
  forward: {
    says: 'by forward mode it is',
    tolerance: 1e-8,
  },
  // only the order of sums differs
  scatter: { says: 'in scattered form', tolerance: 1e-9 },
  // what the house allows float32 elsewhere: 1e-4, as a power of two
  float32: { says: 'in float32', tolerance: 2 ** -13 },
};

/**
 * What cancels in the gradient of one parameter may be as large as the gradient of another: an attention's keys have biases
 * whose gradient is 0 in exact arithmetic, and some roundings of its terms in any other. These are relative to the greatest of
 * all gradients: 2^12 roundings of float64, 2^6 of float32.
 */
const CANCELLED_FLOAT64 = 2 ** -40;
const CANCELLED_FLOAT32 = 2 ** -18;

/** Roundings of float32 in those of float64. */
const COARSER = 2 ** 29;

export interface ForwardRunning {
  readonly running: Running;
  /** Parameter -> the input that holds its direction. */
  readonly directions: ReadonlyMap<string, string>;
}

/** The programs of a check, all for the same rows. */
export interface Programs {
  /** The emitted module in float64, whose gradient is checked. */
  readonly emitted: Running;
  /** Other forms of the same gradient, if they are compared. */
  readonly float32?: Running;
  readonly scatter?: Running;
  /** Forward mode of the formulas as they were written, emitted without any rewriting; of their stable form where need be. */
  readonly forward: ForwardRunning;
  /** The loss with stopped gradients held, where there are any. */
  readonly held?: { readonly running: Running; readonly inputs: ReadonlyMap<string, string> };
}

export interface Asked {
  readonly parameters: readonly string[];
  readonly point: Point;
  readonly seed: number;
  readonly directions: number;
}

export interface Found {
  readonly loss: number;
  readonly written: number;
  /** Parameter -> what each proof says. */
  readonly proofs: ReadonlyMap<string, Readonly<Record<ProofName, Proof>>>;
  readonly gradients: Gradients;
  /** Those that were compared element by element. */
  readonly others: Readonly<Partial<Record<ElementwiseProof, Gradients>>>;
}

/** Parameter -> its gradient. */
export type Gradients = ReadonlyMap<string, Float64Array>;

/** Puts every program at the point. */
export function moveAll({ emitted, float32, scatter, forward, held }: Programs, point: Point): void {
  for (const running of [emitted, float32, scatter, forward.running]) running?.moveTo(point);
  if (held === undefined) return;
  held.running.moveTo(point);
  for (const [name, input] of held.inputs) held.running.input(input)?.set(point.parameters.get(name) ?? []);
}

export function examine(programs: Programs, asked: Asked): Found {
  const { parameters, point } = asked;
  moveAll(programs, point);
  const loss = programs.emitted.loss();
  const gradients = gradientsOf(programs.emitted, parameters);
  const others = {
    ...(programs.scatter && { scatter: gradientsOf(programs.scatter, parameters) }),
    ...(programs.float32 && { float32: gradientsOf(programs.float32, parameters) }),
  };
  const written = programs.forward.running.loss();
  // of all parameters, also where only some are asked for
  const all = gradientsOf(programs.emitted, [...point.parameters.keys()]);
  const most = Math.max(...[...all.values()].map(greatest));
  const lines = new Lines(programs, asked);
  const found = new Map(
    parameters.map((name) => {
      const gradient = gradients.get(name) ?? new Float64Array();
      const { hidden, ...along } = lines.compare(name, gradient, most);
      return [
        name,
        {
          ...along,
          scatter: elementwise('scatter', name, Math.max(most * CANCELLED_FLOAT64, hidden)),
          float32: elementwise('float32', name, Math.max(most * CANCELLED_FLOAT32, hidden * COARSER)),
        },
      ] as const;
    }),
  );
  return { loss, written, proofs: found, gradients, others };

  function elementwise(proof: ElementwiseProof, name: string, floor: number): Proof {
    const other = others[proof];
    if (other === undefined) return { kind: 'left out' };
    const gradient = gradients.get(name) ?? new Float64Array();
    return compareElements(gradient, other.get(name) ?? [], proofs[proof].tolerance, floor);
  }
}

/** Of one forward and one backward pass, in float64 and copied. */
export function gradientsOf(running: Running, parameters: readonly string[]): Map<string, Float64Array> {
  running.forward();
  running.backward();
  return new Map(parameters.map((name) => [name, Float64Array.from(running.gradient(name) ?? [])]));
}

const greatest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** How far the worst element is off, relative to the greatest. */
export function differenceOf(gradient: Float64Array, other: ArrayLike<number>): number {
  const proof = compareElements(gradient, other, 0, 0);
  return proof.kind === 'compared' ? proof.difference : NaN;
}

function compareElements(
  gradient: Float64Array,
  other: ArrayLike<number>,
  tolerance: number,
  floor: number,
): Proof {
  const scale = greatest(gradient);
  let off = gradient.length === other.length ? 0 : NaN;
  for (const [i, value] of gradient.entries()) {
    const difference = Math.abs(value - (other[i] ?? NaN));
    if (!(difference <= off)) off = difference;
  }
  const ok = off <= tolerance * scale + floor;
  return {
    kind: 'compared',
    difference: relative(off, Math.max(scale, greatest(other))),
    ok,
    ...(ok && off > tolerance * scale ? { vanishes: true } : {}),
  };
}

const relative = (difference: number, scale: number): number => (difference === 0 ? 0 : difference / scale);

/** Halves the digits between truncation, h², and rounding, 2^-52 / h. */
const ROUGH_STEP = 2 ** -17;

/** So small a step that a loss is as good as straight over it. */
const NOISE_SPACING = 2 ** -34;

/** The loss along lines through the point at which the programs stand. */
export class Lines {
  private readonly programs: Programs;
  private readonly asked: Asked;
  private readonly moving: Running;
  private readonly noise: number;

  constructor(programs: Programs, asked: Asked) {
    this.programs = programs;
    this.asked = asked;
    this.moving = programs.held?.running ?? programs.emitted;
    this.noise = this.measureNoise();
  }

  /** The rounding of the loss, with all parameters moved at once: with one alone less of it would be seen. */
  private measureNoise(): number {
    const { parameters, point, seed } = this.asked;
    const moves = parameters.map((name) => {
      const values = point.parameters.get(name) ?? new Float64Array();
      return { values, place: this.moving.parameter(name), direction: directionFor(values, seed, name) };
    });
    const valueAt = (t: number): number => {
      for (const { values, place, direction } of moves)
        if (place) for (const [i, value] of values.entries()) place[i] = value + t * (direction[i] ?? 0);
      return this.moving.loss();
    };
    const noise = roundingOf(valueAt, NOISE_SPACING);
    for (const { values, place } of moves) place?.set(values);
    return noise;
  }

  /** Differences and forward mode along each direction. */
  compare(
    name: string,
    gradient: Float64Array,
    most: number,
  ): { differences: Proof; forward: Proof; hidden: number } {
    const { point, seed, directions } = this.asked;
    const values = point.parameters.get(name) ?? new Float64Array();
    const slopes: Slope[] = [];
    let forwardOff = 0;
    let forwardVanishes = false;
    /** Of an element, where rounding hides all slopes. */
    let hidden = Infinity;
    let forwardOk = true;
    let scale = 0;
    for (let k = 0; k < directions; k++) {
      const direction = directionFor(values, seed, `${name} ${k}`);
      const size = Math.abs(direction[0] ?? 1);
      const products = gradient.map((value, i) => value * (direction[i] ?? 0));
      const expected = products.reduce((sum, value) => sum + value, 0);
      scale = Math.sqrt(products.reduce((sum, value) => sum + value * value, 0));
      const slope = this.slope(name, direction, expected, scale);
      slopes.push(slope);
      const unseen = slope.kind === 'vanishes' ? slope.resolution : 0;
      hidden = Math.min(hidden, unseen / size);
      const forward = this.forwardAlong(name, direction);
      const off = Math.abs(forward - expected);
      const floor = most * size * Math.sqrt(gradient.length) * CANCELLED_FLOAT64;
      if (!(off <= proofs.forward.tolerance * scale + Math.max(floor, unseen))) forwardOk = false;
      else if (off > proofs.forward.tolerance * scale) forwardVanishes = true;
      forwardOff = Math.max(forwardOff, relative(off, Math.max(scale, Math.abs(forward))));
    }
    return {
      differences: joined(slopes),
      forward: {
        kind: 'compared',
        difference: forwardOff,
        ok: forwardOk,
        ...(forwardOk && forwardVanishes ? { vanishes: true } : {}),
      },
      hidden: Number.isFinite(hidden) ? hidden : 0,
    };
  }

  /** The derivative along a direction by central differences. */
  slope(name: string, direction: Float64Array, expected: number, scale: number): Slope {
    const valueAt = this.along(name, direction);
    const { noise } = this;
    const slope = compareSlope({ valueAt, expected, scale, noise });
    return slope.kind === 'differs' && isKink(valueAt, { scale, noise }) ? { kind: 'undecided' } : slope;
  }

  /** The same by one small step alone: for a search, which needs no proof. */
  roughSlope(name: string, direction: Float64Array): number {
    const valueAt = this.along(name, direction);
    return (valueAt(ROUGH_STEP) - valueAt(-ROUGH_STEP)) / (2 * ROUGH_STEP);
  }

  forwardAlong(name: string, direction: Float64Array): number {
    const { running, directions } = this.programs.forward;
    const input = running.input(directions.get(name) ?? '');
    if (input === undefined) return 0;
    input.set(direction);
    const slope = running.forward()[1] ?? 0;
    input.fill(0);
    return slope;
  }

  private along(name: string, direction: Float64Array): (t: number) => number {
    const values = this.asked.point.parameters.get(name) ?? new Float64Array();
    const place = this.moving.parameter(name);
    return (t) => {
      if (place === undefined) return NaN;
      for (const [i, value] of values.entries()) place[i] = value + t * (direction[i] ?? 0);
      const loss = this.moving.loss();
      place.set(values);
      return loss;
    };
  }
}

/** One wrong direction is a wrong gradient; else all must be decided. */
function joined(slopes: readonly Slope[]): Proof {
  const wrong = slopes.flatMap((slope) => (slope.kind === 'differs' ? slope.difference : []));
  if (wrong.length > 0) return { kind: 'compared', difference: Math.max(...wrong), ok: false };
  if (slopes.some(({ kind }) => kind === 'undecided')) return { kind: 'undecided' };
  const right = slopes.flatMap((slope) => (slope.kind === 'agrees' ? slope.difference : []));
  const vanishes = right.length < slopes.length;
  return {
    kind: 'compared',
    difference: Math.max(0, ...right),
    ok: true,
    ...(vanishes ? { vanishes: true } : {}),
  };
}
