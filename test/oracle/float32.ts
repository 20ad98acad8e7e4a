/**
 * The cases in float32, held to 1e-4, and what no rounding can hold there. Adam divides a gradient by its own size. Where the
 * gradient is 0 in exact arithmetic (a bias of attention's keys, a sum whose terms cancel), float32 leaves the rounding of its
 * terms, and Adam makes a step of up to the rate of it. Such elements are excused, each step anew and within the rate; they are
 * named and counted. Everything else is compared as it is in float64.
 */
import type { Trainer } from '../../runtime/index.ts';
import type { OracleCase } from './cases.ts';

type Arrays = Record<string, ArrayLike<number>>;
type CaseTrainer = Trainer<Arrays, Arrays>;

/**
 * A gradient is rounding up to this share of the greatest of its tensor, 8 * 2^-24. Where it is 0 in exact arithmetic, the cases
 * show up to 2.4 * 2^-24 in float32 and 1e-15 in float64; the least true gradient of the cases concerned is 2200 * 2^-24.
 */
export const ROUNDING = 2 ** -21;

/** No more than this share of all weights of a case may be excused. */
const EXCUSED_SHARE = 0.02;

export const inFloat32 = (of: OracleCase): OracleCase => ({
  ...of,
  dtype: 'float32',
  tolerance: { rtol: Math.max(of.tolerance.rtol, 1e-4), atol: Math.max(of.tolerance.atol, 1e-4) },
  ...(of.dtype === 'float32' ? {} : { exact: of }),
});

/** Whether the optimizer's step has the size of the rate, however small the gradient. */
export function isNormalised({ hyper }: OracleCase): boolean {
  const optimizer = hyper?.['optimizer'] as { kind: string; weight_decay?: number } | undefined;
  // Adam's own weight decay is part of the gradient that it divides, and no rounding.
  return optimizer?.kind === 'adamw' || (optimizer?.kind === 'adam' && (optimizer.weight_decay ?? 0) === 0);
}

/** A training in float32, and the same in float64 beside it, whose gradients say what is rounding. */
export class BesideFloat64 {
  /** The weights that are excused at some step. */
  readonly excused = new Set<string>();
  readonly exact: CaseTrainer;
  /** By parameter: 1 where no step so far had a gradient. */
  private readonly onlyRounding = new Map<string, Uint8Array>();
  private readonly of: OracleCase;
  private readonly trainer: CaseTrainer;

  constructor(of: OracleCase, trainer: CaseTrainer, exact: CaseTrainer) {
    this.of = of;
    this.trainer = trainer;
    this.exact = exact;
  }

  /**
   * One step of both. Weights that had nothing but rounding for a gradient so far, and are off by no more than the rate, are set
   * to those of float64, so that what they were moved by does not travel to others. The gradients of the trainer are from these
   * inputs when this is called.
   */
  train(inputs: Arrays, rate: number): void {
    this.exact.gradientsOnBatch(inputs);
    const wanted = this.exact.getGradients();
    const got = this.trainer.getGradients();
    this.exact.trainOnBatch(inputs);
    this.trainer.trainOnBatch(inputs);
    const exact = this.exact.getWeights();
    const weights = this.trainer.getWeights();
    for (const [name, gradient] of Object.entries(wanted)) {
      const rounding = this.roundingOf(name, gradient, got[name]!);
      const [values, target] = [weights[name]!, exact[name]!];
      for (let i = 0; i < values.length; i++) {
        if (rounding[i] === 0) continue;
        const off = Math.abs(values[i]! - target[i]!);
        const allowed = this.of.tolerance.atol + this.of.tolerance.rtol * Math.abs(target[i]!);
        if (!(off > allowed && off <= allowed + rate)) continue;
        this.excused.add(`${name}[${i}]`);
        values[i] = target[i]!;
      }
    }
    this.trainer.setWeights(weights);
  }

  /** What is wrong with how many are excused. */
  problem(): string | undefined {
    const all = Object.values(this.exact.getWeights()).reduce((sum, { length }) => sum + length, 0);
    if (this.excused.size <= EXCUSED_SHARE * all) return undefined;
    return `${this.excused.size} of ${all} weights have no gradient beyond rounding`;
  }

  private roundingOf(name: string, wanted: ArrayLike<number>, got: ArrayLike<number>): Uint8Array {
    const rounding = this.onlyRounding.get(name) ?? new Uint8Array(wanted.length).fill(1);
    const isRounding = roundingIn(wanted, got);
    for (let i = 0; i < rounding.length; i++) rounding[i]! &= Number(isRounding[i]);
    this.onlyRounding.set(name, rounding);
    return rounding;
  }
}

/** Element by element of a tensor's gradient: in float64 and in float32 no more than the rounding of the greatest. */
export function roundingIn(float64: ArrayLike<number>, float32: ArrayLike<number>): boolean[] {
  const values = Array.from(float64, Math.abs);
  const most = ROUNDING * values.reduce((greatest, value) => Math.max(greatest, value), 0);
  return values.map((value, i) => value <= most && Math.abs(float32[i] ?? NaN) <= most);
}
