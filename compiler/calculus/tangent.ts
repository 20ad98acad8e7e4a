/**
 * Forward mode, by the same rule as reverse mode with the two maps unswapped: for every statement T[α(L)] ⊕= body(L)
 *
 *     tT[α(L)]  =  Σ over the reads of body of  ∂body/∂A(L) · tA[β(L)]
 *
 * (Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.1.)
 */
import {
  add,
  binary,
  equalIndices,
  hasExact,
  indexNames,
  isConstant,
  isPlainIndex,
  isScatter,
  one,
  read,
  reads,
  substituteIndices,
  zero,
} from '../graph/expressions.ts';
import { arrangeScans, scanUnits } from '../graph/scan.ts';
import type { Expression, IndexExpression, Phase, Program, Read, Statement, Tensor } from '../graph/types.ts';
import { scale } from './derivative.ts';
import { differential, type Differential, type Term } from './differential.ts';
import { TensorTable } from './names.ts';
import { sameIndex } from './rows.ts';

export interface TangentProgram {
  readonly program: Program;
  /** Tensor -> the tensor that holds its derivative along the directions. A tensor that is not here does not vary. */
  readonly tangents: ReadonlyMap<string, string>;
}

/** How a tensor varies: as another one says, or in one element alone, by 1. */
export type Direction =
  | { readonly kind: 'tensor'; readonly name: string }
  | { readonly kind: 'element'; readonly at: readonly IndexExpression[] };

/**
 * Adds, after each statement, those that compute the derivative of its target along a direction in the space of the given
 * tensors (inputs, parameters: reals that no statement computes). The direction is given at run time, in new inputs `tA` of the
 * axes of each A; the derivative of T is `tT`, in the phase of T. Throws where a scattered max, min or product varies.
 */
export function tangent(program: Program, directions: readonly string[]): TangentProgram {
  const tensors = new TensorTable(program.tensors);
  const given = new Map<string, Direction>();
  for (const name of directions) {
    const { axes, axisNames, element, span } = tensors.get(name);
    const direction: Tensor = {
      name: tensors.reserve(`t${name}`),
      role: 'input',
      axes,
      axisNames,
      element,
      span,
    };
    tensors.declare(direction, name);
    given.set(name, { kind: 'tensor', name: direction.name });
  }
  const { made, tangents } = pushForwardAll(program.statements, {
    tensors,
    directions: given,
    nameOf: (tensor) => `t${tensor}`,
  });
  const statements = program.statements.flatMap((statement) => [statement, ...(made.get(statement) ?? [])]);
  const result = { ...program, tensors: tensors.ordered(program.tensors), statements };
  return { program: arrangeScans(result), tangents };
}

export interface PushRequest {
  readonly tensors: TensorTable;
  readonly directions: ReadonlyMap<string, Direction>;
  readonly nameOf: (tensor: string) => string;
  /** Default: that of each statement. */
  readonly phase?: Phase;
  /** Called with a statement on the way that has no derivative; without it that throws. */
  readonly missing?: (statement: Statement) => void;
}

export interface Pushed {
  /** Statement -> those that compute its tangent: what is kept beside its target first. */
  readonly made: ReadonlyMap<Statement, readonly Statement[]>;
  readonly tangents: ReadonlyMap<string, string>;
}

/** The tangents of all that varies with the directions. What has a direction of its own varies as that says. */
export function pushForwardAll(all: readonly Statement[], request: PushRequest): Pushed {
  const { tensors, directions, nameOf, phase } = request;
  const tangents = new Map<string, string>();
  for (const [name, direction] of directions)
    if (direction.kind === 'tensor') tangents.set(name, direction.name);
  const made = new Map<Statement, readonly Statement[]>();
  const given = new Set(directions.keys());
  const everything = new Set(given);
  for (const unit of scanUnits(all)) {
    const varying = varyingIn(unit, everything, tensors);
    for (const name of given) varying.delete(name);
    const isActive = (tensor: string): boolean => everything.has(tensor) || varying.has(tensor);
    const pairs = unit.map((statement) => {
      const parts: Differential | 'none' = varying.has(statement.target)
        ? differential(statement, { tensors, isActive, phase: phase ?? statement.phase })
        : { terms: [] };
      if (parts !== 'none') return { statement, parts };
      if (request.missing === undefined)
        throw new Error(`${statement.target}: a scattered ${statement.combine} has no derivative`);
      request.missing(statement);
      return { statement, parts: { terms: [] } };
    });
    // in a recurrence a tangent may be read before it is written: all have their names first
    for (const { statement, parts } of pairs) {
      const { target, scan } = statement;
      if (parts.terms.length > 0 || (scan && varying.has(target))) {
        tangents.set(target, tensors.reserve(nameOf(target)));
        everything.add(target);
      }
    }
    for (const { statement, parts } of pairs) {
      const name = given.has(statement.target) ? undefined : tangents.get(statement.target);
      if (name === undefined) continue;
      tensors.declareLike(tensors.get(statement.target), name);
      made.set(statement, [
        ...(parts.companion ? [parts.companion] : []),
        ...(parts.helper ? [parts.helper] : []),
        pushForward(statement, parts.terms, name, { tangents, directions, phase }),
      ]);
    }
  }
  return { made, tangents };
}

/** The targets of a unit that depend on what varies; in a recurrence also by way of later steps. */
function varyingIn(
  unit: readonly Statement[],
  given: ReadonlySet<string>,
  tensors: TensorTable,
): Set<string> {
  const varying = new Set<string>();
  for (let size = -1; size !== varying.size;) {
    size = varying.size;
    for (const { target, body } of unit) {
      const depends = reads(body).some(({ tensor }) => given.has(tensor) || varying.has(tensor));
      if (depends && tensors.get(target).element !== 'integer') varying.add(target);
    }
  }
  return varying;
}

interface Pushing {
  readonly tangents: ReadonlyMap<string, string>;
  readonly directions: ReadonlyMap<string, Direction>;
  readonly phase?: Phase | undefined;
}

/** tT[α(L)] = Σ factor · tA[β(L)], with 0 for a place outside of A. All terms of a statement have one box. */
function pushForward(
  statement: Statement,
  given: readonly Term[],
  target: string,
  { tangents, directions, phase = statement.phase }: Pushing,
): Statement {
  const terms = atElements(given, directions);
  const { indices = statement.indices, write = statement.write } = terms[0] ?? {};
  const body = terms
    .map(({ factor, read: node }): Expression => {
      const direction = directions.get(node.tensor);
      if (direction?.kind === 'element') return scale(factor, atElement(node, direction.at));
      const { tensor, at, outside } = node;
      return scale(factor, read(tangents.get(tensor) ?? '', at, outside === undefined ? undefined : 0));
    })
    .reduce<Expression>((sum, term) => add(sum, term), zero);
  const { origin, scan } = statement;
  const history = [...origin.history, `tangent of ${statement.target}`];
  const written = { target, indices, write };
  const isPlain = indices.length === write.length && !isScatter({ ...statement, ...written });
  return {
    ...written,
    combine: isPlain ? 'assign' : 'sum',
    body,
    phase,
    origin: { ...origin, history },
    ...(scan ? { scan } : {}),
  };
}

/** True if a read is one at which it can be said by an index alone whether the element is read there. */
export function isComparable({ at, outside }: Read): boolean {
  return outside === undefined && !at.some(hasExact);
}

/** 1 where the element is read, else 0. */
export function atElement({ at }: Pick<Read, 'at'>, element: readonly IndexExpression[]): Expression {
  return at
    .flatMap((index, axis) => {
      const wanted = element[axis] ?? index;
      return equalIndices(index, wanted) ? [] : [sameIndex(index, wanted)];
    })
    .reduce<Expression>((all, next) => (isConstant(all, 1) ? next : binary('and', all, next)), one);
}

/**
 * Σ over i of f(i) · (i = s) is f(s): where all terms of a statement read an element at a reduced index, the index takes its
 * value, and the sum over it is gone.
 */
function atElements(terms: readonly Term[], directions: ReadonlyMap<string, Direction>): readonly Term[] {
  let current = terms;
  const [first] = terms;
  for (const { name } of first?.indices ?? []) {
    const values = current.map((term) => elementAt(term, name, directions));
    const [value] = values;
    if (value === undefined) continue;
    const isSame = values.every(
      (other) => other !== undefined && JSON.stringify(other) === JSON.stringify(value),
    );
    if (!isSame) continue;
    const replaced = new Map([[name, value]]);
    current = current.map((term) => ({
      ...term,
      indices: term.indices.filter((index) => index.name !== name),
      factor: substituteIndices(term.factor, replaced),
      read: { ...term.read, at: term.read.at.map((at) => substituteIndices(at, replaced)) },
    }));
  }
  return current;
}

/** What an index must be for the term to count. */
function elementAt(
  { write, read: { tensor, at } }: Term,
  name: string,
  directions: ReadonlyMap<string, Direction>,
): IndexExpression | undefined {
  const direction = directions.get(tensor);
  if (direction?.kind !== 'element' || write.some((index) => indexNames(index).has(name))) return undefined;
  const axes = at.flatMap((index, axis) => (isPlainIndex(index) === name ? [axis] : []));
  const [axis] = axes;
  return axes.length === 1 && axis !== undefined ? direction.at[axis] : undefined;
}
