/**
 * Random well-formed programs and values for them. Every choice is a number of a tape that fast-check draws and shrinks;
 * 0 is always the simplest choice, so that a failing program shrinks to a plain one.
 */
import * as fc from 'fast-check';
import type { Source } from '../../compiler/diagnostics/source.ts';
import { ProgramBuilder, elementOf } from '../../compiler/graph/builder.ts';
import {
  accumulated,
  add,
  addIndex,
  binary,
  children,
  constant,
  constantIndex,
  divide,
  extentValue,
  extentsOf,
  fetchIndex,
  indexBounds,
  indexOf,
  indexValue,
  isInside,
  isPlainIndex,
  multiply,
  power,
  quotientIndex,
  read,
  remainderIndex,
  scaleIndex,
  select,
  unary,
} from '../../compiler/graph/expressions.ts';
import { arrange } from '../../compiler/graph/scan.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Origin,
  Program,
  Statement,
  Tensor,
} from '../../compiler/graph/types.ts';

export interface ProgramOptions {
  /** No kinks and no jumps anywhere, so that finite differences are meaningful at every point. Default false. */
  readonly smooth?: boolean;
  /** A run-time extent `n` on some axes. Default true. */
  readonly batch?: boolean;
  /** The run-time extent only on first axes, as the language wants it of inputs. Default false. */
  readonly batchFirst?: boolean;
  /** Also what only later passes make: scatters, and epilogues (`finish`). Default false. */
  readonly optimised?: boolean;
  /** Recurrences of one to three statements, forward and reversed. Default true. */
  readonly scans?: boolean;
}

/** What `n` is in tests, unless they choose otherwise. */
export const batchExtents: Readonly<Record<string, number>> = { n: 3 };

/** Programs of 2 to 6 statements and a rank-0 loss that depends smoothly on every parameter somewhere. */
export function programs(options: ProgramOptions = {}): fc.Arbitrary<Program> {
  return fc
    .array(fc.nat(0xffff), { minLength: 300, maxLength: 300 })
    .map((tape) => new Generator(tape, options).program());
}

/** Values in (-1, 1) for every input, parameter, state and scalar; whole ones from the range of integer tensors. */
export function randomTensors(
  program: Program,
  seed: number,
  extents: Readonly<Record<string, number>> = batchExtents,
): Record<string, Float64Array> {
  const random = mulberry32(seed);
  const values: Record<string, Float64Array> = {};
  for (const [name, tensor] of program.tensors) {
    if (tensor.role === 'intermediate') continue;
    const sizes = tensor.axes.map((extent) => (typeof extent === 'number' ? extent : (extents[extent] ?? 1)));
    const count = sizes.reduce((product, size) => product * size, 1);
    const { least, greatest } = tensor.range ?? { least: 0, greatest: 0 };
    values[name] = Float64Array.from({ length: count }, () =>
      tensor.element === 'integer' ? least + Math.floor(random() * (greatest - least + 1)) : 2 * random() - 1,
    );
  }
  return values;
}

/** Mulberry32 (T. Ettinger, public domain): a small generator of uniform numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const source: Source = { path: 'random.dsl', text: '' };
export const span = { source, start: 0, end: 0 };
const origin: Origin = { span, calls: [], history: [] };

type Make<T> = () => T;

class Generator {
  private readonly tape: readonly number[];
  private place = 0;
  private readonly options: Required<ProgramOptions>;
  private readonly builder = new ProgramBuilder('Random');
  private readonly reals: Tensor[] = [];
  private readonly integers: Tensor[] = [];
  private loops: readonly LoopIndex[] = [];
  private sizes: readonly number[] = [1];

  constructor(tape: readonly number[], options: ProgramOptions) {
    this.tape = tape;
    const defaults = { smooth: false, batch: true, batchFirst: false, optimised: false, scans: true };
    this.options = { ...defaults, ...options };
  }

  program(): Program {
    this.declareAll();
    const count = 2 + this.choose(5);
    for (let number = 1; number <= count; number++) {
      if (this.options.scans && this.maybe(4)) this.recurrence(`t${number}`);
      else this.statement(`t${number}`);
    }
    this.lossOverAll();
    return this.builder.build();
  }

  // --------------------------------------------------------------------------------------------------------- choices

  /** A number below `count`; 0 when the tape is used up. */
  private choose(count: number): number {
    return (this.tape[this.place++] ?? 0) % count;
  }

  private pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.choose(items.length)] ?? items[0];
  }

  private maybe(chances: number): boolean {
    return this.choose(chances) === chances - 1;
  }

  /** Mostly one of the program's few sizes, so that indices fit axes often; `n` at most once among `others`. */
  private extent(others: readonly Extent[] = []): Extent {
    if (this.options.batch && !others.includes('n') && this.maybe(3)) return 'n';
    return this.maybe(8) ? 1 + this.choose(4) : (this.sizes[this.choose(this.sizes.length)] ?? 1);
  }

  /** `rank` extents, at most one of them `n`. */
  private extents(rank: number): Extent[] {
    const extents: Extent[] = [];
    while (extents.length < rank) extents.push(this.extent(extents));
    if (!this.options.batchFirst) return extents;
    return extents.toSorted((left, right) => Number(right === 'n') - Number(left === 'n'));
  }

  // ------------------------------------------------------------------------------------------------------ declarations

  private declareAll(): void {
    this.sizes = [1 + this.choose(4), 1 + this.choose(4)];
    for (let number = 0; number <= this.choose(2); number++) this.declare('input', `x${number}`);
    for (let number = 0; number <= this.choose(3); number++) this.declare('parameter', `w${number}`);
    if (this.maybe(2)) this.declareInteger('k0');
  }

  private declare(role: 'input' | 'parameter', name: string): void {
    const axes = this.extents(this.choose(4)).map((extent) =>
      role === 'parameter' && extent === 'n' ? 1 + this.choose(4) : extent,
    );
    if (name === 'x0' && this.options.batch && !axes.includes('n')) axes[0] = 'n'; // something must tell how far n runs
    const axisNames = axes.map(() => '');
    const initializer = { kind: 'uniform', low: -1, high: 1 } as const;
    const more = role === 'parameter' ? { initializer } : {};
    this.remember({ name, role, axes, axisNames, element: 'real', span, ...more });
  }

  private declareInteger(name: string): void {
    const axes = this.extents(this.choose(3));
    const range = { least: 0, greatest: this.choose(3) };
    this.remember({
      name,
      role: 'input',
      axes,
      axisNames: axes.map(() => ''),
      element: 'integer',
      range,
      span,
    });
  }

  private remember(tensor: Tensor): void {
    if (this.builder.tensor(tensor.name) === undefined) this.builder.declare(tensor);
    (tensor.element === 'integer' ? this.integers : this.reals).push(tensor);
  }

  // -------------------------------------------------------------------------------------------------------- statements

  private statement(target: string): void {
    const axes = named(['i', 'j', 'l'], this.extents(this.choose(4)));
    const reduced = named(['u', 'v'], this.extents(this.choose(3)));
    const combine: Combine = reduced.length === 0 ? 'assign' : this.combine();
    const indices = [...axes, ...reduced];
    this.loops = indices;
    const scatter =
      this.options.optimised && combine === 'sum' && this.maybe(3) ? this.scatterMap() : undefined;
    const body = this.body();
    const write = scatter?.write ?? axes.map((index) => indexOf(index.name));
    this.loops = axes;
    const finish =
      this.options.optimised && scatter === undefined && this.maybe(3) ? this.finish() : undefined;
    const isPlace = combine === 'argmax' || combine === 'argmin';
    const statement = { target, indices, write, combine, body, phase: 'forward', origin } as const;
    this.builder.add(
      { ...statement, ...(finish === undefined || isPlace ? {} : { finish }) },
      {
        element: elementOf(combine, write.length),
        ...(scatter === undefined ? {} : { axes: scatter.axes, axisNames: scatter.axes.map(() => '') }),
        ...(isPlace ? { range: { least: 0, greatest: placesOf(reduced) - 1 } } : {}),
      },
    );
    const tensor = this.builder.tensor(target);
    if (tensor !== undefined) this.remember(tensor);
  }

  /** One to three statements that read one another at earlier steps, or at the same one if they stand behind. */
  private recurrence(name: string): void {
    const steps = this.extent();
    // a place that data of another step decides is only differentiated where the steps are counted beforehand
    const integers = this.integers.splice(0, steps === 'n' ? this.integers.length : 0);
    const reversed = this.maybe(2);
    const members = Array.from({ length: 1 + this.choose(3) }, (_, place) => {
      const others = this.extents(this.choose(3)).filter((extent) => extent !== 'n' || steps !== 'n');
      const axes = named(['i', 'j'], others).toSpliced(this.choose(others.length + 1), 0, {
        name: 't',
        extent: steps,
      });
      const extents = axes.map(({ extent }) => extent);
      const tensor: Tensor = {
        name: `${name}${'abc'[place]}`,
        role: 'intermediate',
        axes: extents,
        axisNames: extents.map(() => ''),
        element: 'real',
        span,
      };
      return { axes, tensor };
    });
    const statements = members.map(({ axes, tensor }, place): Statement => {
      const reduced = named(['u'], this.extents(this.choose(2)));
      this.loops = [...axes, ...reduced];
      const own = members.flatMap((member, other) =>
        other === place || this.maybe(2) ? [this.readStep(member, other < place, reversed)] : [],
      );
      const recurrent = own.map((node) => multiply(constant(0.5), node)).reduce(add);
      const combines = [
        'sum',
        'logsumexp',
        this.options.smooth || steps === 'n' ? 'product' : 'max',
      ] as const;
      return {
        target: tensor.name,
        indices: this.loops,
        write: axes.map((index) => indexOf(index.name)),
        combine: reduced.length === 0 ? 'assign' : this.pick(combines),
        body: unary(this.pick(['tanh', 'sin']), add(recurrent, this.expression(2))),
        phase: 'forward',
        origin,
        scan: { group: name, index: 't', reversed },
      };
    });
    const tensors = new Map(members.map(({ tensor }) => [tensor.name, tensor]));
    for (const statement of arrange(statements)) {
      const tensor = tensors.get(statement.target);
      if (tensor === undefined) continue;
      this.builder.add(statement, tensor);
      this.remember(tensor);
    }
    this.integers.push(...integers);
  }

  /** A read of a tensor of the recurrence, at an earlier step or (if `above`) perhaps at the present one. */
  private readStep(
    { axes, tensor }: { axes: readonly LoopIndex[]; tensor: Tensor },
    above: boolean,
    reversed: boolean,
  ): Expression {
    const lag = (above && this.maybe(2) ? 0 : 1 + this.choose(2)) * (reversed ? 1 : -1);
    const at = axes.map(({ name, extent }) =>
      name === 't' ? addIndex(indexOf('t'), constantIndex(lag)) : this.indexFor(extent),
    );
    const inside = at.every((index, axis) => this.isInside(index, tensor.axes[axis] ?? 0));
    return inside ? read(tensor.name, at) : read(tensor.name, at, this.pick([0, 0, 0.75]));
  }

  private combine(): Combine {
    if (this.options.smooth) return this.pick(['sum', 'sum', 'logsumexp', 'product']);
    return this.pick(['sum', 'sum', 'logsumexp', 'product', 'max', 'min', 'argmax', 'argmin']);
  }

  /** One or two axes, each written at a random index expression that stays inside. */
  private scatterMap(): { write: IndexExpression[]; axes: Extent[] } {
    const write = Array.from({ length: 1 + this.choose(2) }, () => this.fixedIndex());
    const axes = write.map((index) => {
      const cover = 1 + (this.bounds(index)?.greatest ?? 0);
      return isPlainIndex(index) === undefined ? cover + this.choose(2) : cover; // a plain write must cover its axis
    });
    return { write, axes };
  }

  /** A random index expression from 0 to some known bound. */
  private fixedIndex(): IndexExpression {
    const index = this.anyIndex();
    const bounds = this.bounds(index);
    if (bounds === undefined || !Number.isFinite(bounds.greatest - bounds.least)) return constantIndex(0);
    return addIndex(index, constantIndex(-bounds.least));
  }

  private finish(): Expression {
    return this.pick<Make<Expression>>([
      () => add(accumulated, this.leaf()),
      () => unary('tanh', add(accumulated, this.leaf())),
      () => multiply(accumulated, unary('sigmoid', accumulated)),
    ])();
  }

  /** The loss: the weighted sums of all that nothing else differentiates. */
  private lossOverAll(): void {
    let loss: Expression = constant(0);
    const { statements, ...program } = this.builder.build();
    const plain = statements.filter(({ scan }) => scan === undefined);
    const differentiated = differentiatedTensors({ ...program, statements: plain });
    for (const { name, axes, role } of this.reals) {
      if (role === 'input' || differentiated.has(name)) continue;
      const over = axes.map((extent, axis) => ({ name: `a${axis}`, extent }));
      const place = addIndex(
        constantIndex(1),
        ...over.map((index, axis) => scaleIndex(indexOf(index.name), axis + 1)),
      );
      const weighted = multiply(
        read(
          name,
          over.map((index) => indexOf(index.name)),
        ),
        indexValue(place),
      );
      const body = unary('sin', weighted);
      loss = add(
        loss,
        this.builder.reduce({ operator: 'sum', over, loops: over, body, target: name, origin }),
      );
    }
    this.builder.define({ target: 'loss', indices: [], body: loss, origin });
    this.builder.loss('loss');
  }

  // -------------------------------------------------------------------------------------------------------- expressions

  /** An expression that stays of moderate size for moderate operands. */
  private body(): Expression {
    const inner = this.expression(3);
    return this.maybe(2) ? unary(this.pick(['tanh', 'sin', 'sigmoid', 'erf']), inner) : inner;
  }

  private expression(depth: number): Expression {
    if (depth === 0) return this.leaf();
    const next = () => this.expression(depth - 1);
    return this.pick<Make<Expression>>([
      () => this.leaf(),
      () => multiply(this.leaf(), next()),
      () => add(next(), next()),
      () => binary('subtract', next(), next()),
      () => this.smoothUnary(next()),
      () => this.smoothBinary(next(), next()),
      () => (this.options.smooth ? this.smoothUnary(next()) : this.kinked(next, depth)),
    ])();
  }

  /** Operators without a kink, their operand brought into their domain. */
  private smoothUnary(operand: Expression): Expression {
    const square = multiply(operand, operand);
    const inside = multiply(constant(0.9), unary('tanh', operand));
    return this.pick<Make<Expression>>([
      () => unary('negate', operand),
      () => unary(this.pick(['tanh', 'sin', 'cos', 'sigmoid', 'softplus', 'erf', 'atan', 'asinh']), operand),
      () => unary(this.pick(['exp', 'expm1', 'sinh', 'cosh', 'tan', 'asin', 'acos', 'atanh']), inside),
      () => unary(this.pick(['log1p', 'log', 'log2', 'sqrt']), add(constant(0.5), square)),
      () => unary('acosh', add(constant(1.5), square)),
    ])();
  }

  private smoothBinary(left: Expression, right: Expression): Expression {
    const positive = add(constant(0.5), multiply(right, right));
    return this.pick<Make<Expression>>([
      () => divide(left, positive),
      () => power(positive, unary('tanh', left)),
      () => power(left, constant(this.pick([2, 3]))),
      () => binary('atan2', left, positive),
    ])();
  }

  private kinked(next: Make<Expression>, depth: number): Expression {
    return this.pick<Make<Expression>>([
      () => unary(this.pick(['relu', 'abs']), next()),
      () => binary(this.pick(['max', 'min']), next(), next()),
      () => binary(this.pick(['max', 'min']), next(), constant(0.25)),
      () => select(this.condition(depth - 1), next(), next()),
      () => multiply(this.condition(depth - 1), next()),
      () => unary(this.pick(['sign', 'floor', 'ceil', 'round']), multiply(constant(3), next())),
      () => binary('modulo', next(), constant(0.75)),
      () => unary('stop_gradient', next()),
      () => unary('norm_sqrt', power(next(), constant(2))),
    ])();
  }

  private condition(depth: number): Expression {
    const side = () => this.expression(Math.max(0, depth - 1));
    const compare = this.pick([
      'less',
      'less_equal',
      'greater',
      'greater_equal',
      'equal',
      'not_equal',
    ] as const);
    const comparison = binary(compare, side(), side());
    return this.pick<Make<Expression>>([
      () => comparison,
      () => unary('not', comparison),
      () => binary(this.pick(['and', 'or']), comparison, binary('less', side(), constant(0.1))),
    ])();
  }

  private leaf(): Expression {
    return this.pick<Make<Expression>>([
      () => this.read(this.reals),
      () => this.read(this.reals),
      () => this.read(this.reals),
      () => constant(this.pick([0.5, 2, -1.25, 0])),
      () => (this.loops.length > 0 ? multiply(constant(0.25), indexValue(this.fixedIndex())) : constant(1.5)),
      () =>
        this.integers.length > 0 ? multiply(constant(0.5), this.read(this.integers)) : this.read(this.reals),
      () => (this.options.batch ? divide(constant(1), extentValue('n')) : constant(1)),
    ])();
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  private read(tensors: readonly Tensor[]): Expression {
    // The newest first: chains of statements are more interesting than many statements over the inputs.
    const tensor = tensors[tensors.length - 1 - this.choose(tensors.length)];
    if (tensor === undefined) return constant(1);
    const at = tensor.axes.map((extent) => this.indexFor(extent));
    const inside = at.every((index, axis) => this.isInside(index, tensor.axes[axis] ?? 0));
    return inside ? read(tensor.name, at) : read(tensor.name, at, this.pick([0, 0, 0.75]));
  }

  /** An index for an axis: mostly a plain one that fits, else anything; it may run outside. */
  private indexFor(extent: Extent): IndexExpression {
    const fitting = this.loops.filter((loop) => loop.extent === extent);
    const plain = fitting[this.choose(Math.max(1, fitting.length))];
    if (plain !== undefined && !this.maybe(3)) return indexOf(plain.name);
    if (typeof extent === 'number' && this.maybe(4)) return constantIndex(extent - 1);
    if (plain !== undefined && typeof extent === 'number' && this.maybe(3)) {
      return addIndex(constantIndex(extent - 1), scaleIndex(indexOf(plain.name), -1)); // reversed
    }
    const fetched = this.fetch(extent);
    return fetched !== undefined && this.maybe(2) ? fetched : this.anyIndex();
  }

  /** Affine, quotient or remainder of the loop indices. */
  private anyIndex(): IndexExpression {
    const first = this.loops[this.choose(Math.max(1, this.loops.length))];
    if (first === undefined) return constantIndex(0);
    const index = indexOf(first.name);
    const other = this.loops[this.choose(this.loops.length)] ?? first;
    return this.pick<Make<IndexExpression>>([
      () => index,
      () => addIndex(index, constantIndex(this.pick([1, -1, 2]))),
      () => addIndex(index, indexOf(other.name)),
      () => addIndex(scaleIndex(index, 2), indexOf(other.name), constantIndex(this.pick([0, -1, 1]))),
      () => addIndex(scaleIndex(index, -1), indexOf(other.name), constantIndex(1)),
      () => scaleIndex(index, 2),
      () => quotientIndex(index, 2),
      () => remainderIndex(addIndex(index, indexOf(other.name)), 2),
    ])();
  }

  /** The value of an integer tensor that fits the axis, read at plain indices; undefined if there is none. */
  private fetch(extent: Extent): IndexExpression | undefined {
    if (typeof extent === 'string') return undefined;
    for (const { name, axes, range } of this.integers) {
      const at = axes.map((axis) => this.loops.find((loop) => loop.extent === axis)?.name);
      const inside = range !== undefined && range.least >= 0 && range.greatest < extent;
      if (inside && at.every((index) => index !== undefined)) return fetchIndex(name, at.map(indexOf));
    }
    return undefined;
  }

  private isInside(index: IndexExpression, extent: Extent): boolean {
    return isInside(index, extent, extentsOf(this.loops), this.tensors());
  }

  private bounds(index: IndexExpression) {
    return indexBounds(index, extentsOf(this.loops), this.tensors());
  }

  private tensors(): ReadonlyMap<string, Tensor> {
    return new Map([...this.reals, ...this.integers].map((tensor) => [tensor.name, tensor]));
  }
}

/** Operators that pass no gradient on. */
const silent: ReadonlySet<string> = new Set(
  (
    'sign floor ceil round not stop_gradient and or ' +
    'less less_equal greater greater_equal equal not_equal'
  ).split(' '),
);

/** The tensors that some statement reads where the chain rule goes on. */
export function differentiatedTensors(program: Program): Set<string> {
  const tensors = new Set<string>();
  const walk = (node: Expression): void => {
    if (node.kind === 'read') tensors.add(node.tensor);
    if ('operator' in node && silent.has(node.operator)) return;
    const operands = node.kind === 'select' ? [node.then, node.otherwise] : children(node);
    for (const operand of operands) walk(operand);
  };
  for (const { combine, body, finish } of program.statements) {
    if (combine === 'argmax' || combine === 'argmin') continue;
    walk(body);
    if (finish !== undefined) walk(finish);
  }
  return tensors;
}

function named(names: readonly string[], extents: readonly Extent[]): LoopIndex[] {
  return extents.map((extent, place) => ({ name: names[place] ?? '', extent }));
}

function placesOf(indices: readonly LoopIndex[]): number {
  return indices.reduce((product, { extent }) => product * (typeof extent === 'number' ? extent : 1000), 1);
}
