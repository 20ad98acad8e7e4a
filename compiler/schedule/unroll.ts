/**
 * Tiny models as straight lines: all statements of a list of steps in one loop over the rows of the batch, in which every
 * element is a constant of its own and every sum is written out:
 *
 *     for (let n = 0; n < batch; n++) {
 *       const h_0 = sigmoid(x_0 * W1_00 + x_1 * W1_10 + b1_0);
 *
 * Where a layer has a handful of elements, loops and calls cost more than the arithmetic between them. Sums over rows grow
 * beside it in accumulators; what has no rows stands before the loop, or after it where it needs such a sum.
 */
import {
  constant,
  constantIndex,
  isPlainIndex,
  mapExpression,
  reads,
  replaceAccumulated,
  substituteIndices,
  substituteInIndex,
  tensorsReadBy,
  zero,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { identifier } from './integers.ts';
import { emitLoops } from './loop-order.ts';
import { axesOf, store } from './loops.ts';
import { Lowering } from './lowering.ts';
import type { LoopStatement, Value } from './types.ts';
import { joined, placesInTime } from './unrollable.ts';
import type { Time } from './unrollable.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** The one loop of an unrolled group, with what stands before and after it. */
export function unrolledLoop(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: Tensors,
  batch: string | undefined,
  inside: ReadonlySet<string>,
): LoopStatement[] {
  return new Unroller(statements, scope, tensors, batch, inside).loop();
}

const ROW = '(row)';

class Unroller {
  private readonly statements: readonly Statement[];
  private readonly scope: FunctionScope;
  private readonly batch: string | undefined;
  private readonly inside: ReadonlySet<string>;
  private readonly tensors: Map<string, Tensor>;
  private readonly times: ReadonlyMap<Statement, Time>;
  private readonly lowering: Lowering;
  private readonly targets: ReadonlySet<string>;
  private readonly rowName: string;
  /** Elements that have a constant. */
  private readonly ready = new Set<string>();
  private readonly accumulators = new Map<string, string>();

  constructor(
    statements: readonly Statement[],
    scope: FunctionScope,
    tensors: Tensors,
    batch: string | undefined,
    inside: ReadonlySet<string>,
  ) {
    this.statements = statements;
    this.scope = scope;
    this.batch = batch;
    this.inside = inside;
    this.tensors = new Map(tensors);
    this.times = placesInTime(statements, tensors, batch) ?? new Map();
    this.targets = new Set(statements.map(({ target }) => target));
    const rows = statements.flatMap(({ indices }) => indices.filter(({ extent }) => extent === batch));
    this.rowName = rows[0]?.name ?? batch ?? 'n';
    this.lowering = new Lowering(
      scope,
      this.tensors,
      new Map(batch === undefined ? [] : [[ROW, batch] as const]),
    );
  }

  loop(): LoopStatement[] {
    const { lowering, batch } = this;
    const at = (time: Time): Statement[] => this.statements.filter((each) => this.times.get(each) === time);
    const within = (statement: Statement, emit: () => void): void =>
      lowering.inStatement(statement.target, emit);
    for (const statement of at('before')) within(statement, () => this.elements(statement));
    const rows = this.statements.filter((each) => ['row', 'sum'].includes(this.times.get(each) ?? ''));
    for (const statement of rows)
      within(statement, () => {
        for (const each of this.points(statement)) this.loadConstants(each.body);
      });
    for (const statement of at('sum')) within(statement, () => this.startSums(statement));
    if (rows.length > 0 && batch !== undefined) {
      const loop = { name: ROW, base: this.rowName, members: [ROW], extents: [batch], reduced: false };
      const box = { extents: new Map([[ROW, batch]]), tensors: this.tensors };
      emitLoops(lowering, [loop], [], box, () => {
        for (const statement of rows) within(statement, () => this.inRow(statement));
      });
    }
    for (const statement of at('sum')) within(statement, () => this.endSums(statement));
    for (const statement of at('after')) within(statement, () => this.elements(statement));
    return lowering.innermost;
  }

  private inRow(statement: Statement): void {
    if (this.times.get(statement) === 'row') {
      this.elements(statement);
      return;
    }
    for (const { place, body } of this.points(statement)) {
      this.loadRow(body);
      this.lowering.count(body);
      const name = this.accumulators.get(this.key(statement.target, place)) ?? '';
      const value = this.lowering.value(body);
      this.lowering.innermost.push({
        kind: 'set',
        name,
        value: { kind: 'binary', operator: 'add', left: { kind: 'variable', name }, right: value },
      });
    }
  }

  /** Each element into a constant, and to memory if others read it. */
  private elements(statement: Statement): void {
    const { lowering } = this;
    for (const { place, body, at } of this.points(statement)) {
      this.loadConstants(body);
      this.loadRow(body);
      lowering.count(body);
      let value: Value = lowering.value(body);
      if (value.kind !== 'variable') {
        const name = this.scope.declare(this.nameOf(statement.target, place));
        lowering.innermost.push({ kind: 'constant', name, value });
        value = { kind: 'variable', name };
      }
      lowering.forward(this.element(statement.target, place), value);
      if (!this.inside.has(statement.target))
        store(
          lowering,
          statement.target,
          flatten(storedAs(this.tensors, statement.target), at),
          value,
          false,
        );
    }
  }

  private startSums(statement: Statement): void {
    for (const { place } of this.points(statement)) {
      const wish = this.nameOf(statement.target, place);
      const name = this.scope.declare(wish.endsWith('_value') ? wish.replace(/value$/, 'total') : wish);
      this.accumulators.set(this.key(statement.target, place), name);
      this.lowering.innermost.push({ kind: 'accumulator', name, initial: { kind: 'number', value: 0 } });
    }
  }

  private endSums(statement: Statement): void {
    const { lowering } = this;
    for (const { place, at, finish } of this.points(statement)) {
      const name = this.accumulators.get(this.key(statement.target, place)) ?? '';
      let value: Value = { kind: 'variable', name };
      if (finish) {
        this.loadConstants(finish);
        lowering.count(finish);
        value = lowering.finished(finish, value);
      }
      if (!this.inside.has(statement.target))
        store(
          lowering,
          statement.target,
          flatten(storedAs(this.tensors, statement.target), at),
          value,
          false,
        );
      if (value.kind !== 'variable' && this.isRead(statement.target)) {
        const named = this.scope.declare(this.nameOf(statement.target, place));
        lowering.innermost.push({ kind: 'constant', name: named, value });
        value = { kind: 'variable', name: named };
      }
      lowering.forward(this.element(statement.target, place), value);
    }
  }

  private isRead(target: string): boolean {
    return this.statements.some((statement) => tensorsReadBy(statement).has(target));
  }

  // -------------------------------------------------------------------------------------------------- elements

  /** The written elements, each with all of its terms; of a sum over rows with those of one row. */
  private *points(statement: Statement): Generator<{
    readonly place: readonly number[];
    readonly at: readonly IndexExpression[];
    readonly body: Expression;
    readonly finish?: Expression;
  }> {
    const { indices, write, combine, finish } = statement;
    const written = new Set(write.flatMap((index) => isPlainIndex(index) ?? []));
    const isSum = this.times.get(statement) === 'sum';
    const fixed = indices.filter(({ extent }) => typeof extent === 'number');
    for (const outer of box(fixed.filter(({ name }) => written.has(name)))) {
      const around = this.substitution(statement, outer);
      const terms = [...box(fixed.filter(({ name }) => !written.has(name)))].map((inner) =>
        this.simple(
          substituteIndices(statement.body, new Map([...around, ...this.substitution(statement, inner)])),
        ),
      );
      const join = joined[combine as keyof typeof joined];
      const counting = combine === 'sum' ? terms.filter((term) => !isZero(term)) : terms;
      const body = counting.length === 0 ? zero : counting.reduce((left, right) => join(left, right));
      const end = finish && this.simple(substituteIndices(finish, around));
      const at = write.map((index) => substituteInIndex(index, around));
      const place = at.flatMap((index) => (index.terms.length === 0 ? [index.constant] : []));
      yield {
        place,
        at,
        body: end && !isSum ? replaceAccumulated(end, body) : body,
        ...(end && isSum ? { finish: end } : {}),
      };
    }
  }

  private substitution(
    { indices }: Statement,
    values: ReadonlyMap<string, number>,
  ): Map<string, IndexExpression> {
    const row = indices.filter(({ extent }) => extent === this.batch);
    return new Map([
      ...row.map(({ name }) => [name, rowIndex] as const),
      ...[...values].map(([name, value]) => [name, constantIndex(value)] as const),
    ]);
  }

  /** Reads of real elements as reads of tensors of their own, without places. */
  private simple(expression: Expression): Expression {
    return mapExpression(expression, (node) => {
      if (node.kind !== 'read') return node;
      const axes = axesOf(this.tensors, node.tensor);
      const beyond = node.at.some(
        (index, axis) =>
          index.terms.length === 0 && (index.constant < 0 || index.constant >= Number(axes[axis])),
      );
      if (beyond) return constant(node.outside ?? NaN);
      const { kind, tensor, at } = node;
      const tensorOf = this.tensors.get(tensor);
      if (tensorOf === undefined || tensorOf.element === 'integer' || tensorOf.role === 'scalar')
        return { kind, tensor, at };
      const place = at.flatMap((index) => (index.terms.length === 0 ? [index.constant] : []));
      const name = this.element(tensor, place);
      if (!this.tensors.has(name))
        this.tensors.set(name, { ...tensorOf, name, role: 'intermediate', axes: [] });
      this.sources.set(name, { tensor, at, place });
      return { kind, tensor: name, at: [] };
    });
  }

  private readonly sources = new Map<
    string,
    { readonly tensor: string; readonly at: readonly IndexExpression[]; readonly place: readonly number[] }
  >();

  /** What the expression reads of parameters and the like, before the loop. */
  private loadConstants(expression: Expression): void {
    this.load(expression, (at) => at.every((index) => index.terms.length === 0));
  }

  private loadRow(expression: Expression): void {
    this.load(expression, (at) => at.some((index) => index.terms.length > 0));
  }

  private load(expression: Expression, isMeant: (at: readonly IndexExpression[]) => boolean): void {
    const { lowering } = this;
    for (const node of reads(expression)) {
      const source = this.sources.get(node.tensor);
      if (!source || this.ready.has(node.tensor) || !isMeant(source.at)) continue;
      if (this.targets.has(source.tensor)) continue;
      this.ready.add(node.tensor);
      const { tensor, at, place } = source;
      const offset = lowering.place(tensor, flatten(storedAs(this.tensors, tensor), at)).value;
      const name = this.scope.declare(this.nameOf(tensor, place));
      const value: Value = { kind: 'load', buffer: this.scope.buffer(tensor, 'read'), offset };
      lowering.innermost.push({ kind: 'constant', name, value });
      lowering.forward(node.tensor, { kind: 'variable', name });
    }
  }

  private key(tensor: string, place: readonly number[]): string {
    return `${tensor}[${place.join()}]`;
  }

  private element(tensor: string, place: readonly number[]): string {
    return `(${this.key(tensor, place)})`;
  }

  /** `W1_01` for W1[0, 1] and `h_2` for h[n, 2]; axes of one element are not counted. */
  private nameOf(tensor: string, place: readonly number[]): string {
    const axes = axesOf(this.tensors, tensor);
    const fixed = axes.filter((axis) => typeof axis === 'number');
    const digits = place.filter((_, axis) => fixed[axis] !== 1);
    const isRow = fixed.length < axes.length;
    const base = identifier(tensor);
    if (digits.length === 0) return isRow ? `${base}_${this.rowName}` : `${base}_value`;
    return `${base}_${digits.join(fixed.some((extent) => extent > 10) ? '_' : '')}`;
  }
}

const rowIndex: IndexExpression = {
  terms: [{ coefficient: 1, atom: { kind: 'index', name: ROW } }],
  constant: 0,
};

/** Zero by its form: a term that is read outside of its tensor. */
function isZero(term: Expression): boolean {
  if (term.kind === 'constant') return term.value === 0;
  if (term.kind === 'unary') return term.operator === 'negate' && isZero(term.operand);
  return term.kind === 'binary' && term.operator === 'multiply' && (isZero(term.left) || isZero(term.right));
}

/** All points of a box, the last index fastest. */
function* box(indices: Statement['indices']): Generator<ReadonlyMap<string, number>> {
  const [first, ...rest] = indices;
  if (!first) {
    yield new Map();
    return;
  }
  for (let value = 0; value < Number(first.extent); value++)
    for (const others of box(rest)) yield new Map([[first.name, value], ...others]);
}
