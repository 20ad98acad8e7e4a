/**
 * W705: a function is used at an edge of where it is defined, or where its slope is infinite, and a gradient has to pass. Only
 * what the formulas leave open counts: a sum of squares plus 1e-5 is above 0, a softmax too, and a value behind a
 * condition that looks at it is taken care of.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { reads } from '../graph/expressions.ts';
import { printExpression } from '../graph/print-expression.ts';
import type { Expression, Program, Statement, UnaryOperator } from '../graph/types.ts';
import { GradientPaths, passingParts } from './gradient-paths.ts';
import { callIn, reportAt } from './places.ts';
import { mayBe, mayBeAbove, mayBeBelow } from './ranges.ts';
import type { Range } from './ranges.ts';
import { Values } from './values.ts';
import type { Choice } from './values.ts';

/** What may go wrong, and what to write instead. */
interface Edge {
  /** What the operand may be: `0 or negative`. */
  readonly operandMayBe: string;
  /** What there is then. */
  readonly then: string;
  readonly hint: string;
}

type EdgeOf = (operand: Range) => Edge | undefined;

const noEdge: EdgeOf = () => undefined;

const logarithm: EdgeOf = (operand) => {
  if (!mayBe(operand, 0) && !mayBeBelow(operand, 0)) return undefined;
  return mayBeBelow(operand, 0)
    ? {
        operandMayBe: 'negative or 0',
        then: 'the logarithm is NaN or -inf',
        hint: 'take it of what is positive by its formula (exp, softplus), or clamp it: log(max(u, 1e-7))',
      }
    : {
        operandMayBe: '0',
        then: 'the logarithm is -inf and its slope infinite',
        hint: 'add a small number, log(u + 1e-7), or clamp it, log(max(u, 1e-7))',
      };
};

const root: EdgeOf = (operand) => {
  if (!mayBe(operand, 0) && !mayBeBelow(operand, 0)) return undefined;
  return mayBeBelow(operand, 0)
    ? {
        operandMayBe: 'negative',
        then: 'the root is NaN',
        hint: 'take it of what is positive by its formula, or clamp it: sqrt(max(u, 1e-7))',
      }
    : {
        operandMayBe: '0',
        then: 'the slope of the root is infinite',
        hint: 'add a small number under the root: sqrt(u + 1e-7)',
      };
};

const shifted = (operand: Range, by: number): Range => ({
  least: { ...operand.least, value: operand.least.value + by },
  greatest: { ...operand.greatest, value: operand.greatest.value + by },
});

const inUnit =
  (name: string, at: string): EdgeOf =>
  (operand) => {
    const isOutside = mayBeBelow(operand, -1) || mayBeAbove(operand, 1);
    if (!isOutside && !mayBe(operand, -1) && !mayBe(operand, 1)) return undefined;
    return {
      operandMayBe: isOutside ? 'outside of -1 .. 1' : '-1 or 1',
      then: isOutside ? `${name} is NaN` : at,
      hint: `keep it inside: ${name}(clip(u, -0.999, 0.999))`,
    };
  };

const unaryEdges: Readonly<Record<UnaryOperator, EdgeOf>> = {
  negate: noEdge,
  abs: noEdge,
  sign: noEdge,
  floor: noEdge,
  ceil: noEdge,
  round: noEdge,
  exp: noEdge,
  expm1: noEdge,
  log: logarithm,
  log1p: (operand) => {
    const edge = logarithm(shifted(operand, 1));
    return edge && { ...edge, operandMayBe: edge.operandMayBe === '0' ? '-1' : '-1 or less' };
  },
  log2: logarithm,
  sqrt: root,
  sin: noEdge,
  cos: noEdge,
  tan: noEdge,
  asin: inUnit('asin', 'the slope of asin is infinite'),
  acos: inUnit('acos', 'the slope of acos is infinite'),
  atan: noEdge,
  sinh: noEdge,
  cosh: noEdge,
  tanh: noEdge,
  asinh: noEdge,
  acosh: (operand) => {
    if (!mayBe(operand, 1) && !mayBeBelow(operand, 1)) return undefined;
    const isOutside = mayBeBelow(operand, 1);
    return {
      operandMayBe: isOutside ? 'below 1' : '1',
      then: isOutside ? 'acosh is NaN' : 'the slope of acosh is infinite',
      hint: 'keep it above 1: acosh(max(u, 1 + 1e-6))',
    };
  },
  atanh: inUnit('atanh', 'atanh is infinite'),
  erf: noEdge,
  sigmoid: noEdge,
  softplus: noEdge,
  relu: noEdge,
  // its slope at 0 is 0 by choice
  norm_sqrt: noEdge,
  not: noEdge,
  stop_gradient: noEdge,
};

const quotient: Edge = {
  operandMayBe: '0',
  then: 'the quotient is infinite or NaN',
  hint: 'add a small number to what is positive, a / (u + 1e-7), or clamp it, a / max(u, 1e-7)',
};

const negativeBase: Edge = {
  operandMayBe: 'negative',
  then: 'the power is NaN',
  hint: 'raise what is positive by its formula, or clamp it: max(u, 1e-7)^p',
};

function powerEdge(base: Range, exponent: Expression): Edge | undefined {
  const power = exponent.kind === 'constant' ? exponent.value : undefined;
  const mayVanish = mayBe(base, 0);
  if (power === undefined) {
    if (mayBeBelow(base, 0)) return negativeBase;
    return mayVanish
      ? { ...negativeBase, operandMayBe: '0', then: 'the slope of the power is infinite or NaN' }
      : undefined;
  }
  if (!Number.isInteger(power) && mayBeBelow(base, 0)) return negativeBase;
  if (power >= 1 || power === 0 || !mayVanish) return undefined;
  return {
    operandMayBe: '0',
    then: power < 0 ? 'the power is infinite' : 'the slope of the power is infinite',
    hint: 'add a small number to the base: (u + 1e-7)^p',
  };
}

/** What a finding is about. */
interface Finding {
  readonly edge: Edge;
  /** The name that the language gives the function, or its sign. */
  readonly called: string;
  readonly operand: Expression;
}

/** @param trains there is a `train` block; otherwise parameters keep the values that they are given, as data do */
export function warnOfEdges(program: Program, trains: boolean, diagnostics: Diagnostics): void {
  const values = new Values(program);
  const paths = new GradientPaths(program);
  for (const statement of program.statements) {
    if (!paths.has(statement.target)) continue;
    for (const root of [statement.body, ...(statement.finish === undefined ? [] : [statement.finish])])
      for (const { part, choices } of passingParts(root)) {
        const finding = findingOf(part, choices, values, paths, program);
        if (finding !== undefined && (trains || !isGiven(finding.operand, program)))
          report(finding, statement, diagnostics);
      }
  }
}

function findingOf(
  part: Expression,
  choices: readonly Choice[],
  values: Values,
  paths: GradientPaths,
  program: Program,
): Finding | undefined {
  if (part.kind !== 'unary' && part.kind !== 'binary') return undefined;
  const isPower = part.kind === 'binary' && part.operator === 'power';
  const isQuotient = part.kind === 'binary' && part.operator === 'divide';
  if (part.kind === 'binary' && !isPower && !isQuotient) return undefined;
  const operand = part.kind === 'unary' ? part.operand : isPower ? part.left : part.right;
  if (part.kind === 'unary' && unaryEdges[part.operator] === noEdge) return undefined;
  // a logarithm of data is the concern of the data
  const varies =
    paths.varies(operand) || (isPower && part.right.kind !== 'constant' && paths.varies(part.right));
  if (!varies || isLookedAt(operand, choices)) return undefined;
  const range = values.ofPart(operand, choices);
  if (part.kind === 'unary') {
    const edge = unaryEdges[part.operator](range);
    return edge && { edge, called: part.operator, operand };
  }
  if (isPower) {
    const edge = powerEdge(range, part.right);
    return edge && { edge, called: '^', operand };
  }
  if (!mayBe(range, 0) || isScale(operand, program)) return undefined;
  return { edge: quotient, called: '/', operand };
}

/** A parameter as it is, perhaps with a sign. */
function isGiven(operand: Expression, { tensors }: Pick<Program, 'tensors'>): boolean {
  if (operand.kind === 'unary' && operand.operator === 'negate') return isGiven(operand.operand, { tensors });
  return operand.kind === 'read' && tensors.get(operand.tensor)?.role === 'parameter';
}

/** A choice that reads what the operand reads is there to keep it inside. */
function isLookedAt(operand: Expression, choices: readonly Choice[]): boolean {
  const own = new Set(reads(operand).map(({ tensor }) => tensor));
  return choices.some(({ condition }) => reads(condition).some(({ tensor }) => own.has(tensor)));
}

/** A learned scale or temperature that does not begin at 0 is divided by as it is. */
function isScale(operand: Expression, { tensors }: Program): boolean {
  if (operand.kind !== 'read') return false;
  const { role, initializer } = tensors.get(operand.tensor) ?? {};
  return role === 'parameter' && initializer?.kind === 'constant' && initializer.value !== 0;
}

function report({ edge, called, operand }: Finding, statement: Statement, diagnostics: Diagnostics): void {
  const call = callIn(statement.origin, called);
  const written = call?.argument ?? printExpression(operand);
  const what =
    called === '/'
      ? `the divisor \`${written}\` may be ${edge.operandMayBe}`
      : called === '^'
        ? `the base \`${written}\` of a power may be ${edge.operandMayBe}`
        : `the operand of \`${called}(${written})\` may be ${edge.operandMayBe}`;
  reportAt(statement.origin, call?.span, 'W705', `${what}: ${edge.then}`, edge.hint, diagnostics);
}
