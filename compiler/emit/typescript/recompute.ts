/**
 * @file A statement as functions that compute one of its elements again, for `--checks`: each read is a call `at('W', i, j)`, so that
 * the runtime sees what was read.
 */
import { isScatter, postorder, reads, reducedIndices } from '../../graph/expressions.ts';
import { valueOfCall } from '../../graph/own-functions.ts';
import { formulaOf } from '../../graph/formula.ts';
import type {
  Expression,
  Extent,
  IndexAtom,
  IndexExpression,
  Origin,
  Program,
  Statement,
} from '../../graph/types.ts';
import { placeOf, positionAt } from '../../diagnostics/source.ts';
import type { Span } from '../../diagnostics/source.ts';
import { floorDivide, integer, modulo, product, sum, variable } from '../../schedule/integers.ts';
import type { IntegerExpression, Value } from '../../schedule/types.ts';
import type { ModuleContext } from './functions.ts';
import { printInteger, printNumber, type Naming } from './integers.ts';
import { printLiteral } from './literal.ts';
import { Scope } from './names.ts';
import { printValue } from './values.ts';

/** Of an expression with more nodes, written out, only the reads are printed. */
const MOST_NODES = 400;

/** `digits.dsl:13:3`, and in brackets where in a layer. */
export function fullPlace({ span, calls }: Origin): string {
  const [call] = calls;
  return call === undefined ? columnOf(span) : `${columnOf(call)} (${columnOf(span)})`;
}

const columnOf = (span: Span): string => `${placeOf(span)}:${positionAt(span.source, span.start).column}`;

/** The formula on one line. */
export function wholeFormula(statement: Statement, program: Program): string {
  const { lines, names } = formulaOf(statement, program);
  return [...lines, ...names].map((line) => line.trim()).join(' ');
}

export const printExtents = (extents: readonly Extent[]): string =>
  `[${extents.map((extent) => (typeof extent === 'number' ? String(extent) : "'n'")).join(', ')}]`;

/** The fields of a `CheckedStatement` that compute: `over`, `combine`, `term`, `finish`, `write`. */
export function recomputing(statement: Statement, module: ModuleContext): string[] {
  const scatters = isScatter(statement);
  const written = statement.indices.slice(0, statement.write.length);
  const over = scatters ? statement.indices : reducedIndices(statement);
  const all = scatters ? statement.indices : [...written, ...over];
  const names = all.map(({ name }) => name);
  const { combine, body, finish, write } = statement;
  const own = scatters ? write.map((_, axis) => `i${axis}`) : written.map(({ name }) => name);
  return [
    ...(combine === 'assign' ? [] : [`combine: '${combine}'`]),
    ...(over.length === 0 ? [] : [`over: ${printExtents(over.map(({ extent }) => extent))}`]),
    `term: ${arrow(['at'], names, (printer) => printer.expression(body), module)}`,
    ...(finish === undefined
      ? []
      : [`finish: ${arrow(['at', 'joined'], own, (printer) => printer.expression(finish), module)}`]),
    ...(scatters
      ? [
          `write: ${arrow(['at'], names, (printer) => `[${write.map((index) => printer.index(index)).join(', ')}]`, module)}`,
        ]
      : []),
  ];
}

/** `(at, n, j) => ...`; parameters that are not used are left out at the end, and have an underscore elsewhere. */
function arrow(
  given: readonly string[],
  indices: readonly string[],
  bodyOf: (printer: Printer) => string,
  module: ModuleContext,
): string {
  const printer = new Printer(given, indices, module);
  const body = bodyOf(printer);
  const words = new Set(body.replaceAll(/'[^']*'|"[^"]*"/g, '').match(/[A-Za-z_]\w*/g));
  const parameters = [...given, ...indices.map((name) => printer.nameOf(name))];
  const last = parameters.findLastIndex((name) => words.has(name));
  const shown = parameters.slice(0, last + 1).map((name) => (words.has(name) ? name : `_${name}`));
  return `(${shown.join(', ')}) => ${body}`;
}

class Printer {
  private readonly names = new Map<string, string>();
  private readonly naming: Naming;

  constructor(given: readonly string[], indices: readonly string[], module: ModuleContext) {
    const scope = new Scope(module.scope);
    scope.reserve(...given, 'at', 'joined');
    for (const index of indices) this.names.set(index, scope.declare(index));
    this.naming = {
      variable: (name) => name,
      buffer: (name) => name,
      helper: module.helper,
      nonNegative: () => false,
    };
  }

  nameOf(index: string): string {
    return this.names.get(index) ?? index;
  }

  expression(root: Expression): string {
    if (sizeOf(root) <= MOST_NODES) return printValue(this.value(root), this.naming);
    const all = reads(root).map((node) => printValue(this.value(node), this.naming));
    return `[${all.join(', ')}].includes(NaN) ? NaN : Infinity`;
  }

  index(index: IndexExpression): string {
    return printInteger(this.integer(index), this.naming);
  }

  private value(node: Expression): Value {
    switch (node.kind) {
      case 'constant':
        return { kind: 'number', value: node.value, ...(node.name === undefined ? {} : { name: node.name }) };
      case 'index_value':
        return { kind: 'from_integer', value: this.integer(node.index) };
      case 'extent_value':
        return { kind: 'variable', name: 'at.rows' };
      case 'accumulated':
        return { kind: 'variable', name: 'joined' };
      case 'read':
        return {
          kind: 'variable',
          name:
            node.outside === undefined
              ? `at(${this.place(node.tensor, node.at)})`
              : `at.orElse(${printNumber(node.outside)}, ${this.place(node.tensor, node.at)})`,
        };
      case 'unary':
        return { kind: 'unary', operator: node.operator, operand: this.value(node.operand) };
      case 'binary':
        return {
          kind: 'binary',
          operator: node.operator,
          left: this.value(node.left),
          right: this.value(node.right),
        };
      case 'derivative':
        throw new Error('a derivative was left in the program');
      case 'call':
        return this.value(valueOfCall(node));
      case 'select':
        return {
          kind: 'select',
          condition: { kind: 'nonzero', value: this.value(node.condition) },
          then: this.value(node.then),
          otherwise: this.value(node.otherwise),
        };
    }
  }

  private place(tensor: string, at: readonly IndexExpression[]): string {
    return [printLiteral(tensor), ...at.map((index) => this.index(index))].join(', ');
  }

  private integer({ terms, constant }: IndexExpression): IntegerExpression {
    return sum(
      ...terms.map(({ coefficient, atom }) => product(this.atom(atom), integer(coefficient))),
      integer(constant),
    );
  }

  private atom(atom: IndexAtom): IntegerExpression {
    switch (atom.kind) {
      case 'index':
        return variable(this.nameOf(atom.name));
      case 'fetch':
        return variable(`at(${this.place(atom.tensor, atom.at)})`);
      case 'quotient':
        // what is not whole is outside of the tensor
        return atom.exact
          ? variable(`((${this.index(atom.of)}) / ${atom.by})`)
          : floorDivide(this.integer(atom.of), atom.by);
      case 'remainder':
        return modulo(this.integer(atom.of), atom.by);
    }
  }
}

/** The nodes of an expression that is written out. */
function sizeOf(root: Expression): number {
  const sizes = new Map<Expression, number>();
  const size = (node: Expression | undefined): number => (node === undefined ? 0 : (sizes.get(node) ?? 0));
  for (const node of postorder(root)) {
    const inner =
      node.kind === 'unary'
        ? size(node.operand)
        : node.kind === 'binary'
          ? size(node.left) + size(node.right)
          : node.kind === 'select'
            ? size(node.condition) + size(node.then) + size(node.otherwise)
            : 0;
    sizes.set(node, 1 + inner);
  }
  return size(root);
}
