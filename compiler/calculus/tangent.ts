/**
 * Forward mode, by the same rule as reverse mode with the two maps unswapped: for every statement T[α(L)] ⊕= body(L)
 *
 *     tT[α(L)]  =  Σ over the reads of body of  ∂body/∂A(L) · tA[β(L)]
 *
 * (Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.1.)
 */
import { add, isScatter, read, reads, zero } from '../graph/expressions.ts';
import { arrangeScans, scanUnits } from '../graph/scan.ts';
import type { Expression, Program, Statement, Tensor } from '../graph/types.ts';
import { scale } from './derivative.ts';
import { differential, type Term } from './differential.ts';
import { TensorTable } from './names.ts';

export interface TangentProgram {
  readonly program: Program;
  /** Tensor -> the tensor that holds its derivative along the directions. A tensor that is not here does not vary. */
  readonly tangents: ReadonlyMap<string, string>;
}

/**
 * Adds, after each statement, those that compute the derivative of its target along a direction in the space of the given
 * tensors (inputs, parameters: reals that no statement computes). The direction is given at run time, in new inputs `tA` of the
 * axes of each A; the derivative of T is `tT`, in the phase of T. Throws where a scattered max, min or product varies.
 */
export function tangent(program: Program, directions: readonly string[]): TangentProgram {
  const tensors = new TensorTable(program.tensors);
  const tangents = new Map<string, string>();
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
    tangents.set(name, direction.name);
  }
  const statements: Statement[] = [];
  for (const unit of scanUnits(program.statements)) {
    const varying = varyingIn(unit, new Set(tangents.keys()), tensors);
    const isActive = (tensor: string): boolean => tangents.has(tensor) || varying.has(tensor);
    const pairs = unit.map((statement) => {
      const parts = varying.has(statement.target)
        ? differential(statement, { tensors, isActive, phase: statement.phase })
        : { terms: [] };
      if (parts === 'none')
        throw new Error(`${statement.target}: a scattered ${statement.combine} has no derivative`);
      return { statement, parts };
    });
    // in a recurrence a tangent may be read before it is written: all have their names first
    for (const { statement, parts } of pairs) {
      const { target, scan } = statement;
      if (parts.terms.length > 0 || (scan && varying.has(target)))
        tangents.set(target, tensors.reserve(`t${target}`));
    }
    for (const { statement, parts } of pairs) {
      statements.push(statement);
      const name = tangents.get(statement.target);
      if (name === undefined) continue;
      if (parts.companion) statements.push(parts.companion);
      if (parts.helper) statements.push(parts.helper);
      tensors.declareLike(tensors.get(statement.target), name);
      statements.push(pushForward(statement, parts.terms, name, tangents));
    }
  }
  const result = { ...program, tensors: tensors.ordered(program.tensors), statements };
  return { program: arrangeScans(result), tangents };
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

/** tT[α(L)] = Σ factor · tA[β(L)], with 0 for a place outside of A. All terms of a statement have one box. */
function pushForward(
  statement: Statement,
  terms: readonly Term[],
  target: string,
  tangents: ReadonlyMap<string, string>,
): Statement {
  const { indices = statement.indices, write = statement.write } = terms[0] ?? {};
  const body = terms
    .map(({ factor, read: { tensor, at, outside } }): Expression => {
      const direction = read(tangents.get(tensor) ?? '', at, outside === undefined ? undefined : 0);
      return scale(factor, direction);
    })
    .reduce<Expression>((sum, term) => add(sum, term), zero);
  const { phase, origin, scan } = statement;
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
