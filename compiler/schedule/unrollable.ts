/**
 * Which models are unrolled (unroll.ts), and when each of their statements is computed: before the loop over rows, in it, as
 * a sum over rows, or after it.
 */
import {
  add,
  binary,
  fetchedTensors,
  isPlainIndex,
  isScatter,
  multiply,
  postorder,
  tensorsReadBy,
} from '../graph/expressions.ts';
import type { Expression, Read, Statement, Tensor } from '../graph/types.ts';
import type { Group, Part } from './groups.ts';
import { axesOf } from './loops.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * Terms of all sums, and elements without a sum, of one function. Measured against loops (relu, Node 20, batches of 8 and 32):
 * 4-8-3 takes a third of the time, 6-10-4 half, 8-12-4 two thirds, 8-16-8 nearly the same; and nobody reads longer ones.
 */
const MOST_TERMS = 160;

/** A group for each list of steps; undefined where the model is too large for that, or not of this form. */
export function unrolledGroups(
  parts: ReadonlyMap<Statement, ReadonlySet<Part>>,
  tensors: Tensors,
  batch: string | undefined,
): Group[] | undefined {
  const groups = (['forward', 'evaluate', 'predict', 'backward'] as const).flatMap((part): Group[] => {
    const statements = [...parts].filter(([, of]) => of.has(part)).map(([statement]) => statement);
    return statements.length === 0 ? [] : [{ statements, parts: new Set([part]), unrolled: true }];
  });
  const fits = groups.every(
    ({ statements }) =>
      statements.reduce((total, statement) => total + termsOf(statement), 0) <= MOST_TERMS &&
      placesInTime(statements, tensors, batch) !== undefined,
  );
  return fits && groups.length > 0 ? groups : undefined;
}

/** How often the body is written. */
function termsOf({ indices }: Statement): number {
  return indices.reduce((count, { extent }) => count * (typeof extent === 'number' ? extent : 1), 1);
}

/** When a statement is computed: before the loop over rows, for each row, as a sum over rows, or after the loop. */
export type Time = 'before' | 'row' | 'sum' | 'after';

/** For each statement; undefined if one loop over rows does not do for them all. */
export function placesInTime(
  statements: readonly Statement[],
  tensors: Tensors,
  batch: string | undefined,
): ReadonlyMap<Statement, Time> | undefined {
  const times = new Map<Statement, Time>();
  const known = new Map<string, Time>();
  for (const statement of statements) {
    const time = timeOf(statement, known, tensors, batch);
    if (time === undefined) return undefined;
    times.set(statement, time);
    known.set(statement.target, time);
  }
  return times;
}

function timeOf(
  statement: Statement,
  known: ReadonlyMap<string, Time>,
  tensors: Tensors,
  batch: string | undefined,
): Time | undefined {
  const { indices, write, combine, body, finish, scan, target } = statement;
  const open = indices.filter(({ extent }) => typeof extent !== 'number');
  const [row] = open;
  if (scan || isScatter(statement) || open.length > 1 || (row && row.extent !== batch)) return undefined;
  if (tensors.get(target)?.element === 'integer' || !(combine in joined)) return undefined;
  const axes = axesOf(tensors, target);
  const isWhole = write.every((index, axis) => {
    const written = indices.find(({ name }) => name === isPlainIndex(index));
    return written ? written.extent === axes[axis] : axes[axis] === 1 && index.terms.length === 0;
  });
  if (!isWhole) return undefined;
  const sumsRows = row !== undefined && write.every((index) => isPlainIndex(index) !== row.name);
  if (sumsRows && combine !== 'sum') return undefined;
  for (const expression of finish ? [body, finish] : [body]) {
    if (fetchedTensors(expression).size > 0) return undefined;
    for (const node of postorder(expression)) {
      if (node.kind === 'read' && !isSimple(node, row?.name, tensors)) return undefined;
      if (node.kind === 'index_value' && node.index.terms.some(({ atom }) => atom.kind !== 'index'))
        return undefined;
    }
  }
  const inputs = [...tensorsReadBy(statement)].map((name) => known.get(name));
  const late = inputs.some((time) => time === 'sum' || time === 'after');
  if (row === undefined) return inputs.includes('row') ? undefined : late ? 'after' : 'before';
  if (late) return undefined;
  return sumsRows ? 'sum' : 'row';
}

/** At the row and otherwise at what is constant once the statement is written out. */
function isSimple(node: Read, row: string | undefined, tensors: Tensors): boolean {
  const axes = axesOf(tensors, node.tensor);
  return node.at.every((index, axis) => {
    if (index.terms.some(({ atom }) => atom.kind !== 'index')) return false;
    const names = index.terms.flatMap(({ atom }) => (atom.kind === 'index' ? [atom.name] : []));
    return typeof axes[axis] === 'number'
      ? row === undefined || !names.includes(row)
      : row !== undefined && isPlainIndex(index) === row;
  });
}

/** How the values of a row's reduction join in one expression. */
export const joined = {
  assign: add,
  sum: add,
  product: multiply,
  max: (left: Expression, right: Expression) => binary('max', left, right),
  min: (left: Expression, right: Expression) => binary('min', left, right),
} as const;
