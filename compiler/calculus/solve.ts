/**
 * Solves a = β(L) for some of the indices L: what the inversion of a read map needs. One variable is eliminated per axis,
 * by its coefficient: ±1 gives an affine value, s gives an exact quotient.
 */
import {
  coefficientOf,
  hasExact,
  indexNames,
  indexOf,
  quotientIndex,
  scaleIndex,
  substituteIndices,
  subtractIndex,
  visitAtoms,
  addIndex,
} from '../graph/expressions.ts';
import type { IndexExpression, LoopIndex } from '../graph/types.ts';

export interface Solution {
  /** Eliminated index -> its value, in the axes and the indices that remain. */
  readonly values: ReadonlyMap<string, IndexExpression>;
  /** For each axis: the index that was eliminated by it. */
  readonly eliminated: readonly string[];
}

/** scale · axis = left */
interface Equation {
  readonly axis: number;
  readonly scale: number;
  readonly left: IndexExpression;
}

interface Choice {
  readonly equation: Equation;
  readonly index: LoopIndex;
  readonly coefficient: number;
}

/** A name for an axis that no index of the language can have. */
export const axisName = (axis: number): string => `#${axis}`;

/**
 * Solves for one index per axis, or gives undefined where the map has no inverse of this kind: a repeated or missing
 * index, a place that depends on data. Indices in `written` are eliminated first: the cotangent is read at them, so that
 * their range needs no test of its own. Among equals the longest loop goes.
 */
export function solve(
  at: readonly IndexExpression[],
  indices: readonly LoopIndex[],
  written: ReadonlySet<string>,
): Solution | undefined {
  let equations: Equation[] = [];
  for (const [axis, index] of at.entries()) {
    const equation = equationOf(axis, index);
    if (equation === undefined) return undefined;
    equations.push(equation);
  }
  const values = new Map<string, IndexExpression>();
  const eliminated: string[] = [];
  while (equations.length > 0) {
    const unknowns = indices.filter(({ name }) => !values.has(name));
    const choice = choose(equations, unknowns, written);
    if (choice === undefined) return undefined;
    const { equation, index, coefficient } = choice;
    // scale · axis = coefficient · index + rest
    const rest = subtractIndex(equation.left, scaleIndex(indexOf(index.name), coefficient));
    const numerator = subtractIndex(scaleIndex(indexOf(axisName(equation.axis)), equation.scale), rest);
    const value = quotientIndex(
      scaleIndex(numerator, Math.sign(coefficient)),
      Math.abs(coefficient),
      Math.abs(coefficient) > 1,
    );
    const replacement = new Map([[index.name, value]]);
    for (const [name, known] of values) values.set(name, substituteIndices(known, replacement));
    values.set(index.name, value);
    eliminated[equation.axis] = index.name;
    equations = equations
      .filter((other) => other !== equation)
      .map((other) => ({ ...other, left: substituteIndices(other.left, replacement) }));
  }
  return { values, eliminated };
}

/** axis = index; an exact quotient is multiplied out: axis = x + y / by is by · axis = by · x + y. */
function equationOf(axis: number, index: IndexExpression): Equation | undefined {
  let depends = false;
  visitAtoms(index, (atom) => {
    depends ||= atom.kind === 'fetch';
  });
  if (depends) return undefined;
  const exact = index.terms.find(({ atom }) => atom.kind === 'quotient' && atom.exact);
  if (exact === undefined) return hasExact(index) ? undefined : { axis, scale: 1, left: index };
  if (exact.atom.kind !== 'quotient') return undefined;
  const { of, by } = exact.atom;
  const rest: IndexExpression = { ...index, terms: index.terms.filter((term) => term !== exact) };
  const left = addIndex(scaleIndex(rest, by), scaleIndex(of, exact.coefficient));
  return hasExact(left) ? undefined : { axis, scale: by, left };
}

/** The best next elimination, from the equations with the fewest unknowns. An equation without any has no solution. */
function choose(
  equations: readonly Equation[],
  unknowns: readonly LoopIndex[],
  written: ReadonlySet<string>,
): Choice | undefined {
  const unknownsIn = ({ left }: Equation): LoopIndex[] => {
    const names = indexNames(left);
    return unknowns.filter(({ name }) => names.has(name));
  };
  const [equation] = equations.toSorted((a, b) => unknownsIn(a).length - unknownsIn(b).length);
  if (equation === undefined) return undefined;
  const choices = unknownsIn(equation)
    .map((index): Choice => ({ equation, index, coefficient: coefficientOf(equation.left, index.name) }))
    .filter(({ index, coefficient }) => coefficient !== 0 && !insideAtom(equation.left, index.name));
  const saving = ({ index, coefficient }: Choice): number =>
    typeof index.extent === 'number' ? index.extent * Math.abs(coefficient) : Number.MAX_SAFE_INTEGER;
  const isWritten = ({ index }: Choice): number => Number(written.has(index.name));
  return choices.toSorted((a, b) => isWritten(b) - isWritten(a) || saving(b) - saving(a))[0];
}

/** True if the index also stands inside a quotient or a remainder. */
function insideAtom(expression: IndexExpression, name: string): boolean {
  return expression.terms.some(
    ({ atom }) => (atom.kind === 'quotient' || atom.kind === 'remainder') && indexNames(atom.of).has(name),
  );
}
