/**
 * The statements of a program as LaTeX, through the expression nodes of mathjs (which know where parentheses belong).
 * One `aligned` block for each statement; above it, as a comment, the place in the model it comes from.
 *
 *     h_{n, j} &= \operatorname{relu}\left(...\right)        A_{i, j}            the element of A at i, j
 *     \left[x_{i - 1}\right]_{0}                             a read that is 0 outside of x
 */
import type { ConditionalNode, ConstantNode, FunctionNode, MathNode, OperatorNode, SymbolNode } from 'mathjs';
import { placeOf } from '../diagnostics/source.ts';
import { foldExpression, isScatter, reducedIndices } from '../graph/expressions.ts';
import { binaryOperators, precedence } from '../graph/operators.ts';
import type {
  BinaryOperator,
  Combine,
  Derivative,
  Expression,
  IndexAtom,
  IndexExpression,
  Program,
  Read,
  Statement,
  UnaryOperator,
} from '../graph/types.ts';

/** The constructors of mathjs that are used here. */
interface Nodes {
  readonly ConstantNode: new (value: number) => ConstantNode;
  readonly SymbolNode: new (name: string) => SymbolNode;
  readonly FunctionNode: new (name: string, operands: MathNode[]) => FunctionNode;
  readonly OperatorNode: new (operator: string, name: string, operands: MathNode[]) => OperatorNode;
  readonly ConditionalNode: new (condition: MathNode, then: MathNode, otherwise: MathNode) => ConditionalNode;
}

/** LaTeX of all statements, in order. Heavy: mathjs is loaded when this is called first. */
export async function emitLatex(program: Program): Promise<string> {
  const math = (await import('mathjs/number')) as unknown as Nodes;
  return program.statements.map((statement) => statementBlock(statement, math)).join('\n');
}

/** The same piece by piece, for pages that set formulas among words. */
export interface LatexPrinter {
  /** `h_{n, j} &= ...`: a line of an `aligned` block. */
  readonly statement: (statement: Statement) => string;
  readonly expression: (expression: Expression) => string;
  /** An element: `A_{i, j}`. */
  readonly element: (tensor: string, at: readonly IndexExpression[]) => string;
  readonly name: (name: string) => string;
}

/** Heavy, as `emitLatex` is. */
export async function latexPrinter(): Promise<LatexPrinter> {
  const math = (await import('mathjs/number')) as unknown as Nodes;
  return {
    statement: (statement) => statementLine(statement, math),
    expression: (expression) => expressionTex(expression, math),
    element: subscripted,
    name: nameTex,
  };
}

// ---------------------------------------------------------------------------------------------------------- statements

/** The head of a reduction, and how a scatter writes it. */
const reductions: Readonly<Record<Combine, { readonly head: string; readonly update: string }>> = {
  assign: { head: '', update: '=' },
  sum: { head: '\\sum', update: '\\mathrel{+}=' },
  product: { head: '\\prod', update: '\\mathrel{\\times}=' },
  max: { head: '\\max', update: '\\mathrel{\\max}=' },
  min: { head: '\\min', update: '\\mathrel{\\min}=' },
  logsumexp: { head: '\\operatorname*{logsumexp}', update: '\\mathrel{\\operatorname{logsumexp}}=' },
  argmax: { head: '\\operatorname*{arg\\,max}', update: '\\mathrel{\\operatorname{arg\\,max}}=' },
  argmin: { head: '\\operatorname*{arg\\,min}', update: '\\mathrel{\\operatorname{arg\\,min}}=' },
};

function statementBlock(statement: Statement, math: Nodes): string {
  const { origin } = statement;
  const history = origin.history.length > 0 ? ` (${origin.history.join(', ')})` : '';
  const line = statementLine(statement, math);
  return `% ${placeOf(origin.span)}${history}\n\\begin{aligned}\n  ${line}\n\\end{aligned}\n`;
}

function statementLine(statement: Statement, math: Nodes): string {
  const left = subscripted(statement.target, statement.write);
  return isScatter(statement) ? scatterLine(statement, left, math) : assignLine(statement, left, math);
}

function scatterLine({ combine, body, indices }: Statement, left: string, math: Nodes): string {
  const all = indices.map((index) => nameTex(index.name)).join(', ');
  const update = reductions[combine].update;
  return `${left} &${update} ${expressionTex(body, math)}${all === '' ? '' : ` \\quad \\forall\\, ${all}`}`;
}

function assignLine(statement: Statement, left: string, math: Nodes): string {
  const { combine, body, finish } = statement;
  const over = reducedIndices(statement).map((index) => nameTex(index.name));
  const { head } = reductions[combine];
  const bare = expressionTex(body, math);
  const value = head === '' ? bare : `${head}_{${over.join(', ')}} ${isLoose(body) ? enclosed(bare) : bare}`;
  if (finish === undefined) return `${left} &= ${value}`;
  return `${left} &= ${expressionTex(finish, math, enclosed(value))}`;
}

/** True for what would come apart behind a sum sign. */
function isLoose(expression: Expression): boolean {
  if (expression.kind === 'select') return true;
  if (expression.kind === 'unary') return expression.operator === 'negate';
  const tight: readonly BinaryOperator[] = ['multiply', 'divide', 'power', 'max', 'min', 'atan2'];
  return expression.kind === 'binary' && !tight.includes(expression.operator);
}

// --------------------------------------------------------------------------------------------------------- expressions

/** Operators that mathjs prints by its own rules of precedence: its sign, and its name. */
const operators: Readonly<Partial<Record<BinaryOperator, readonly [sign: string, name: string]>>> = {
  add: ['+', 'add'],
  subtract: ['-', 'subtract'],
  multiply: ['*', 'multiply'],
  divide: ['/', 'divide'],
  power: ['^', 'pow'],
  modulo: ['%', 'mod'],
  less: ['<', 'smaller'],
  less_equal: ['<=', 'smallerEq'],
  greater: ['>', 'larger'],
  greater_equal: ['>=', 'largerEq'],
  equal: ['==', 'equal'],
  not_equal: ['!=', 'unequal'],
  and: ['and', 'and'],
  or: ['or', 'or'],
};

const operator = (name: string) => (x: string) => `\\operatorname{${name}}${enclosed(x)}`;
const command = (name: string) => (x: string) => `\\${name}${enclosed(x)}`;

/** Functions of one operand. */
const functions: Readonly<Record<Exclude<UnaryOperator, 'negate' | 'not'>, (x: string) => string>> = {
  abs: (x) => `\\left|${x}\\right|`,
  sign: operator('sign'),
  floor: (x) => `\\left\\lfloor ${x}\\right\\rfloor`,
  ceil: (x) => `\\left\\lceil ${x}\\right\\rceil`,
  round: operator('round'),
  exp: command('exp'),
  expm1: operator('expm1'),
  log: command('ln'),
  log1p: operator('log1p'),
  log2: command('log_2'),
  sqrt: (x) => `\\sqrt{${x}}`,
  sin: command('sin'),
  cos: command('cos'),
  tan: command('tan'),
  asin: command('arcsin'),
  acos: command('arccos'),
  atan: command('arctan'),
  sinh: command('sinh'),
  cosh: command('cosh'),
  tanh: command('tanh'),
  asinh: operator('arsinh'),
  acosh: operator('arcosh'),
  atanh: operator('artanh'),
  erf: operator('erf'),
  sigmoid: command('sigma'),
  softplus: operator('softplus'),
  relu: operator('relu'),
  norm_sqrt: (x) => `\\sqrt{${x}}`,
  stop_gradient: operator('stop'),
};

/** Operators that are a command: the letter of a name right behind would be taken for a part of it. */
const signsOfLetters = /\\(?:cdot|wedge|vee|neg|neq|leq|geq|mod)/g;

/** The name of a function that is printed as its operand in parentheses. */
const parentheses = 'parentheses';

const constants: Readonly<Record<string, string>> = { pi: '\\pi', e: 'e', inf: '\\infty' };

function expressionTex(root: Expression, math: Nodes, accumulated = ''): string {
  // a leaf is a symbol, whose text is looked up when the tree is printed
  const leaves = new Map<string, string>();
  const leaf = (tex: string): MathNode => {
    const name = `leaf${leaves.size}`;
    leaves.set(name, tex);
    return new math.SymbolNode(name);
  };
  const tree = foldExpression<MathNode>(root, (node, operands) => {
    switch (node.kind) {
      case 'constant':
        return constantNode(node.value, node.name, leaf, math);
      case 'index_value':
        return leaf(inner(node.index));
      case 'extent_value':
        return leaf(`\\left|${nameTex(node.extent)}\\right|`);
      case 'accumulated':
        return leaf(accumulated);
      case 'derivative':
        return leaf(derivativeTex(node));
      case 'read': {
        const place = subscripted(node.tensor, node.at);
        return leaf(
          node.outside === undefined ? place : `\\left[${place}\\right]_{${numberTex(node.outside)}}`,
        );
      }
      case 'unary':
        if (node.operator === 'negate') return new math.OperatorNode('-', 'unaryMinus', [...operands]);
        if (node.operator === 'not') return new math.OperatorNode('not', 'not', [...operands]);
        return new math.FunctionNode(node.operator, [...operands]);
      case 'binary': {
        const [sign, name] = operators[node.operator] ?? [];
        const [left, right] = operands;
        if (!left || !right) throw new Error('a binary operator has two operands');
        if (sign === undefined || name === undefined)
          return new math.FunctionNode(node.operator, [left, right]);
        const apart = (operand: MathNode): MathNode => new math.FunctionNode(parentheses, [operand]);
        // a < b = c would read as a chain: (a < b) = c
        if (isComparison(node))
          return new math.OperatorNode(sign, name, [
            isComparison(node.left) ? apart(left) : left,
            isComparison(node.right) || isNegated(right) ? apart(right) : right,
          ]);
        // a sign must not stand right behind an operator: a + (-b)
        const signed = isNegated(right) && name !== 'divide' ? apart(right) : right;
        return new math.OperatorNode(sign, name, [left, signed]);
      }
      case 'select': {
        const [condition, then, otherwise] = operands;
        if (!condition || !then || !otherwise) throw new Error('a select has three operands');
        return new math.ConditionalNode(condition, then, otherwise);
      }
      case 'call':
        return new math.FunctionNode(node.callee.name.replaceAll('_', '\\_'), [...operands]);
    }
  });
  const handler = (node: MathNode, options: object): string | undefined => {
    if (isSymbol(node)) return leaves.get(node.name);
    if (!isFunction(node)) return undefined;
    const operands = node.args.map((operand) => operand.toTex(options)).join(', ');
    const { name } = node.fn;
    if (name === parentheses) return enclosed(operands);
    return (isFunctionName(name) ? functions[name] : operator(name))(operands);
  };
  return tree.toTex({ handler, parenthesis: 'auto' }).replace(signsOfLetters, ' $& ').trim();
}

/** \frac{\partial u_n}{\partial x_{n i}}; along a direction: D z [x \to v] */
function derivativeTex({ of, by, along }: Derivative): string {
  const place = ({ tensor, at }: Read): string => subscripted(tensor, at);
  if (along === undefined) return `\\frac{\\partial ${place(of)}}{\\partial ${by.map(place).join(' ')}}`;
  const directions = by.map(
    ({ tensor }, position) => `${nameTex(tensor)} \\to ${nameTex(along[position]?.tensor ?? '')}`,
  );
  return `\\mathrm{D} ${place(of)} \\left[${directions.join(', ')}\\right]`;
}

function isSymbol(node: MathNode): node is SymbolNode {
  return node.type === 'SymbolNode';
}

function isFunction(node: MathNode): node is FunctionNode & { readonly fn: SymbolNode } {
  return node.type === 'FunctionNode';
}

function isNegated(node: MathNode): boolean {
  return node.type === 'OperatorNode' && (node as OperatorNode).fn === 'unaryMinus';
}

function isComparison(node: Expression): boolean {
  return node.kind === 'binary' && binaryOperators[node.operator].precedence === precedence.comparison;
}

function isFunctionName(name: string): name is keyof typeof functions {
  return Object.hasOwn(functions, name);
}

/** mathjs prints -2 ^ x for a negative constant: the sign is an operator here. */
function constantNode(
  value: number,
  name: string | undefined,
  leaf: (tex: string) => MathNode,
  math: Nodes,
): MathNode {
  const known = name === undefined ? undefined : constants[name];
  if (known !== undefined) return leaf(known);
  if (value < 0)
    return new math.OperatorNode('-', 'unaryMinus', [constantNode(-value, undefined, leaf, math)]);
  return leaf(numberTex(value));
}

function numberTex(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '-\\infty' : '\\infty';
  const [mantissa = '', exponent] = String(value).split('e');
  return exponent === undefined ? mantissa : `${mantissa} \\times 10^{${Number(exponent)}}`;
}

// ------------------------------------------------------------------------------------------------------ names, indices

function enclosed(tex: string): string {
  return `\\left(${tex}\\right)`;
}

/** One letter stands for itself; a longer name is one word, its primes outside. */
function nameTex(name: string): string {
  const word = name.replaceAll("'", '');
  const primes = name.slice(word.length);
  return `${word.length === 1 ? word : `\\mathit{${word.replaceAll('_', '\\_')}}`}${primes}`;
}

function subscripted(tensor: string, at: readonly IndexExpression[]): string {
  return at.length === 0 ? nameTex(tensor) : `${nameTex(tensor)}_{${at.map(indexTex).join(', ')}}`;
}

function indexTex(index: IndexExpression): string {
  let text = '';
  const append = (negative: boolean, tex: string): void => {
    text += text === '' ? `${negative ? '-' : ''}${tex}` : ` ${negative ? '-' : '+'} ${tex}`;
  };
  // what is added first: i - 2u, not -2u + i
  for (const { coefficient, atom } of index.terms.toSorted(
    (a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0),
  )) {
    const size = Math.abs(coefficient);
    append(coefficient < 0, `${size === 1 ? '' : `${size} `}${atomTex(atom)}`);
  }
  if (index.constant !== 0 || text === '') append(index.constant < 0, String(Math.abs(index.constant)));
  return text;
}

function atomTex(atom: IndexAtom): string {
  switch (atom.kind) {
    case 'index':
      return nameTex(atom.name);
    case 'fetch':
      return subscripted(atom.tensor, atom.at);
    case 'quotient': {
      const quotient = `${inner(atom.of)} / ${atom.by}`;
      return atom.exact ? `(${quotient})` : `\\lfloor ${quotient} \\rfloor`;
    }
    case 'remainder':
      return `(${inner(atom.of)} \\bmod ${atom.by})`;
  }
}

function inner(index: IndexExpression): string {
  return index.terms.length + Number(index.constant !== 0) > 1 ? `(${indexTex(index)})` : indexTex(index);
}
