/**
 * Expressions of the language -> values (values.ts). Used alike for models, layers, fns, optimizers and schedules:
 *
 *   const builder = new ProgramBuilder('adam', 'update');               // collects tensors and statements
 *   const elaboration = new Elaboration(diagnostics, builder);
 *   builder.declare(tensor);                                            // an input, state or scalar
 *   scope.define('p', { kind: 'tensor', tensor, span, used: false });   // visible by name
 *   scope.define('beta1', { kind: 'value', value: constantValue(0.9), span, used: false });    // a hyper-parameter
 *   elaborateExpression(syntax, scope, elaboration): Result             // a value: λ axes. body; or an error value
 *   assignValue({ target: "p'", span, axes }, value, elaboration)       // (statements.ts) target = value
 *   elaborateStatement(request, scope, elaboration): Tensor | undefined // (statements.ts) both in one
 *   builder.build(): Program
 *
 * `sum(p^2)` inside such an expression becomes a statement of its own before the one it stands in. A value that is used in
 * several statements (an optimizer's local name) may be kept as a value: its reductions are hoisted once.
 * What is wrong is reported; the result is then `errorValue`, and whatever is made of that is silent.
 */
import {
  addIndex,
  binary,
  constantIndex,
  evaluateBinary,
  evaluateUnary,
  indexOf,
  isConstantIndex,
  isPlainIndex,
  scaleIndex,
  select,
  substituteIndices,
  subtractIndex,
  unary,
  zero,
} from '../graph/expressions.ts';
import type { BinaryOperator, Expression, IndexExpression, UnaryOperator } from '../graph/types.ts';
import type { Span } from '../diagnostics/source.ts';
import type {
  BinaryExpression,
  BinarySign,
  Conditional,
  NumberLiteral,
  SyntaxExpression,
  UnaryExpression,
} from '../syntax/tree.ts';
import { boundsFrom } from './bounds.ts';
import { elaborateCall } from './calls.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateReference } from './names.ts';
import { elaborateRead } from './reads.ts';
import type { Scope } from './scope.ts';
import { asIndex, constantValue, errorValue, shapeText } from './values.ts';
import type { Result, Value } from './values.ts';

const binaryOperatorOf: Readonly<Record<BinarySign, BinaryOperator>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '^': 'power',
  '<': 'less',
  '<=': 'less_equal',
  '>': 'greater',
  '>=': 'greater_equal',
  '==': 'equal',
  '!=': 'not_equal',
  and: 'and',
  or: 'or',
};

/** How much of the stack each kind takes, in levels of arithmetic. */
const levels: Readonly<Record<SyntaxExpression['kind'], number>> = {
  number: 1,
  string: 1,
  list: 1,
  reference: 1,
  read: 2,
  call: 3,
  unary: 1,
  binary: 1,
  conditional: 1,
  error: 1,
};

/** The value of an expression in a scope. */
export function elaborateExpression(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): Result {
  const depth = levels[syntax.kind];
  if (!elaboration.enter(syntax.span, depth)) return errorValue;
  const value = valueOf(syntax, scope, elaboration);
  elaboration.leave(depth);
  return value;
}

function valueOf(syntax: SyntaxExpression, scope: Scope, elaboration: Elaboration): Result {
  switch (syntax.kind) {
    case 'number':
      return literal(syntax);
    case 'reference':
      return elaborateReference(syntax, scope, elaboration);
    case 'read':
      return elaborateRead(syntax, scope, elaboration);
    case 'call':
      return elaborateCall(syntax, scope, elaboration);
    case 'unary':
      return elaborateUnary(syntax, scope, elaboration);
    case 'binary':
      return elaborateBinary(syntax, scope, elaboration);
    case 'conditional':
      return elaborateConditional(syntax, scope, elaboration);
    case 'string':
    case 'list':
      elaboration.error('E308', syntax.span, `a ${syntax.kind} is not a value`, {
        hint: 'an expression is made of numbers, tensors and calls',
      });
      return errorValue;
    case 'error':
      return errorValue;
  }
}

function literal({ value, text }: NumberLiteral): Value {
  return String(value) === text ? constantValue(value) : constantValue(value, text);
}

// ---------------------------------------------------------------------------------------------------------- operators

function elaborateUnary(syntax: UnaryExpression, scope: Scope, elaboration: Elaboration): Result {
  const operand = elaborateExpression(syntax.operand, scope, elaboration);
  if (syntax.operator === 'not') return applyUnary('not', operand);
  if (operand.kind === 'value' && operand.body.kind === 'constant' && operand.constant !== undefined) {
    const { name } = operand.body;
    return constantValue(-operand.constant, name === undefined ? undefined : `-${name}`);
  }
  const negated = applyUnary('negate', operand);
  if (negated.kind === 'error' || operand.kind === 'error') return errorValue;
  const index = asIndex(operand);
  return index ? { ...negated, index: scaleIndex(index, -1) } : negated;
}

function elaborateBinary(syntax: BinaryExpression, scope: Scope, elaboration: Elaboration): Result {
  const left = elaborateExpression(syntax.left, scope, elaboration);
  const right = elaborateExpression(syntax.right, scope, elaboration);
  const parts = [
    { value: left, span: syntax.left.span },
    { value: right, span: syntax.right.span },
  ] as const;
  const result = applyBinary(binaryOperatorOf[syntax.operator], parts, syntax.span, elaboration);
  if (result.kind === 'error' || left.kind === 'error' || right.kind === 'error') return errorValue;
  const index = indexArithmetic(syntax.operator, asIndex(left), asIndex(right));
  return index ? { ...result, index } : result;
}

/** + - * of whole-valued expressions stay index expressions; products need a constant side. */
function indexArithmetic(
  sign: BinarySign,
  left: IndexExpression | undefined,
  right: IndexExpression | undefined,
): IndexExpression | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (sign === '+') return addIndex(left, right);
  if (sign === '-') return subtractIndex(left, right);
  if (sign !== '*') return undefined;
  const [a, b] = [isConstantIndex(left), isConstantIndex(right)];
  if (a !== undefined && b !== undefined) return constantIndex(a * b);
  if (a !== undefined) return scaleIndex(right, a);
  return b === undefined ? undefined : scaleIndex(left, b);
}

/** An operand and where it stands. */
export interface Part {
  readonly value: Result;
  readonly span: Span;
}

export function applyUnary(operator: UnaryOperator, operand: Result): Result {
  if (operand.kind === 'error') return errorValue;
  const { axes, constant } = operand;
  const body = unary(operator, operand.body);
  if (constant === undefined) return { kind: 'value', axes, body };
  return { kind: 'value', axes, body, constant: evaluateUnary[operator](constant) };
}

export function applyBinary(
  operator: BinaryOperator,
  parts: readonly [Part, Part],
  span: Span,
  elaboration: Elaboration,
): Result {
  const lifted = lift(parts, span, elaboration, (left, right) => binary(operator, left, right));
  const [{ value: left }, { value: right }] = parts;
  if (lifted.kind === 'error' || left.kind === 'error' || right.kind === 'error') return errorValue;
  if (left.constant === undefined || right.constant === undefined) return lifted;
  const result = { ...lifted, constant: evaluateBinary[operator](left.constant, right.constant) };
  warnOfNotFinite(result, [left, right], span, elaboration);
  return result;
}

/** W704 where finite constants make one that is not, in a statement: in a size or a hyper-parameter it is an error. */
export function warnOfNotFinite(
  result: Result,
  operands: readonly Result[],
  span: Span,
  { diagnostics, frame }: Elaboration,
): void {
  const constantOf = (of: Result) => (of.kind === 'value' ? of.constant : undefined);
  const value = constantOf(result);
  if (frame === undefined || value === undefined || Number.isFinite(value)) return;
  if (!operands.every((operand) => Number.isFinite(constantOf(operand)))) return;
  const isKnown = diagnostics.list.some(
    ({ code, span: at }) => code === 'W704' && at.source === span.source && at.start === span.start,
  );
  // in the library it is due to an argument, and what cannot be used is an error where it is used
  if (isKnown || span.source.library) return;
  const what = Number.isNaN(value) ? 'not a number (NaN)' : value > 0 ? 'infinite' : 'minus infinite';
  diagnostics.warning('W704', span, `this constant is ${what}`, {
    hint: Number.isNaN(value) ? 'correct the formula' : 'if that is meant, write `inf` or `-inf`',
  });
}

function elaborateConditional(syntax: Conditional, scope: Scope, elaboration: Elaboration): Result {
  const condition = elaborateExpression(syntax.condition, scope, elaboration);
  if (condition.kind === 'value' && condition.constant !== undefined) {
    const chosen = condition.constant === 0 ? syntax.otherwise : syntax.then;
    return elaborateExpression(chosen, scope, elaboration);
  }
  const { frame } = elaboration;
  const known = frame?.known ?? [];
  const branch = (value: SyntaxExpression, holds: boolean): Part => {
    if (frame && condition.kind === 'value') frame.known = [...known, ...boundsFrom(condition.body, holds)];
    const part = { value: elaborateExpression(value, scope, elaboration), span: value.span };
    if (frame) frame.known = known;
    return part;
  };
  const parts = [
    { value: condition, span: syntax.condition.span },
    branch(syntax.then, true),
    branch(syntax.otherwise, false),
  ];
  return lift(parts, syntax.span, elaboration, (test, then, otherwise) => select(test, then, otherwise));
}

/**
 * An elementwise function of values: all that have axes must have the same shape (E307), the others are broadcast.
 * `build` is given the bodies, over the same indices.
 */
export function lift(
  parts: readonly Part[],
  span: Span,
  elaboration: Elaboration,
  build: (first: Expression, second: Expression, third: Expression, all: readonly Expression[]) => Expression,
): Result {
  let lead: (Part & { readonly value: Value }) | undefined;
  const bodies: Expression[] = [];
  for (const part of parts) {
    const { value } = part;
    if (value.kind === 'error') return errorValue;
    if (value.axes.length === 0) {
      bodies.push(value.body);
    } else if (lead === undefined) {
      lead = { ...part, value };
      bodies.push(value.body);
    } else {
      const { axes } = lead.value;
      const same =
        axes.length === value.axes.length &&
        axes.every(({ extent }, place) => extent === value.axes[place]?.extent);
      if (!same) {
        const [first, second] = [shapeText(axes), shapeText(value.axes)];
        elaboration.error(
          'E307',
          span,
          `shapes ${first} and ${second} cannot be combined element by element`,
          {
            notes: [
              { span: lead.span, message: `this is ${first}` },
              { span: part.span, message: `this is ${second}` },
            ],
            hint: 'only equal shapes and scalars combine; write indices to say what belongs to what',
          },
        );
        return errorValue;
      }
      bodies.push(
        onAxes(
          value,
          axes.map(({ variable }) => indexOf(variable)),
        ),
      );
    }
  }
  const [first = zero, second = zero, third = zero] = bodies;
  return { kind: 'value', axes: lead?.value.axes ?? [], body: build(first, second, third, bodies) };
}

/** The element of a value at a place. */
export function onAxes(value: Value, at: readonly IndexExpression[]): Expression {
  const replacements = new Map<string, IndexExpression>();
  for (const [place, { variable }] of value.axes.entries()) {
    const index = at[place];
    if (index !== undefined && isPlainIndex(index) !== variable) replacements.set(variable, index);
  }
  // the very same body where nothing changes: copies would no longer be shared, and double with every nesting
  return replacements.size === 0 ? value.body : substituteIndices(value.body, replacements);
}
