/** Expressions and index expressions in the language, with as few parentheses as its grammar allows. */
import { foldExpression } from './expressions.ts';
import { binaryOperators, precedence, unaryOperators } from './operators.ts';
import type { Constant, Derivative, Expression, IndexAtom, IndexExpression, Read } from './types.ts';

export interface PrintOptions {
  /** What Accumulated is printed as; default `accumulated`. */
  readonly accumulated?: string;
  /** The text that stands for a node, as one that needs no brackets: a mean in the place of a quotient. */
  readonly own?: ((node: Expression) => string | undefined) | undefined;
  /** The loop indices in scope: a run-time size of the same name is then written `extent(n)`. */
  readonly bound?: ReadonlySet<string>;
  /** Leave out all indices, as in an optimizer, where every tensor is taken whole. */
  readonly whole?: boolean;
  /** Write constants only by names that mean the same everywhere (`pi`, `1e-8`), not by names of dims. */
  readonly standalone?: boolean;
}

interface Printed {
  readonly text: string;
  readonly level: number;
}

/** Names of constants that every program knows. */
const universalName = /^(pi|e|inf|true|false|\d.*)$/;

export function printExpression(expression: Expression, options: PrintOptions = {}): string {
  return foldExpression<Printed>(expression, (node, operands) => printNode(node, operands, options)).text;
}

function printNode(node: Expression, operands: readonly Printed[], options: PrintOptions): Printed {
  const own = options.own?.(node);
  if (own !== undefined) return primary(own);
  const [first, second, third] = operands.map((operand) => atLeast(operand));
  switch (node.kind) {
    case 'constant':
      return printConstant(node, options.standalone ?? false);
    case 'index_value':
      return printIndexValue(node.index);
    case 'extent_value':
      return primary(options.bound?.has(node.extent) ? `extent(${node.extent})` : node.extent);
    case 'read':
      return printRead(node, options.whole ?? false);
    case 'accumulated':
      return primary(options.accumulated ?? 'accumulated');
    case 'derivative':
      return primary(printDerivative(node));
    case 'unary': {
      const { form, text, precedence: level } = unaryOperators[node.operator];
      if (form === 'call') return primary(`${text}(${first?.(0)})`);
      if (node.operator === 'negate') return printNegative(operands[0]);
      return { text: `${text}${first?.(level)}`, level };
    }
    case 'binary': {
      const { form, text, precedence: level } = binaryOperators[node.operator];
      if (form === 'call') return primary(`${text}(${first?.(0)}, ${second?.(0)})`);
      const [left, right] = operandLevels(level);
      const space = node.operator === 'power' ? '' : ' ';
      return { text: `${first?.(left)}${space}${text}${space}${second?.(right)}`, level };
    }
    case 'select':
      return {
        text: `${first?.(precedence.or)} ? ${second?.(precedence.ternary)} : ${third?.(precedence.ternary)}`,
        level: precedence.ternary,
      };
    case 'call':
      return primary(`${node.callee.name}(${operands.map((operand) => atLeast(operand)(0)).join(', ')})`);
  }
}

/** -a * b is (-a) * b, the same number as -(a * b): a product has no brackets behind its minus, unless there are two. */
function printNegative(operand: Printed | undefined): Printed {
  const { text = '', level = precedence.primary } = operand ?? {};
  if (level === precedence.product && !text.startsWith('-')) return { text: `-${text}`, level };
  const inside = level >= precedence.power ? text : `(${text})`;
  return { text: `-${inside}`, level: unaryOperators.negate.precedence };
}

/** How tightly the operands of an infix operator must bind: left-associative, but comparisons not at all and ^ right. */
function operandLevels(level: number): readonly [number, number] {
  if (level === precedence.comparison) return [precedence.sum, precedence.sum];
  if (level === precedence.power) return [precedence.primary, precedence.negation];
  return [level, level + 1];
}

const primary = (text: string): Printed => ({ text, level: precedence.primary });

/** Its text where an operand of at least some level is needed: in parentheses if it binds looser. */
const atLeast =
  ({ text, level }: Printed) =>
  (needed: number): string =>
    level >= needed ? text : `(${text})`;

// ----------------------------------------------------------------------------------------------------------- constants

function printConstant({ value, name }: Constant, standalone: boolean): Printed {
  if (name !== undefined && (!standalone || universalName.test(name))) return primary(name);
  return {
    text: printNumber(value),
    level: value < 0 || Object.is(value, -0) ? precedence.negation : precedence.primary,
  };
}

/** The shortest text that reads back as just this number. */
export function printNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return String(value).replace('e+', 'e');
}

// --------------------------------------------------------------------------------------------------------------- reads

function printRead({ tensor, at, outside }: Read, whole: boolean): Printed {
  const place = at.length === 0 || whole ? '' : `[${at.map(printIndex).join(', ')}]`;
  if (outside === undefined) return primary(`${tensor}${place}`);
  // `x[i - 1] else 0 * y` would be parsed rightly, but a reader would stumble: parentheses inside every operator.
  return { text: `${tensor}${place} else ${printNumber(outside)}`, level: precedence.ternary };
}

/** `grad(z[n, o], x[n, i])`; `jvp(z, x = v)[n, o]` */
function printDerivative({ of, by, along }: Derivative): string {
  const place = ({ at }: Read): string => (at.length === 0 ? '' : `[${at.map(printIndex).join(', ')}]`);
  if (along === undefined) return `grad(${[of, ...by].map((each) => each.tensor + place(each)).join(', ')})`;
  const directions = by.map(({ tensor }, position) => `${tensor} = ${along[position]?.tensor ?? ''}`);
  return `jvp(${[of.tensor, ...directions].join(', ')})${place(of)}`;
}

// --------------------------------------------------------------------------------------------------- index expressions

/** An index expression as it stands in brackets, where `/` is the floor of the quotient: `2*i + u - 1`. */
export function printIndex(index: IndexExpression): string {
  return printTerms(index, false).text;
}

/** The same as a number, where `/` would be a real quotient. */
function printIndexValue(index: IndexExpression): Printed {
  return printTerms(index, true);
}

function printTerms({ terms, constant }: IndexExpression, asNumber: boolean): Printed {
  const parts = terms.map(({ coefficient, atom }) => ({
    negative: coefficient < 0,
    printed: printTerm(Math.abs(coefficient), atom, asNumber, coefficient < 0),
  }));
  if (constant !== 0 || terms.length === 0) {
    const part = { negative: constant < 0, printed: primary(String(Math.abs(constant))) };
    // A leading minus reads badly: 3 - i, not -i + 3.
    if (parts[0]?.negative === true && constant > 0) parts.unshift(part);
    else parts.push(part);
  }
  const [head, ...tail] = parts;
  const lead = head === undefined ? primary('0') : head.printed;
  const first = head?.negative
    ? { text: `-${lead.text}`, level: Math.min(lead.level, precedence.negation) }
    : lead;
  if (tail.length === 0) return first;
  const rest = tail.map((part) => `${part.negative ? ' - ' : ' + '}${part.printed.text}`);
  return { text: first.text + rest.join(''), level: precedence.sum };
}

function printTerm(magnitude: number, atom: IndexAtom, asNumber: boolean, negative: boolean): Printed {
  const printed = printAtom(atom, asNumber);
  const needed = magnitude === 1 && !negative ? precedence.sum : precedence.negation;
  const text = atLeast(printed)(needed);
  if (magnitude === 1) return { text, level: text === printed.text ? printed.level : precedence.primary };
  return { text: `${magnitude}*${text}`, level: precedence.product };
}

function printAtom(atom: IndexAtom, asNumber: boolean): Printed {
  switch (atom.kind) {
    case 'index':
      return primary(atom.name);
    case 'fetch':
      return primary(
        atom.at.length === 0 ? atom.tensor : `${atom.tensor}[${atom.at.map(printIndex).join(', ')}]`,
      );
    case 'quotient': {
      const quotient = `${atLeast(printTerms(atom.of, asNumber))(precedence.product)} / ${atom.by}`;
      if (atom.exact) return primary(`exact(${quotient})`);
      return asNumber ? primary(`floor(${quotient})`) : { text: quotient, level: precedence.product };
    }
    case 'remainder':
      return primary(`mod(${printTerms(atom.of, asNumber).text}, ${atom.by})`);
  }
}
