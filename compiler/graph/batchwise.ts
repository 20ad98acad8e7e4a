/**
 * Which results depend on how rows are put into batches. The loss and a metric that are c + Σ over rows of f(row) / rows, with c and
 * f the same in every batch, average over batches (with their rows as weights) to the value of all rows; a root of a mean, a
 * maximum or a sum does not. An output whose rows depend on their own row alone is the same in any batch.
 */
import { foldExpression } from './expressions.ts';
import { isPlainIndex } from './index-expressions.ts';
import { evaluationResults } from './results.ts';
import type { BinaryOperator, Expression, IndexExpression, Program, Statement } from './types.ts';

/**
 * How a value depends on the rows of a batch; of a tensor, each of its elements.
 * - `fixed`: not at all, nor on their number;
 * - `row`: on the one row that its first axis counts;
 * - `count`: a fixed multiple of the number of rows;
 * - `sum`: a sum over the rows of what depends on one row;
 * - `mean`: a fixed value, plus such a sum over the number of rows;
 * - `other`: in another way, or in one of these that is not seen here.
 */
type Dependence = 'fixed' | 'row' | 'count' | 'sum' | 'mean' | 'other';

/** Names of the loss, the metrics and the outputs that a batch gives another value than all rows together (see above). */
export function batchwiseResults(program: Program, batch: string | undefined): string[] {
  if (batch === undefined) return [];
  const dependences = new Dependences(program, batch);
  const results = evaluationResults(program);
  const names = [...(program.loss === undefined ? [] : ['loss']), ...program.metrics];
  const isMean = (tensor: string): boolean => ['fixed', 'mean'].includes(dependences.of(tensor));
  const isRow = (tensor: string): boolean => ['fixed', 'row'].includes(dependences.of(tensor));
  return [
    ...names.filter((_, place) => !isMean(results[place]!)),
    ...program.outputs.filter((name) => !names.includes(name) && !isRow(name)),
  ];
}

class Dependences {
  private readonly program: Program;
  private readonly batch: string;
  private readonly known = new Map<string, Dependence>();

  constructor(program: Program, batch: string) {
    this.program = program;
    this.batch = batch;
    for (const { name, role } of program.tensors.values())
      if (role !== 'intermediate') this.known.set(name, this.first(name));
    // A recurrence reads what is not known yet: it is taken as its axes suggest, and has to turn out so.
    for (let settled = false; !settled;) {
      settled = true;
      for (const statement of program.statements) {
        const { target, scan } = statement;
        const before = this.known.get(target) ?? (scan === undefined ? undefined : this.first(target));
        if (before === 'other') continue;
        const now = this.ofStatement(statement);
        if (before !== undefined && before !== now) settled = false;
        this.known.set(target, before === undefined || before === now ? now : 'other');
      }
    }
  }

  of(tensor: string): Dependence {
    return this.known.get(tensor) ?? 'other';
  }

  private first(tensor: string): Dependence {
    return this.isBatched(tensor) ? 'row' : 'fixed';
  }

  private isBatched(tensor: string): boolean {
    return this.program.tensors.get(tensor)?.axes[0] === this.batch;
  }

  private ofStatement({ target, indices, write, combine, body, finish }: Statement): Dependence {
    const rows = indices.filter(({ extent }) => extent === this.batch);
    if (rows.length > 1) return 'other';
    const row = rows[0]?.name;
    const own = this.ofExpression(body, row, undefined);
    const written = row !== undefined && this.isBatched(target) && isPlainIndex(write[0]!) === row;
    const places = (written ? write.slice(1) : write).map((index) => this.ofIndex(index, row));
    if (!places.every(isOfRow) || (!written && this.isBatched(target))) return 'other';
    const ofRow = isOfRow(own);
    let joined: Dependence;
    if (written) joined = ofRow ? 'row' : 'other';
    else if (row !== undefined) joined = ofRow && combine === 'sum' ? 'sum' : 'other';
    else joined = combine === 'assign' || combine === 'sum' || own === 'fixed' ? own : 'other';
    if (finish === undefined) return joined;
    const finished = this.ofExpression(finish, row, joined);
    return written && finished === 'fixed' ? 'row' : finished;
  }

  private ofExpression(
    root: Expression,
    row: string | undefined,
    joined: Dependence | undefined,
  ): Dependence {
    return foldExpression<Dependence>(root, (node, operands) => {
      const [first = 'fixed', second = 'fixed'] = operands;
      switch (node.kind) {
        case 'constant':
          return 'fixed';
        case 'extent_value':
          return node.extent === this.batch ? 'count' : 'fixed';
        case 'index_value':
          return this.ofIndex(node.index, row);
        case 'read':
          return this.ofRead(node.tensor, node.at, row);
        case 'accumulated':
          return joined ?? 'other';
        case 'unary':
          return node.operator === 'negate' || node.operator === 'stop_gradient'
            ? first
            : elementwise(operands);
        case 'binary':
          return linear[node.operator]?.(first, second) ?? elementwise(operands);
        case 'select':
        case 'call':
          return elementwise(operands);
        // of a row by anything, it is the row's own; by what no row changes, a mean of rows stays one
        case 'derivative':
          return isOfRow(first) || operands.slice(1).every((operand) => operand === 'fixed')
            ? first
            : 'other';
      }
    });
  }

  /** A tensor with a batch axis must be read at the row at hand. */
  private ofRead(tensor: string, at: readonly IndexExpression[], row: string | undefined): Dependence {
    const batched = this.isBatched(tensor);
    if (batched && (row === undefined || isPlainIndex(at[0]!) !== row)) return 'other';
    const places = (batched ? at.slice(1) : at).map((index) => this.ofIndex(index, row));
    const own = this.known.get(tensor) ?? this.first(tensor);
    return places.every((place) => place === 'fixed') ? own : elementwise([own, ...places]);
  }

  /** The number of the row itself says where in the batch it stands. */
  private ofIndex(index: IndexExpression, row: string | undefined): Dependence {
    const found = index.terms.map(({ atom }): Dependence => {
      switch (atom.kind) {
        case 'index':
          return atom.name === row ? 'other' : 'fixed';
        case 'fetch':
          return this.ofRead(atom.tensor, atom.at, row);
        case 'quotient':
        case 'remainder':
          return this.ofIndex(atom.of, row);
      }
    });
    return elementwise(found);
  }
}

const isOfRow = (dependence: Dependence): boolean => dependence === 'fixed' || dependence === 'row';

/** Any function of these. */
function elementwise(operands: readonly Dependence[]): Dependence {
  if (operands.every((operand) => operand === 'fixed')) return 'fixed';
  return operands.every(isOfRow) ? 'row' : 'other';
}

type Rule = (left: Dependence, right: Dependence) => Dependence | undefined;

const sum: Rule = (left, right) => {
  if (left === right && left !== 'row') return left;
  const pair = [left, right];
  return pair.includes('mean') && pair.includes('fixed') ? 'mean' : undefined;
};

/** What keeps sums and means: undefined where it is as for any other function. */
const linear: Partial<Record<BinaryOperator, Rule>> = {
  add: sum,
  subtract: sum,
  multiply: (left, right) => (left === 'fixed' ? right : right === 'fixed' ? left : undefined),
  divide: (left, right) => {
    if (right === 'fixed') return left;
    if (right !== 'count') return undefined;
    return left === 'sum' ? 'mean' : left === 'count' ? 'fixed' : undefined;
  },
};
