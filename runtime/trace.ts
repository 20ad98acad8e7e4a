/** What a module compiled with `--trace` calls: it hands named tensors to a listener as they are computed. */
import type { RealArray } from './types.ts';

/** What a tensor is: of the forward pass, of the backward pass, the gradient of a parameter, or a parameter after a step. */
export type TraceKind = 'value' | 'cotangent' | 'gradient' | 'parameter';

export type TracePhase = 'forward' | 'backward' | 'update' | 'evaluate' | 'predict';

export interface TraceEvent<Name extends string = string> {
  /** As the model calls it; the cotangent of `h` is `dh`, the gradient of `W` is `dW`. */
  readonly name: Name;
  readonly kind: TraceKind;
  readonly phase: TracePhase;
  /** With the rows of this batch. */
  readonly shape: readonly number[];
  /** The values, row after row: a view that is only valid during the call. Copy what is to be kept. */
  readonly data: RealArray;
  /** Steps of the optimizer, counted from 1. */
  readonly step: number;
  /** `model.dsl:12:3`; of a parameter that of the optimizer. */
  readonly place: string;
  /** The statement: `h[n, j] = relu(...)`; of a parameter that of the optimizer. */
  readonly formula: string;
}

/** Read at the beginning of every pass, so that it may be changed between two. */
export interface TraceOptions<Name extends string = string> {
  /** Called with each tensor right after it has been computed, before anything is written over it. */
  onTrace?: (event: TraceEvent<Name>) => void;
  /** Only these; all if it is left out. */
  traceNames?: readonly Name[];
}

/** A tensor that can be followed. `n` stands for the rows of the batch. */
export interface TracedTensor<Name extends string = string> {
  /** As the model calls it: what differs in training and inference are two tensors of one name. */
  readonly name: Name;
  readonly kind: TraceKind;
  readonly axes: readonly (number | 'n')[];
  readonly place: string;
  readonly formula: string;
}

export interface TracedProgram<Name extends string> {
  readonly traced: Readonly<Record<string, TracedTensor<Name>>>;
  readonly tensors: Readonly<Record<string, RealArray>>;
}

export class Tracer<Name extends string> {
  private readonly program: TracedProgram<Name>;
  private readonly options: TraceOptions<Name>;
  private phase: TracePhase = 'forward';
  private step = 0;
  private rows = 0;
  private wanted: ReadonlySet<string> | undefined;

  constructor(program: TracedProgram<Name>, options: TraceOptions<Name>) {
    this.program = program;
    this.options = options;
  }

  /** @param step the steps of the optimizer taken before; of `backward` that of the forward pass */
  begin(phase: TracePhase, rows = this.rows, step = this.step - 1): void {
    this.phase = phase;
    this.rows = rows;
    this.step = step + 1;
    const { traceNames } = this.options;
    if (traceNames !== undefined) {
      const known = new Set<string>(Object.values(this.program.traced).map(({ name }) => name));
      for (const name of traceNames)
        if (!known.has(name))
          throw new RangeError(`nothing is called '${name}'; what can be traced is ${[...known].join(', ')}`);
    }
    this.wanted = traceNames && new Set(traceNames);
  }

  /** Hands on these tensors, by what they are called in the module, if they are wanted. */
  emit(...tensors: readonly string[]): void {
    const { onTrace } = this.options;
    if (onTrace === undefined) return;
    for (const tensor of tensors) {
      const { name, kind, axes, place, formula } = this.program.traced[tensor]!;
      if (this.wanted?.has(name) === false) continue;
      const shape = axes.map((extent) => (extent === 'n' ? this.rows : extent));
      const size = shape.reduce((product, extent) => product * extent, 1);
      const data = this.program.tensors[tensor]!.subarray(0, size);
      onTrace({ name, kind, phase: this.phase, shape, data, step: this.step, place, formula });
    }
  }
}

/** An event in a few numbers, as plain data. */
export interface TraceSummary {
  readonly name: string;
  readonly kind: TraceKind;
  readonly phase: TracePhase;
  readonly step: number;
  readonly shape: readonly number[];
  readonly mean: number;
  /** Of all elements, divided by their number. */
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
  /** The share of elements that are 0: of a relu, how much of it is off. */
  readonly zeros: number;
  /** √Σ x² */
  readonly norm: number;
  /** How many are NaN or infinite; they do not count in the other numbers. */
  readonly nonFinite: number;
}

/** Of an event while it is handed over. Of no finite element at all, mean, min and max are NaN. */
export function summarizeTrace({ name, kind, phase, step, shape, data }: TraceEvent): TraceSummary {
  let [count, sum, min, max, zeros, squares] = [0, 0, Infinity, -Infinity, 0, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    count++;
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
    if (value === 0) zeros++;
  }
  const mean = sum / count;
  let variance = 0;
  for (const value of data) if (Number.isFinite(value)) variance += (value - mean) ** 2;
  return {
    name,
    kind,
    phase,
    step,
    shape,
    mean,
    deviation: Math.sqrt(variance / count),
    min: count === 0 ? NaN : min,
    max: count === 0 ? NaN : max,
    zeros: zeros / data.length,
    norm: Math.sqrt(squares),
    nonFinite: data.length - count,
  };
}
