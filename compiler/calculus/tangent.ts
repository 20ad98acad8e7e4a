/**
 * Forward mode, by the same rule as reverse mode with the two maps unswapped: for every statement T[α(L)] ⊕= body(L)
 *
 *     tT[α(L)]  =  Σ over the reads of body of  ∂body/∂A(L) · tA[β(L)]
 *
 * (Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.1.)
 */
import { add, isScatter, read, reads } from '../graph/expressions.ts';
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
  for (const statement of program.statements) {
    statements.push(statement);
    const { target, phase, combine } = statement;
    const varies = reads(statement.body).some(({ tensor }) => tangents.has(tensor));
    if (!varies || tensors.get(target).element === 'integer') continue;
    const isActive = (tensor: string): boolean => tangents.has(tensor);
    const parts = differential(statement, { tensors, isActive, phase });
    if (parts === 'none') throw new Error(`${target}: a scattered ${combine} has no derivative`);
    if (parts.terms.length === 0) continue;
    if (parts.companion) statements.push(parts.companion);
    if (parts.helper) statements.push(parts.helper);
    const name = tensors.reserve(`t${target}`);
    tensors.declareLike(tensors.get(target), name);
    tangents.set(target, name);
    statements.push(pushForward(statement, parts.terms, name, tangents));
  }
  return { program: { ...program, tensors: tensors.ordered(program.tensors), statements }, tangents };
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
    .reduce((sum, term) => add(sum, term));
  const { phase, origin } = statement;
  const history = [...origin.history, `tangent of ${statement.target}`];
  const written = { target, indices, write };
  const isPlain = indices.length === write.length && !isScatter({ ...statement, ...written });
  return {
    ...written,
    combine: isPlain ? 'assign' : 'sum',
    body,
    phase,
    origin: { span: origin.span, history },
  };
}
