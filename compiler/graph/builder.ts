/**
 * Builds a Program statement by statement. Expressions of the language may have reductions inside; a statement has at
 * most one, at its root: `reduce` hoists each into a statement of its own and gives back a read of its target.
 */
import {
  constant,
  divide,
  expressionKey,
  extentValue,
  freeIndices,
  freshName,
  indexOf,
  multiply,
  read,
  substituteIndices,
  tensorsReadBy,
} from './expressions.ts';
import type {
  Combine,
  ElementType,
  Expression,
  Extent,
  LoopIndex,
  Origin,
  Phase,
  Program,
  Read,
  Statement,
  Tensor,
} from './types.ts';

/** What a reduction of the language may be: a ⊕, or `mean`, which is a sum divided by the number of its terms. */
export type Reduction = Exclude<Combine, 'assign'> | 'mean';

export interface ReduceRequest {
  readonly operator: Reduction;
  /** The indices that are reduced. They need not occur in the body: sum[i: 3](1) is 3. */
  readonly over: readonly LoopIndex[];
  /** All indices that may be free in the body, in the order a reader would loop over them. */
  readonly loops: readonly LoopIndex[];
  readonly body: Expression;
  /** The name of the statement it stands in: the hoisted one is called `<target>_<operator>`, a mean's `<target>_sum`. */
  readonly target: string;
  readonly origin: Origin;
}

export interface DefineRequest {
  readonly target: string;
  /** The axes of the target, in order: just the free indices of the body. */
  readonly indices: readonly LoopIndex[];
  readonly body: Expression;
  readonly origin: Origin;
  /** Default: `double` for rank 0, else `real`. */
  readonly element?: ElementType;
}

/** What `argmax` over a run-time extent may give: any int32 that is not negative. */
const greatestPlace = 2 ** 31 - 1;

/** How the suffix of a hoisted reduction's name is spelled: as its operator in the language. */
const suffixes: Readonly<Record<Reduction, string>> = {
  sum: 'sum',
  mean: 'sum',
  product: 'prod',
  max: 'max',
  min: 'min',
  logsumexp: 'logsumexp',
  argmax: 'argmax',
  argmin: 'argmin',
};

export class ProgramBuilder {
  readonly name: string;
  readonly phase: Phase;
  private readonly tensors = new Map<string, Tensor>();
  private readonly statements: Statement[] = [];
  private readonly reserved = new Set<string>();
  private readonly outputs: string[] = [];
  private readonly metrics: string[] = [];
  private readonly gradients = new Map<string, string>();
  private lossName: string | undefined;
  private evaluation: Program['evaluation'];
  /** Canonical text of a hoisted reduction -> its target. */
  private readonly hoisted = new Map<string, string>();

  constructor(name: string, phase: Phase = 'forward') {
    this.name = name;
    this.phase = phase;
  }

  /** A builder that goes on where a program ends; what it adds belongs to `phase`. */
  static from(program: Program, phase: Phase): ProgramBuilder {
    const builder = new ProgramBuilder(program.name, phase);
    for (const [name, tensor] of program.tensors) builder.tensors.set(name, tensor);
    builder.statements.push(...program.statements);
    builder.outputs.push(...program.outputs);
    builder.metrics.push(...program.metrics);
    for (const [parameter, gradient] of program.gradients) builder.gradients.set(parameter, gradient);
    builder.lossName = program.loss;
    builder.evaluation = program.evaluation;
    return builder;
  }

  // ----------------------------------------------------------------------------------------------------------- names

  tensor(name: string): Tensor | undefined {
    return this.tensors.get(name);
  }

  /** True if the name is declared or reserved. */
  has(name: string): boolean {
    return this.tensors.has(name) || this.reserved.has(name);
  }

  /** Keeps a name that will be declared later from being made up for something else before. */
  reserve(...names: readonly string[]): void {
    for (const name of names) this.reserved.add(name);
  }

  /** `base`, made unique by a number at the end, and reserved. */
  freshName(base: string): string {
    const name = freshName(base, this);
    this.reserved.add(name);
    return name;
  }

  // ------------------------------------------------------------------------------------------ tensors and statements

  /** An input, parameter, state or scalar. Throws if the name is declared already. */
  declare(tensor: Tensor): void {
    if (this.tensors.has(tensor.name)) throw new Error(`tensor ${tensor.name} is declared twice`);
    this.tensors.set(tensor.name, tensor);
  }

  /** target[indices] = body. Gives the read of the target at just these indices. */
  define(request: DefineRequest): Read {
    const { target, indices, body, origin } = request;
    const element = request.element ?? (indices.length === 0 ? 'double' : 'real');
    return this.append({ target, combine: 'assign', indices, axes: indices, body, origin, element });
  }

  /**
   * Hoists ⊕ over `over` of body. The axes of the new tensor are the free indices of the body without `over`, in the
   * order of `loops`. Equal reductions are hoisted once. Over no index it is the body itself (a place: 0).
   */
  reduce(request: ReduceRequest): Expression {
    const { operator, over, body } = request;
    const isPlace = operator === 'argmax' || operator === 'argmin';
    if (over.length === 0) return isPlace ? constant(0) : body;
    if (operator !== 'mean') return this.hoist(operator, request);
    return divide(this.hoist('sum', request), countOf(over));
  }

  /** Adds a statement made elsewhere, and its target. Axes default to the extents of the written indices. */
  add(statement: Statement, target: Pick<Tensor, 'element'> & Partial<Tensor>): void {
    const written = statement.indices.slice(0, statement.write.length);
    this.declare({
      name: statement.target,
      role: 'intermediate',
      axes: written.map((index) => index.extent),
      axisNames: written.map((index) => index.name),
      span: statement.origin.span,
      ...target,
    });
    this.statements.push(statement);
  }

  /** How many statements there are. */
  get size(): number {
    return this.statements.length;
  }

  /** Puts what was added since there were `from` statements in another order, or other forms. */
  rearrange(from: number, order: (statements: readonly Statement[]) => readonly Statement[]): void {
    const added = this.statements.splice(from);
    this.statements.push(...order(added));
  }

  /** Takes out what was added since there were `from` statements, with its tensors. */
  takeBack(from: number): { statements: readonly Statement[]; tensors: ReadonlyMap<string, Tensor> } {
    const statements = this.statements.splice(from);
    const tensors = new Map<string, Tensor>();
    for (const { target } of statements) {
      const tensor = this.tensors.get(target);
      if (tensor) tensors.set(target, tensor);
      this.tensors.delete(target);
    }
    return { statements, tensors };
  }

  private hoist(combine: Exclude<Combine, 'assign'>, request: ReduceRequest): Read {
    const { over, loops, body, origin } = request;
    const reduced = new Set(over.map((index) => index.name));
    const free = freeIndices(body);
    const axes = loops.filter((index) => free.has(index.name) && !reduced.has(index.name));
    const unbound = [...free].find((name) => !reduced.has(name) && !loops.some((loop) => loop.name === name));
    if (unbound !== undefined) throw new Error(`index ${unbound} of a reduction is not among its loops`);

    const key = canonicalKey(combine, axes, over, body);
    const known = this.hoisted.get(key);
    if (known !== undefined) return read(known, plain(axes));
    const target = this.freshName(`${request.target}_${suffixes[request.operator]}`);
    this.hoisted.set(key, target);
    const element = elementOf(combine, axes.length);
    const indices = [...axes, ...over];
    return this.append({ target, combine, indices, axes, body, origin, element, ...rangeOf(combine, over) });
  }

  private append(made: {
    target: string;
    combine: Combine;
    indices: readonly LoopIndex[];
    axes: readonly LoopIndex[];
    body: Expression;
    origin: Origin;
    element: ElementType;
    range?: { least: number; greatest: number };
  }): Read {
    const { target, combine, indices, axes, body, origin, element, range } = made;
    const write = plain(axes);
    const statement: Statement = { target, indices, write, combine, body, phase: this.phase, origin };
    this.add(statement, { element, ...(range === undefined ? {} : { range }) });
    return read(target, write);
  }

  // ------------------------------------------------------------------------------------------- what the program gives

  /** Marks a tensor that must survive every pass. */
  output(name: string): void {
    if (!this.outputs.includes(name)) this.outputs.push(name);
  }

  /** Names the rank-0 loss. */
  loss(name: string): void {
    this.lossName = name;
  }

  metric(name: string): void {
    if (!this.metrics.includes(name)) this.metrics.push(name);
  }

  gradient(parameter: string, tensor: string): void {
    this.gradients.set(parameter, tensor);
  }

  build(): Program {
    return {
      name: this.name,
      tensors: new Map(this.tensors),
      statements: [...this.statements],
      outputs: [...this.outputs],
      metrics: [...this.metrics],
      gradients: new Map(this.gradients),
      ...(this.lossName === undefined ? {} : { loss: this.lossName }),
      ...(this.evaluation === undefined ? {} : { evaluation: this.evaluation }),
    };
  }
}

/**
 * The program with other statements: targets that are gone are dropped from `tensors`, the others put in the order of
 * their statements. New targets must be in `added`.
 */
export function withStatements(
  program: Program,
  statements: readonly Statement[],
  added: ReadonlyMap<string, Tensor> = new Map(),
): Program {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of program.tensors) if (tensor.role !== 'intermediate') tensors.set(name, tensor);
  for (const { target } of statements) {
    const tensor = added.get(target) ?? program.tensors.get(target);
    if (tensor === undefined) throw new Error(`no tensor is declared for the statement of ${target}`);
    tensors.set(target, tensor);
  }
  return { ...program, tensors, statements };
}

/** All tensors that the given ones depend on, themselves included. */
export function neededFor(statements: readonly Statement[], roots: Iterable<string>): Set<string> {
  const byTarget = new Map(statements.map((statement) => [statement.target, statement]));
  const needed = new Set(roots);
  for (const name of needed) {
    const statement = byTarget.get(name);
    if (statement) for (const source of tensorsReadBy(statement)) needed.add(source);
  }
  return needed;
}

/** The statements in an order in which reads follow writes, otherwise as they stood. Throws on a circle. */
export function inOrder(statements: readonly Statement[]): Statement[] {
  const byTarget = new Map(statements.map((statement) => [statement.target, statement]));
  const result = new Set<Statement>();
  const open = new Set<Statement>();
  const stack = statements.toReversed();
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const sources = [...tensorsReadBy(top)].map((name) => byTarget.get(name));
    const missing = sources.filter((source) => source !== undefined && !result.has(source));
    if (result.has(top) || missing.length === 0) {
      result.add(top);
      stack.pop();
      continue;
    }
    if (open.has(top)) throw new Error(`the statement of ${top.target} depends on itself`);
    open.add(top);
    for (const source of missing.toReversed()) if (source !== undefined) stack.push(source);
  }
  return [...result];
}

/** The number of points of a box, as an expression: 12, n, or 12 * n. */
export function countOf(indices: readonly LoopIndex[]): Expression {
  const fixed = indices.reduce(
    (product, { extent }) => product * (typeof extent === 'number' ? extent : 1),
    1,
  );
  const open = indices.map(({ extent }) => extent).filter((extent) => typeof extent === 'string');
  return open.reduce<Expression>(
    (product, extent) => multiply(product, extentValue(extent)),
    constant(fixed),
  );
}

/** What is said of a tensor that is computed on the way to another one and has no name in the model. */
export function asPart({ name, partOf }: Tensor): Pick<Tensor, 'partOf'> {
  return { partOf: partOf ?? name };
}

/** The element type of a reduction's target. */
export function elementOf(combine: Combine, rank: number): ElementType {
  if (combine === 'argmax' || combine === 'argmin') return 'integer';
  return combine === 'logsumexp' || rank === 0 ? 'double' : 'real';
}

function rangeOf(
  combine: Combine,
  over: readonly LoopIndex[],
): { range?: { least: number; greatest: number } } {
  if (combine !== 'argmax' && combine !== 'argmin') return {};
  const count = countOf(over);
  return { range: { least: 0, greatest: count.kind === 'constant' ? count.value - 1 : greatestPlace } };
}

const plain = (indices: readonly LoopIndex[]) => indices.map((index) => indexOf(index.name));

/** Equal for reductions that differ only in the names of their indices. */
function canonicalKey(
  combine: Combine,
  axes: readonly LoopIndex[],
  over: readonly LoopIndex[],
  body: Expression,
): string {
  const extents: Extent[] = [];
  const names = new Map(
    [...axes, ...over].map(({ name, extent }, place) => {
      extents.push(extent);
      return [name, indexOf(`#${place}`)];
    }),
  );
  return [combine, axes.length, extents.join(','), expressionKey(substituteIndices(body, names))].join(' ');
}
