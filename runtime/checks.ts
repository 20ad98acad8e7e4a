/**
 * What a module compiled with `--checks` calls after each statement: the first value that is not a number, infinite or too
 * large stops the pass, and is explained by the statement that made it.
 */
import { CheckError, DEFAULT_LIMIT, type CheckOptions, type CheckPhase } from './check-error.ts';
import type { ModelDescription, RealArray } from './types.ts';

/** Reads an element of a tensor, by its name and indices. */
export interface ElementReader {
  (tensor: string, ...place: number[]): number;
  /** `value` where the place is outside of the tensor. */
  orElse(value: number, tensor: string, ...place: number[]): number;
  /** How many rows the batch has. */
  readonly rows: number;
}

/** A statement of the program, so that one of its values can be computed again. `n`: the rows of the batch. */
export interface CheckedStatement {
  readonly formula: string;
  readonly place: string;
  /** The sizes of the tensor, and the names of its indices. */
  readonly axes: readonly (number | 'n')[];
  readonly indices: readonly string[];
  /** Of a recurrence: the axis of its steps, and whether they run backwards. */
  readonly steps?: { readonly axis: number; readonly reversed: boolean };
  /** Infinite or huge values of this sign come from constants of the formulas, so they are meant. */
  readonly allows?: readonly ('inf' | '-inf')[];
  /** How terms join, and how far the indices run that are summed over. */
  readonly combine?: 'sum' | 'product' | 'max' | 'min' | 'logsumexp' | 'argmax' | 'argmin';
  readonly over?: readonly (number | 'n')[];
  /** One term, at the indices of the tensor and then those of the sum. */
  readonly term: (at: ElementReader, ...index: number[]) => number;
  /** What is done to the joined terms. */
  readonly finish?: (at: ElementReader, joined: number, ...index: number[]) => number;
  /** Of a scatter, whose indices are all in `over`: where a term is added. */
  readonly write?: (at: ElementReader, ...index: number[]) => readonly number[];
}

/** The optimizer's statements for some parameters, by what they make: `p`, or a state as `m`. */
export interface CheckedUpdate {
  readonly parameters: readonly string[];
  readonly statements: Readonly<Record<string, CheckedUpdateStatement>>;
}

export interface CheckedUpdateStatement {
  readonly formula: string;
  readonly place: string;
  /** `g`, `p`, states as `m` and their next values as `m'`: also what it reads by way of other statements. */
  readonly reads: readonly string[];
}

type CheckedArray = RealArray | Int32Array;

/** What there is to be checked of a program. */
export interface CheckedProgram {
  /** In the order in which they run. */
  readonly statements: Readonly<Record<string, CheckedStatement>>;
  /** As they were before some were put into others: what is read there and not stored is computed again by its own. */
  readonly before: Readonly<Record<string, CheckedStatement>>;
  readonly tensors: Readonly<Record<string, CheckedArray>>;
  /** The sizes of what is no statement's: inputs, parameters, states. */
  readonly shapes: Readonly<Record<string, readonly (number | 'n')[]>>;
}

/** What an update changes. */
export interface CheckedMemory {
  readonly description: Pick<ModelDescription, 'parameters' | 'states'>;
  readonly parameters: RealArray;
  readonly gradients: RealArray;
  readonly state: RealArray;
  readonly scalars: Float64Array;
  readonly updates: readonly CheckedUpdate[];
}

/** An element that was read while a value was computed again. */
interface ElementRead {
  readonly tensor: string;
  readonly place: readonly number[];
  readonly value: number;
}

interface Explained {
  readonly value: number;
  /** What the terms have joined to, where something is done to it then. */
  readonly joined?: number;
  readonly reads: readonly ElementRead[];
}

/** A value that is there no more, or takes too long to be computed again. */
class NotToBeHad extends Error {}

/** Computed in about a second. */
const MOST_TERMS = 2e6;

export class Checks {
  private readonly program: CheckedProgram;
  private readonly options: CheckOptions;
  private readonly memory: CheckedMemory | undefined;
  private readonly saved: readonly CheckedArray[];
  private phase: CheckPhase = 'forward';
  private step = 0;
  private rows = 0;
  private limit = DEFAULT_LIMIT;
  /** While the cause of a wrong value is looked for: the tensor where it showed. */
  private reported: string | undefined;
  /** How many terms may be computed until the search is given up. */
  private left = 0;

  constructor(program: CheckedProgram, options: CheckOptions, memory?: CheckedMemory) {
    this.program = program;
    this.options = options;
    this.memory = memory;
    this.saved = memory === undefined ? [] : kept(memory).map((array) => array.slice());
  }

  /** @param step the steps of the optimizer taken before; of `backward` that of the forward pass */
  begin(phase: CheckPhase, rows: number, step = this.step - 1): void {
    this.phase = phase;
    this.rows = rows;
    this.step = step + 1;
    const { limit = DEFAULT_LIMIT } = this.options;
    if (!(limit > 0)) throw new RangeError(`the limit of checks must be a number above 0, found ${limit}`);
    // what is infinite is beyond every limit
    this.limit = Math.min(limit, Number.MAX_VALUE);
  }

  /** Looks at all values of these tensors; of a recurrence the first step that is wrong is reported. @throws CheckError */
  check(...names: readonly string[]): void {
    let worst: { readonly name: string; readonly at: number; readonly step: number } | undefined;
    for (const name of names) {
      const { steps, axes } = this.statementOf(name);
      const found = this.firstIn(name, steps === undefined ? undefined : this.stepAt(axes, steps));
      if (found === undefined) continue;
      if (steps === undefined) this.report(name, found.at);
      if (worst === undefined || found.step < worst.step) worst = { name, ...found };
    }
    if (worst !== undefined) this.report(worst.name, worst.at);
  }

  /** Keeps what an update is about to change. */
  beginUpdate(step: number): void {
    this.begin('update', this.rows, step);
    if (this.memory !== undefined) kept(this.memory).forEach((array, k) => this.saved[k]!.set(array));
  }

  /** Looks at what an update has changed; what is wrong is undone. @throws CheckError */
  endUpdate(): void {
    const { memory, limit } = this;
    if (memory === undefined) return;
    const { description, parameters, state, scalars } = memory;
    const inState = firstOutside(state, 0, state.length, -Number.MAX_VALUE, Number.MAX_VALUE);
    // a number that begins infinite (the best of a plateau) may stay so
    const inScalars = firstOutside(scalars, 0, scalars.length, -Infinity, Infinity);
    const own = description.states.find(({ offset, size, scalar }) => {
      const at = scalar ? inScalars : inState;
      return at >= offset && at < offset + size;
    });
    if (own !== undefined) {
      const at = own.scalar ? inScalars : inState;
      const value = (own.scalar ? scalars : state)[at]!;
      this.reportUpdate(own.name, own.parameter ?? own.name, at - own.offset, value);
    }
    const at = firstOutside(parameters, 0, parameters.length, -limit, limit);
    const owner = description.parameters.find(({ offset, size }) => at >= offset && at < offset + size);
    if (owner !== undefined) this.reportUpdate(owner.name, owner.name, at - owner.offset, parameters[at]!);
  }

  // ---------------------------------------------------------------------------------------------------- finding

  private statementOf(name: string): CheckedStatement {
    const statement = this.program.statements[name] ?? this.program.before[name];
    if (statement === undefined) throw new Error(`no statement makes ${name}`);
    return statement;
  }

  private sizesOf(axes: readonly (number | 'n')[]): number[] {
    return axes.map((extent) => (extent === 'n' ? this.rows : extent));
  }

  private firstIn(
    name: string,
    stepAt: ((at: number) => number) | undefined,
  ): { readonly at: number; readonly step: number } | undefined {
    const { axes, allows = [] } = this.statementOf(name);
    const array = this.program.tensors[name]!;
    const length = this.sizesOf(axes).reduce((product, extent) => product * extent, 1);
    const greatest = allows.includes('inf') ? Infinity : this.limit;
    const least = allows.includes('-inf') ? -Infinity : -this.limit;
    let first: { at: number; step: number } | undefined;
    for (let from = 0; ;) {
      const at = firstOutside(array, from, length, least, greatest);
      if (at < 0) return first;
      if (stepAt === undefined) return { at, step: 0 };
      const step = stepAt(at);
      if (first === undefined || step < first.step) first = { at, step };
      from = at + 1;
    }
  }

  /** In which step of a recurrence an element is computed, counted in the order of the steps. */
  private stepAt(
    axes: readonly (number | 'n')[],
    { axis, reversed }: { readonly axis: number; readonly reversed: boolean },
  ): (at: number) => number {
    const sizes = this.sizesOf(axes);
    const stride = sizes.slice(axis + 1).reduce((product, extent) => product * extent, 1);
    const extent = sizes[axis]!;
    return (at) => {
      const step = Math.floor(at / stride) % extent;
      return reversed ? extent - 1 - step : step;
    };
  }

  // -------------------------------------------------------------------------------------------------- explaining

  /** Reports an element, or the operand that is not stored and made it so. */
  private report(name: string, at: number): never {
    let tensor = name;
    let place = placeAt(at, this.sizesOf(this.statementOf(name).axes));
    let value: number = this.program.tensors[name]![at]!;
    this.reported = name;
    for (;;) {
      const deeper = this.causeOf(tensor, place);
      if (deeper === undefined) break;
      ({ tensor, place, value } = { tensor: deeper.tensor, place: [...deeper.place], value: deeper.value });
    }
    this.reported = undefined;
    const explained = this.explain(this.statementOf(tensor), place);
    const { formula, place: source, indices, combine = '' } = this.statementOf(tensor);
    const { joined, reads } = explained;
    throw new CheckError(
      {
        tensor,
        statement: formula,
        index: Object.fromEntries(indices.map((index, axis) => [index, place[axis]!])),
        value,
        operands: [
          ...(joined === undefined ? [] : [{ name: combine, value: joined }]),
          ...reads.map((read) => ({ name: elementName(read.tensor, read.place), value: read.value })),
        ],
        place: source,
        step: this.step,
        phase: this.phase,
      },
      this.limit,
    );
  }

  /** An operand of the element that is not stored and wrong itself. */
  private causeOf(tensor: string, place: readonly number[]): ElementRead | undefined {
    const { statements, before, tensors } = this.program;
    for (const statement of [statements[tensor], before[tensor]]) {
      if (statement === undefined) continue;
      try {
        this.left = MOST_TERMS;
        const { reads } = this.explain(statement, place);
        const found = reads.find((read) => !Object.hasOwn(tensors, read.tensor) && this.isWrong(read));
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof NotToBeHad)) throw error;
      }
    }
    return undefined;
  }

  private isWrong({ tensor, value }: ElementRead): boolean {
    const { allows = [] } = this.program.statements[tensor] ?? this.program.before[tensor] ?? {};
    if (Math.abs(value) <= this.limit) return false;
    return Number.isNaN(value) || !allows.includes(value > 0 ? 'inf' : '-inf');
  }

  /** Computes an element again. The reads are those of the term that counts: the first NaN, or else the largest. */
  private explain(
    { combine, over = [], term, finish, write }: CheckedStatement,
    place: readonly number[],
  ): Explained {
    const reads: ElementRead[] = [];
    const at = this.reader(reads);
    const join = joins[combine ?? 'assign']();
    let chosen: readonly ElementRead[] = [];
    let chosenSize = -1;
    const index = [...(write === undefined ? place : []), ...over.map(() => 0)];
    const from = index.length - over.length;
    const sizes = this.sizesOf(over);
    let isOver = sizes.includes(0);
    while (!isOver) {
      if (this.left-- <= 0 && this.reported !== undefined) throw new NotToBeHad();
      reads.length = 0;
      const isHere = write?.(at, ...index).every((target, axis) => target === place[axis]) ?? true;
      if (isHere) {
        const value = term(at, ...index);
        join.add(value);
        const size = Number.isNaN(value) ? Infinity : Math.min(Math.abs(value), Number.MAX_VALUE);
        if (size > chosenSize) [chosen, chosenSize] = [distinct(reads), size];
      }
      isOver = !advance(index, from, sizes);
    }
    if (finish === undefined) return { value: join.value(), reads: chosen };
    reads.length = 0;
    const joined = join.value();
    const value = finish(at, joined, ...place);
    return { value, joined, reads: distinct([...chosen, ...reads]) };
  }

  private reader(reads: ElementRead[]): ElementReader {
    const read = (tensor: string, place: readonly number[], outside: number): number => {
      const value = this.element(tensor, place, outside);
      reads.push({ tensor, place: [...place], value });
      return value;
    };
    return Object.assign((tensor: string, ...place: number[]) => read(tensor, place, NaN), {
      orElse: (value: number, tensor: string, ...place: number[]) => read(tensor, place, value),
      rows: this.rows,
    });
  }

  private element(tensor: string, place: readonly number[], outside: number): number {
    const { shapes, statements, tensors } = this.program;
    const axes = shapes[tensor] ?? statements[tensor]?.axes ?? [];
    let at = 0;
    for (const [axis, extent] of this.sizesOf(axes).entries()) {
      const index = place[axis]!;
      if (!(index >= 0 && index < extent && Number.isInteger(index))) return outside;
      at = at * extent + index;
    }
    const stored = tensors[tensor];
    if (stored === undefined) return this.explain(this.statementOf(tensor), place).value;
    if (this.isWrittenOver(tensor, stored)) throw new NotToBeHad();
    return stored[at]!;
  }

  /** True for a tensor whose memory another has been given, no later than what is reported. */
  private isWrittenOver(name: string, { buffer, byteOffset, byteLength }: CheckedArray): boolean {
    if (this.reported === undefined) return false;
    const order = Object.keys(this.program.statements);
    const later = order.slice(order.indexOf(name) + 1, order.indexOf(this.reported) + 1);
    return later.some((each) => {
      const other = this.program.tensors[each];
      return (
        other !== undefined &&
        other.buffer === buffer &&
        other.byteOffset < byteOffset + byteLength &&
        byteOffset < other.byteOffset + other.byteLength
      );
    });
  }

  // ------------------------------------------------------------------------------------------------------ updates

  /** Of a parameter, or of what the optimizer keeps beside it. */
  private reportUpdate(name: string, parameter: string, at: number, value: number): never {
    const { description, parameters, gradients, state, scalars, updates } = this.memory!;
    const owner = description.parameters.find((each) => each.name === parameter);
    const own = description.states.find((each) => each.name === name);
    const shape = owner?.shape ?? own?.shape ?? [];
    const place = placeAt(at, shape);
    const [maker, made] = own === undefined ? [name, 'p'] : splitAtDot(name);
    const update = updates.find((each) => each.parameters.includes(maker))?.statements[made];
    const [oldParameters = parameters, oldState = state, oldScalars = scalars] = this.saved;
    const operands = (update?.reads ?? []).flatMap((read) => {
      if (owner === undefined) return [];
      if (read === 'g')
        return [{ name: `d${elementName(parameter, place)}`, value: gradients[owner.offset + at]! }];
      if (read === 'p')
        return [{ name: elementName(parameter, place), value: oldParameters[owner.offset + at]! }];
      const isNext = read.endsWith("'");
      const kept = `${parameter}.${isNext ? read.slice(0, -1) : read}`;
      const beside = description.states.find((each) => each.name === kept && !each.scalar);
      if (beside === undefined) return [];
      const value = (isNext ? state : oldState)[beside.offset + at]!;
      return [{ name: elementName(`${parameter}.${read}`, place), value }];
    });
    if (own?.scalar === true) operands.push({ name, value: oldScalars[own.offset]! });
    // only now is it undone: the message shows what the step has made, too
    kept(this.memory!).forEach((array, k) => array.set(this.saved[k]!));
    throw new CheckError(
      {
        tensor: name,
        statement: update?.formula ?? `${name}' = the next value of ${name}`,
        index: Object.fromEntries(place.map((index, axis) => ['ijkl'[axis] ?? `i${axis}`, index])),
        value,
        operands,
        place: update?.place ?? 'the update',
        step: this.step,
        phase: 'update',
      },
      this.limit,
    );
  }
}

type Scan = (array: CheckedArray, from: number, to: number, least: number, greatest: number) => number;

/** Each of the functions that it gives sees one kind of array, for which engines make faster code. */
const scanning = (): Scan => (array, from, to, least, greatest) => {
  for (let at = from; at < to; at++) {
    const value = array[at]!;
    if (!(value <= greatest && value >= least)) return at;
  }
  return -1;
};

const scanSingles = scanning();
const scanOthers = scanning();

/** The place of the first value that is NaN or outside of these bounds; -1 where there is none. */
const firstOutside: Scan = (array, from, to, least, greatest) =>
  (array instanceof Float32Array ? scanSingles : scanOthers)(array, from, to, least, greatest);

const kept = ({ parameters, state, scalars }: CheckedMemory): readonly CheckedArray[] => [
  parameters,
  state,
  scalars,
];

const elementName = (tensor: string, place: readonly number[]): string =>
  place.length === 0 ? tensor : `${tensor}[${place.join(', ')}]`;

/** `W.m` is the state m beside W. */
function splitAtDot(name: string): [owner: string, state: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
}

/** The indices of an element of a flat array, row after row. */
function placeAt(at: number, sizes: readonly number[]): number[] {
  const place: number[] = [];
  let rest = at;
  for (const extent of sizes.toReversed()) {
    place.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return place;
}

/** The next of all indices, the last the fastest; false after the last. */
function advance(index: number[], from: number, sizes: readonly number[]): boolean {
  for (let k = sizes.length - 1; k >= 0; k--) {
    index[from + k]!++;
    if (index[from + k]! < sizes[k]!) return true;
    index[from + k] = 0;
  }
  return false;
}

function distinct(reads: readonly ElementRead[]): ElementRead[] {
  const seen = new Set<string>();
  return reads.filter(({ tensor, place }) => {
    const name = elementName(tensor, place);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

interface Join {
  add(value: number): void;
  value(): number;
}

const folding = (neutral: number, join: (a: number, b: number) => number) => (): Join => {
  let joined = neutral;
  return { add: (value) => void (joined = join(joined, value)), value: () => joined };
};

/** The place of the first extreme value. */
const firstExtreme = (isBetter: (value: number, best: number) => boolean) => (): Join => {
  let [best, where, count] = [NaN, -1, 0];
  return {
    add(value) {
      if (where < 0 || isBetter(value, best)) [best, where] = [value, count];
      count++;
    },
    value: () => where,
  };
};

const joins: Readonly<Record<NonNullable<CheckedStatement['combine']> | 'assign', () => Join>> = {
  assign: folding(NaN, (_, value) => value),
  sum: folding(0, (a, b) => a + b),
  product: folding(1, (a, b) => a * b),
  max: folding(-Infinity, Math.max),
  min: folding(Infinity, Math.min),
  logsumexp: folding(-Infinity, (a, b) => {
    const largest = Math.max(a, b);
    return Math.abs(largest) === Infinity ? largest : largest + Math.log1p(Math.exp(-Math.abs(a - b)));
  }),
  argmax: firstExtreme((value, best) => value > best),
  argmin: firstExtreme((value, best) => value < best),
};
