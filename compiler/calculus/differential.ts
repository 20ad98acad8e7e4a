/**
 * The differential of one statement T[α(L)] ⊕= body(L): a sum of terms, one for each read A[β(L)] of the body,
 *
 *     δT[α(L)]  +=  factor(L) · δA[β(L)]         for every L in the term's box
 *
 * Read from right to left it is forward mode (tangent.ts); with the two maps swapped it is reverse mode (sweep.ts):
 * dA[β(L)] += dT[α(L)] · factor(L). How ⊕ enters is the table `combineRules` below.
 */
import {
  binary,
  extentValue,
  fetchIndex,
  freshName,
  add,
  indexOf,
  indexValue,
  Interner,
  isConstant,
  isScatter,
  one,
  quotientIndex,
  read,
  reads,
  reducedIndices,
  remainderIndex,
  select,
  substituteIndices,
  subtract,
  unary,
  zero,
} from '../graph/expressions.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Phase,
  Read,
  Statement,
} from '../graph/types.ts';
import { partialDerivative, scale } from './derivative.ts';
import type { TensorTable } from './names.ts';

/** One term of a differential. `write` is α, `read.at` is β, both over `indices`. */
export interface Term {
  readonly indices: readonly LoopIndex[];
  readonly write: readonly IndexExpression[];
  readonly read: Read;
  readonly factor: Expression;
}

export interface Differential {
  readonly terms: readonly Term[];
  /** What has to be kept beside T: the place of its extreme. It belongs right after the statement of T. */
  readonly companion?: Statement;
  /** What the factors read besides: it belongs before the statements made of the terms. */
  readonly helper?: Statement;
}

export interface DifferentialContext {
  readonly tensors: TensorTable;
  /** The reads by which to differentiate. */
  readonly isActive: (tensor: string) => boolean;
  /** The phase of helper statements. */
  readonly phase: Phase;
}

export type Rule = (statement: Statement, context: DifferentialContext) => Differential | 'none';

/** How each ⊕ enters. A test plants faults here and sees that `compile check` finds them. */
export const combineRules: Readonly<Record<Combine, Rule>> = {
  assign: plain, //                                                   δT = ∂body δA
  sum: plain, //                                                      δT = Σ ∂body δA
  logsumexp: weighted, //                                             δT = Σ e^(body - T) ∂body δA
  max: extreme, //                                                    δT = ∂body δA at the first place of the greatest
  min: extreme, //                                                                          ... of the least
  product: others, //                                                 δT = Σ (Π of the others) ∂body δA
  argmax: () => ({ terms: [] }), //                                   an integer: no differential
  argmin: () => ({ terms: [] }),
};

/**
 * The differential of a statement, or 'none' where there is no rule: an extreme or a product that is scattered (no part of
 * the compiler makes one), unless nothing that varies is written.
 */
export function differential(statement: Statement, context: DifferentialContext): Differential | 'none' {
  if (statement.finish) throw new Error(`${statement.target}: a fused statement cannot be differentiated`);
  const reduces = reducedIndices(statement).length > 0 || isScatter(statement);
  return combineRules[reduces ? statement.combine : 'assign'](statement, context);
}

/** Σ ∂body/∂A, one term for each distinct place that an active tensor is read at. */
function plain(statement: Statement, { isActive }: DifferentialContext): Differential {
  const { body, indices, write, combine } = statement;
  if (combine === 'argmax' || combine === 'argmin') return { terms: [] };
  const interner = new Interner();
  const places = new Map<number, Read>();
  for (const node of reads(body)) {
    if (!isActive(node.tensor)) continue;
    const id = interner.idOf(node);
    if (!places.has(id)) places.set(id, node);
  }
  // what an assignment computes last is what its target keeps
  const kept = combine === 'assign' ? read(statement.target, write) : undefined;
  const valueOf = (node: Expression): Expression => (kept !== undefined && node === body ? kept : node);
  const terms = [...places].map(([id, place]): Term => {
    const factor = partialDerivative(body, (node) => interner.idOf(node) === id, valueOf);
    return { indices, write, read: place, factor };
  });
  return { terms: terms.filter((term) => !isConstant(term.factor, 0)) };
}

/** The terms of the body alone, whatever ⊕ is. */
function bodyTerms(statement: Statement, context: DifferentialContext): readonly Term[] {
  return plain({ ...statement, combine: 'sum' }, context).terms;
}

/** The terms of the body, each with a further factor in front. */
function weightedBy(weight: Expression, statement: Statement, context: DifferentialContext): Term[] {
  return bodyTerms(statement, context).map((term) => ({ ...term, factor: scale(weight, term.factor) }));
}

function weighted(statement: Statement, context: DifferentialContext): Differential {
  const weight = unary('exp', subtract(statement.body, read(statement.target, statement.write)));
  return { terms: weightedBy(weight, statement, context) };
}

/**
 * max, min: a companion statement keeps the place of the first extreme, counted row by row through the reduced indices;
 * in each term those indices are replaced by what they are at that place. Where one of them runs to a run-time size,
 * the place cannot be taken apart at compile time: then each place is compared with it.
 */
function extreme(statement: Statement, context: DifferentialContext): Differential | 'none' {
  const terms = bodyTerms(statement, context);
  if (terms.length === 0) return { terms };
  if (isScatter(statement)) return 'none';
  const { tensors } = context;
  const { target, write, origin } = statement;
  const reduced = reducedIndices(statement);
  const written = statement.indices.filter((index) => !reduced.includes(index));

  const name = tensors.reserve(`${target}_${statement.combine === 'max' ? 'argmax' : 'argmin'}`);
  const count = sizeOf(reduced);
  tensors.declare(
    {
      ...tensors.get(target),
      name,
      role: 'intermediate',
      element: 'integer',
      ...(count === undefined ? {} : { range: { least: 0, greatest: count - 1 } }),
    },
    target,
  );
  const companion: Statement = {
    ...statement,
    target: name,
    indices: [...written, ...reduced],
    combine: statement.combine === 'max' ? 'argmax' : 'argmin',
    origin: { ...origin, history: [...origin.history, `place of the extreme of ${target}`] },
  };
  const place = fetchIndex(name, write);
  const places = count === undefined ? undefined : decode(place, reduced);
  const atPlace = (term: Term): Term =>
    places === undefined
      ? {
          ...term,
          factor: select(binary('equal', indexValue(place), rowByRow(reduced)), term.factor, zero),
        }
      : {
          indices: written,
          write,
          read: { ...term.read, at: term.read.at.map((index) => substituteIndices(index, places)) },
          factor: substituteIndices(term.factor, places),
        };
  return { terms: terms.map(atPlace), companion };
}

function sizeOf(indices: readonly LoopIndex[]): number | undefined {
  let size = 1;
  for (const { extent } of indices) {
    if (typeof extent === 'string') return undefined;
    size *= extent;
  }
  return size;
}

/** The indices at a place counted row by row. */
function decode(place: IndexExpression, indices: readonly LoopIndex[]): Map<string, IndexExpression> {
  const values = new Map<string, IndexExpression>();
  for (const [position, { name, extent }] of indices.entries()) {
    const quotient = quotientIndex(place, sizeOf(indices.slice(position + 1)) ?? 1);
    values.set(name, position === 0 ? quotient : remainderIndex(quotient, Number(extent)));
  }
  return values;
}

/** The place counted row by row, as a number. */
function rowByRow(indices: readonly LoopIndex[]): Expression {
  return indices.reduce<Expression>(
    (place, { name, extent }) => add(scale(extentValue(extent), place), indexValue(indexOf(name))),
    zero,
  );
}

/**
 * product: the factor is the product of the others, a statement of its own: `T_others[o, r] = prod[r2](r2 != r ? body : 1)`.
 * No division, so it is right with zeros among the values and in every order of differentiation; for K values it takes
 * K² multiplications.
 */
function others(statement: Statement, context: DifferentialContext): Differential | 'none' {
  if (bodyTerms(statement, context).length === 0) return { terms: [] };
  if (isScatter(statement)) return 'none';
  const { tensors, phase } = context;
  const { target, indices, origin } = statement;
  const reduced = reducedIndices(statement);
  const taken = new Set(indices.map((index) => index.name));
  const copies = reduced.map(({ name, extent }): LoopIndex => {
    const copy = freshName(name, taken);
    taken.add(copy);
    return { name: copy, extent };
  });
  const renamed = new Map(reduced.map((index, position) => [index.name, indexOf(copies[position]!.name)]));
  const differs = reduced
    .map((index, position) =>
      binary('not_equal', indexValue(indexOf(copies[position]!.name)), indexValue(indexOf(index.name))),
    )
    .reduce((all, next) => binary('or', all, next));

  const name = tensors.reserve(`${target}_others`);
  const all = indices.map((index) => indexOf(index.name));
  const terms = weightedBy(read(name, all), statement, context);
  const axes: readonly Extent[] = indices.map((index) => index.extent);
  tensors.declare({
    ...tensors.get(target),
    name,
    role: 'intermediate',
    axes,
    axisNames: axes.map(() => ''),
  });
  const helper: Statement = {
    target: name,
    indices: [...indices, ...copies],
    write: all,
    combine: 'product',
    body: select(differs, substituteIndices(statement.body, renamed), one),
    phase,
    origin: { ...origin, history: [...origin.history, `the others of ${target}`] },
  };
  return { terms, helper };
}
