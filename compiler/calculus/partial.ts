/**
 * The partial derivatives of the elements of a tensor y by those of tensors x, in forward or in reverse mode. Reverse mode costs
 * a sweep for each element of y, forward mode one for each of x, but either only one for all rows that do not mix (rows.ts). A
 * sweep is made once, over symbols for these elements.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import {
  constantIndex,
  equalIndices,
  freshName,
  indexOf,
  isPlainIndex,
  read,
  reads,
  select,
  zero,
} from '../graph/expressions.ts';
import type {
  Derivative,
  Expression,
  Extent,
  IndexExpression,
  Program,
  Read,
  Statement,
  Tensor,
} from '../graph/types.ts';
import { ReverseSweep } from './sweep.ts';
import { TensorTable } from './names.ts';
import { restoreRows } from './restore.ts';
import {
  oneRow,
  oneRowOf,
  placeOfRow,
  rowAxesOf,
  sameIndex,
  takenOut,
  without,
  type Row,
  type RowIndex,
} from './rows.ts';
import { pushAll, ROOT, tensorOf, within, type Expansion, type Subject } from './subject.ts';
import { atElement, isComparable, type Direction } from './tangent.ts';

export function partialDerivatives(
  terms: readonly Derivative[],
  of: Subject,
  diagnostics: Diagnostics,
  mode?: 'forward' | 'reverse',
): Expansion | undefined {
  const others = terms.flatMap((term) => term.by.map(({ tensor }) => tensor));
  const by = new Set(others.filter((tensor) => tensor !== of.name));
  const rows = rowsOf(of, by, terms[0]?.of.at ?? []);
  const inForward = [...by].reduce((sum, tensor) => sum + elementsBeyondRows(of, tensor, rows), 0);
  const isCheaper = rows.length > 0 && inForward <= elementsInReverse(of, by, rows);
  // a step of a recurrence matters through later ones, too: only its cotangent says that
  const isRecurrent = of.statements.some(({ target, scan }) => scan !== undefined && by.has(target));
  const isForward = !isRecurrent && (mode === undefined ? isCheaper : mode === 'forward');
  // of `t` by `p_dq` and of `t_dp` by `q`: two derivatives may want one name
  const taken = new Set<string>();
  const forwardBy = (tensor: string): Expansion | undefined => {
    const own = terms.filter((term) => term.by[0]?.tensor === tensor);
    const expansion = inForwardMode(of, own, rows, taken, diagnostics);
    for (const name of expansion?.tensors.keys() ?? []) taken.add(name);
    return expansion;
  };
  const expansions = isForward ? [...by].map(forwardBy) : [inReverseMode(of, by, rows, diagnostics)];
  const sound = expansions.filter((each) => each !== undefined);
  if (sound.length < expansions.length) return undefined;
  const valueOf = (term: Derivative): Expression | undefined => {
    const [x] = term.by;
    if (x?.tensor === of.name) return atElement(term.of, x.at);
    const place = isForward ? [...by].indexOf(x?.tensor ?? '') : 0;
    return sound[place]?.valueOf(term);
  };
  return {
    statements: sound.flatMap(({ statements }) => statements),
    tensors: new Map(sound.flatMap(({ tensors }) => [...tensors])),
    valueOf,
  };
}

/** One symbol for each axis of y, and the tensors that have rows along it. */
function rowsOf(of: Subject, by: ReadonlySet<string>, places: readonly IndexExpression[]): Row[] {
  const { root } = of;
  const { tensors } = of.program;
  const active = of.activeFor(by);
  const statements = root.target === ROOT ? [...of.statements, root] : of.statements;
  return of.tensor.axes.map((extent, axis): Row => {
    const display = isPlainIndex(places[axis] ?? constantIndex(0)) ?? 'i';
    const isActive = (tensor: string): boolean => tensor === ROOT || active.has(tensor);
    const index = { name: `~${axis}`, extent, display };
    // the only place needs no symbol
    if (extent === 1) return { index, axes: new Map([[root.target, axis]]) };
    return {
      index,
      axes: rowAxesOf({ root, axis, extent, statements, tensors, isActive }),
    };
  });
}

/** What an open dimension counts for: more than any size that is written. */
const OPEN = 2 ** 20;

const size = (extent: Extent): number => (typeof extent === 'number' ? extent : OPEN);

/** How many sweeps reverse mode takes: one for each element of y, but one for all rows that do not mix. */
function elementsInReverse(of: Subject, by: ReadonlySet<string>, rows: readonly Row[]): number {
  const between = [...of.activeFor(by)].filter((tensor) => !by.has(tensor) && tensor !== of.name);
  return rows
    .filter(({ axes }) => between.some((tensor) => !axes.has(tensor)))
    .reduce((product, { index }) => product * size(index.extent), 1);
}

/** How many sweeps forward mode takes: one for each element of x, but one for all rows. */
function elementsBeyondRows({ program }: Subject, tensor: string, rows: readonly Row[]): number {
  const { axes } = tensorOf(program, tensor);
  return without(axes, takenOut(tensor, rows)).reduce<number>((product, extent) => product * size(extent), 1);
}

/** The statements that vary, for one row, as a program. */
function oneRowProgram(of: Subject, by: ReadonlySet<string>, rows: readonly Row[]): Program {
  const active = of.activeFor(by);
  const { root } = of;
  const varying = of.statements.filter(({ target }) => active.has(target));
  const all = root.target === ROOT ? [...varying, root] : varying;
  const tensors = new Map(of.program.tensors);
  if (root.target === ROOT) tensors.set(ROOT, { ...of.tensor, name: ROOT, role: 'intermediate' });
  return {
    ...of.program,
    tensors: new Map([...tensors].map(([name, tensor]) => [name, oneRowOf(tensor, rows)])),
    statements: all.map((statement) => oneRow(statement, rows)),
  };
}

/** Where a symbol is, in the statement that wants the derivative. */
function placeOf(index: RowIndex, rows: readonly Row[], term: Derivative): IndexExpression {
  return term.of.at[rows.findIndex((row) => row.index === index)] ?? constantIndex(0);
}

/** 0 where the row of y is another than that of x: x[m] has no part in y[n]. */
function whereSameRow(value: Expression, x: Read, rows: readonly Row[], term: Derivative): Expression {
  const conditions = rows.flatMap(({ index, axes }): Expression[] => {
    const axis = axes.get(x.tensor);
    const own = axis === undefined ? undefined : x.at[axis];
    const wanted = placeOf(index, rows, term);
    return own === undefined || equalIndices(own, wanted) ? [] : [sameIndex(own, wanted)];
  });
  return conditions.reduce((chosen, condition) => select(condition, chosen, zero), value);
}

function inReverseMode(
  of: Subject,
  by: ReadonlySet<string>,
  rows: readonly Row[],
  diagnostics: Diagnostics,
): Expansion | undefined {
  const before = diagnostics.list.filter(({ severity }) => severity === 'error').length;
  const sweep = new ReverseSweep(
    {
      program: oneRowProgram(of, by, rows),
      root: of.root.target,
      by,
      phase: 'forward',
      nameOf: (tensor) => `d${of.name}_d${tensor}`,
      ambient: rows.map(({ index }) => index),
    },
    diagnostics,
  ).sweep();
  if (diagnostics.list.filter(({ severity }) => severity === 'error').length > before) return undefined;
  const restored = restoreRows({
    rows,
    statements: [...sweep.companions.values(), ...sweep.statements],
    tensors: (name) => sweep.tensors.get(name),
  });
  return {
    statements: restored.statements.map((statement) => within(statement, `derivative of ${of.name}`)),
    tensors: restored.tensors,
    valueOf: (term) => {
      const [x] = term.by;
      const cotangent = x && sweep.cotangentOf(x.tensor);
      if (x === undefined || cotangent === undefined) return undefined;
      const leading = restored.leadingOf(cotangent).map((index) => placeOf(index, rows, term));
      const own = without(x.at, takenOut(x.tensor, rows));
      return whereSameRow(read(cotangent, [...leading, ...own]), x, rows, term);
    },
  };
}

function inForwardMode(
  of: Subject,
  terms: readonly Derivative[],
  all: readonly Row[],
  taken: ReadonlySet<string>,
  diagnostics: Diagnostics,
): Expansion | undefined {
  const by = terms[0]?.by[0]?.tensor ?? '';
  const shared = all.filter(({ axes }) => axes.has(by));
  const x = oneRowOf(tensorOf(of.program, by), shared);
  const lifted = x.axes.map((extent, axis): RowIndex => {
    const display = x.axisNames[axis] || 'i';
    return { name: `~x${axis}`, extent, display };
  });
  const rows = [...shared, ...diagonalOf(of, terms, all, lifted)];
  const program = oneRowProgram(of, new Set([by]), rows);
  const statements = program.statements.filter(({ target }) => target !== ROOT);
  const tensors = new TensorTable(program.tensors, taken);
  const element = lifted.map(placeOfRow);
  const nameOf = (tensor: string): string => `d${tensor}_d${by}`;
  const isDirect = statements.every(({ body }) =>
    reads(body).every((node) => node.tensor !== by || isComparable(node)),
  );
  const seeds: Statement[] = [];
  let direction: Direction = { kind: 'element', at: element };
  if (!isDirect) {
    const name = tensors.reserve(nameOf(by));
    tensors.declareLike(x, name);
    seeds.push(seed(name, x, element, of.root));
    direction = { kind: 'tensor', name };
  }
  const directions = new Map([[by, direction]]);
  const pushed = pushAll(statements, { tensors, directions, nameOf, phase: 'forward' }, diagnostics);
  if (pushed === undefined) return undefined;
  const restored = restoreRows({
    rows,
    lifted,
    statements: [...seeds, ...pushed.statements],
    tensors: (name) => tensors.get(name),
  });
  const result = pushed.tangents.get(of.name);
  return {
    statements: restored.statements.map((each) => within(each, `derivative of ${of.name} by ${by}`)),
    tensors: restored.tensors,
    valueOf: (term) => {
      const [node] = term.by;
      if (node === undefined || result === undefined) return undefined;
      const own = without(node.at, takenOut(by, rows));
      const leading = restored.leadingOf(result).map((index) => {
        const axis = lifted.indexOf(index);
        return axis < 0 ? placeOf(index, all, term) : (own[axis] ?? constantIndex(0));
      });
      const value = read(result, [...leading, ...without(term.of.at, takenOut(of.name, rows))]);
      return whereSameRow(value, node, all, term);
    },
  };
}

/**
 * Where only the diagonal is wanted, `grad(g[n, i], x[n, i])`, no more is computed: along such an axis the element of y is that
 * of x, and the tensors on the way that have rows along it are taken at that row.
 */
function diagonalOf(
  of: Subject,
  terms: readonly Derivative[],
  all: readonly Row[],
  lifted: readonly RowIndex[],
): Row[] {
  const [by] = terms[0]?.by ?? [];
  if (by === undefined) return [];
  const isWhole = all.filter(({ axes, index }) => !axes.has(by.tensor) && index.extent !== 1);
  const shared = takenOut(
    by.tensor,
    all.filter(({ axes }) => axes.has(by.tensor)),
  );
  const left = new Set(lifted);
  return isWhole.flatMap((row): Row[] => {
    const axis = all.indexOf(row);
    const index = [...left].find((each) => {
      const isEqual = terms.every((term) => {
        const inY = term.of.at[axis];
        const inX = without(term.by[0]?.at ?? [], shared)[lifted.indexOf(each)];
        return inY !== undefined && inX !== undefined && equalIndices(inY, inX);
      });
      return isEqual && each.extent === row.index.extent;
    });
    if (index === undefined || !row.axes.has(of.name)) return [];
    left.delete(index);
    return [{ index, axes: row.axes }];
  });
}

/** 1 in one element of x, else 0. */
function seed(
  target: string,
  x: Tensor,
  element: readonly IndexExpression[],
  { origin }: Statement,
): Statement {
  const taken = new Set<string>();
  const indices = x.axes.map((extent, axis) => {
    const name = freshName(x.axisNames[axis] || 'i', taken);
    taken.add(name);
    return { name, extent };
  });
  const at = indices.map(({ name }) => indexOf(name));
  return {
    target,
    indices,
    write: at,
    combine: 'assign',
    body: atElement({ at }, element),
    phase: 'forward',
    origin,
  };
}
