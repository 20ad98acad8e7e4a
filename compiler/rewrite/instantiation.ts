/** The right side of a rule, made from what its left side found. */
import { add, binary, constant, divide, multiply, select, subtract, unary } from '../graph/expressions.ts';
import type { Expression } from '../graph/types.ts';
import type { Bindings, Surroundings } from './matching.ts';
import type { Pattern } from './patterns.ts';
import { isNegative, opposite } from './terms.ts';

/** The right side of a rule, with its holes filled. */
export function instantiate(pattern: Pattern, bindings: Bindings, around: Surroundings): Expression {
  switch (pattern.kind) {
    case 'hole': {
      const bound = bindings.holes.get(pattern.name);
      if (bound === undefined) throw new Error(`hole ${pattern.name} is not bound left of the arrow`);
      return bound;
    }
    case 'number':
      return constant(pattern.value);
    case 'unary': {
      const operand = instantiate(pattern.operand, bindings, around);
      return pattern.operator === 'negate' ? opposite(operand) : unary(pattern.operator, operand);
    }
    case 'select':
      return select(
        instantiate(pattern.condition, bindings, around),
        instantiate(pattern.then, bindings, around),
        instantiate(pattern.otherwise, bindings, around),
      );
    case 'reduction': {
      if (bindings.reduction === undefined || around.reduce === undefined)
        throw new Error('a reduction right of the arrow needs one left of it');
      const body = instantiate(pattern.body, bindings, around);
      return around.reduce(pattern.combine, body, bindings.reduction);
    }
    case 'binary': {
      const left = instantiate(pattern.left, bindings, around);
      const right = instantiate(pattern.right, bindings, around);
      return build[pattern.operator]?.(left, right) ?? binary(pattern.operator, left, right);
    }
  }
}

/** Constructors that drop neutral elements and double signs on the way. */
const build: Partial<Record<string, (left: Expression, right: Expression) => Expression>> = {
  add: (left, right) => (isNegative(right) ? subtract(left, opposite(right)) : add(left, right)),
  subtract: (left, right) => (isNegative(right) ? add(left, opposite(right)) : subtract(left, right)),
  multiply,
  divide,
};
