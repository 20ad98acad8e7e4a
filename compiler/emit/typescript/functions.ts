/**
 * @file One loop function as one TypeScript function, under its mathematics. Inner loops hold plain arithmetic on array
 * elements: no closures, no allocation, no Math.fround (a store rounds), which V8 compiles well.
 */
import type { ElementType } from '../../graph/types.ts';
import { integer, sum } from '../../schedule/integers.ts';
import type {
  CallArgument,
  IntegerExpression,
  LoopFunction,
  LoopStatement,
  Value,
} from '../../schedule/types.ts';
import type { Scope } from './names.ts';
import { Scope as FunctionScope } from './names.ts';
import { splitCondition, splitValue, type Part } from './split.ts';
import { keptArguments, withoutUnusedConstants, type Kept } from './usage.ts';
import { isNonNegative, printInteger, printNumber, type Helper, type Naming } from './integers.ts';
import { printCondition, printValue } from './values.ts';

/** What a function needs to know of the module around it. */
export interface ModuleContext {
  readonly scope: Scope;
  readonly arrayType: Readonly<Record<ElementType, string>>;
  readonly functionName: (name: string) => string;
  readonly kept: (name: string) => Kept;
  readonly helper: (name: Helper) => string;
}

/** The parameters and the body, without the name: `(x: Float32Array, n: number): void { ... }`. */
export interface FunctionText {
  readonly parameters: string;
  readonly lines: readonly string[];
  /** For each line, the target of the statement that it is a part of, where the function computes several. */
  readonly targets: readonly (string | undefined)[];
  readonly text: string;
}

export function emitFunction(loop: LoopFunction, module: ModuleContext): FunctionText {
  return new FunctionPrinter(loop, module).print();
}

class FunctionPrinter {
  private readonly loop: LoopFunction;
  private readonly module: ModuleContext;
  private readonly scope: FunctionScope;
  private readonly naming: Naming;
  private readonly variables = new Map<string, string>();
  private readonly buffers = new Map<string, string>();
  private readonly maybeNegative = new Set<string>();
  private readonly lines: string[] = [];
  private readonly targets: (string | undefined)[] = [];
  /** How many braces are open. */
  private depth = 0;

  constructor(loop: LoopFunction, module: ModuleContext) {
    this.loop = loop;
    this.module = module;
    this.scope = new FunctionScope(module.scope);
    this.naming = {
      variable: (name) => this.known(this.variables, name),
      buffer: (name) => this.known(this.buffers, name),
      helper: module.helper,
      nonNegative: (name) => !this.maybeNegative.has(name),
    };
  }

  print(): FunctionText {
    const { loop, module } = this;
    const kept = module.kept(loop.name);
    for (const { name } of loop.buffers) this.buffers.set(name, this.scope.declare(name));
    for (const name of [...loop.integers, ...(loop.numbers ?? [])]) this.declare(name);
    this.declareLocals(loop.body);
    const parameters = [
      ...loop.buffers
        .filter((_, k) => kept.buffers[k])
        .map(({ name, element }) => `${this.naming.buffer(name)}: ${module.arrayType[element]}`),
      ...loop.integers
        .filter((_, k) => kept.integers[k])
        .map((name) => `${this.naming.variable(name)}: number`),
      ...(loop.numbers ?? [])
        .filter((_, k) => kept.numbers[k])
        .map((name) => `${this.naming.variable(name)}: number`),
    ];
    this.block(withoutUnusedConstants(loop.body, module.kept));
    const { lines, targets } = this;
    const text = `(${parameters.join(', ')}): void {\n${lines.join('\n')}\n}`;
    return { parameters: parameters.join(', '), lines, targets, text };
  }

  private known(names: ReadonlyMap<string, string>, name: string): string {
    const known = names.get(name);
    if (known === undefined)
      throw new Error(`loop function '${this.loop.name}' uses '${name}' without declaring it`);
    return known;
  }

  private declare(name: string): void {
    if (!this.variables.has(name)) this.variables.set(name, this.scope.declare(name));
  }

  /** Names all that the body declares, and notes which integers may be negative. */
  private declareLocals(body: readonly LoopStatement[]): void {
    for (const statement of body) {
      if (statement.kind === 'for') {
        this.declare(statement.index);
        this.noteSign(statement.index, statement.from, statement.step > 0);
        this.declareLocals(statement.body);
      } else if (statement.kind === 'if') {
        this.declareLocals(statement.then);
        this.declareLocals(statement.otherwise);
      } else if (statement.kind === 'integer_constant') {
        this.declare(statement.name);
        this.noteSign(statement.name, statement.value, true);
      } else if (statement.kind === 'constant' || statement.kind === 'accumulator') {
        this.declare(statement.name);
      } else if (statement.kind === 'integer_accumulator') {
        this.declare(statement.name);
        this.maybeNegative.add(statement.name);
      }
    }
  }

  private noteSign(name: string, value: IntegerExpression, rises: boolean): void {
    if (!rises || !isNonNegative(value, this.naming)) this.maybeNegative.add(name);
  }

  private block(body: readonly LoopStatement[]): void {
    this.depth++;
    for (const statement of body) {
      this.statement(statement);
      this.belongsTo(statement.target);
    }
    this.depth--;
  }

  /** Says of lines that nothing has said it of yet. */
  private belongsTo(target: string | undefined): void {
    while (this.targets.length < this.lines.length) this.targets.push(target);
  }

  private statement(statement: LoopStatement): void {
    const { naming, lines } = this;
    switch (statement.kind) {
      case 'for': {
        const index = naming.variable(statement.index);
        const from = printInteger(statement.from, naming);
        const end =
          statement.step > 0
            ? `< ${printInteger(statement.to, naming)}`
            : `>= ${printInteger(sum(statement.to, integer(1)), naming)}`;
        lines.push(`for (let ${index} = ${from}; ${index} ${end}; ${stride(index, statement.step)}) {`);
        if (statement.target !== undefined) this.belongsTo(statement.target);
        this.block(statement.body);
        lines.push('}');
        return;
      }
      case 'constant': {
        const value = this.light(statement.value);
        // A bare literal would get a literal type, and `1 === 2` is an error of the type checker.
        const type = value.kind === 'number' ? ': number' : '';
        lines.push(`const ${naming.variable(statement.name)}${type} = ${printValue(value, naming)};`);
        return;
      }
      case 'integer_constant': {
        const type = statement.value.kind === 'integer' ? ': number' : '';
        lines.push(
          `const ${naming.variable(statement.name)}${type} = ${printInteger(statement.value, naming)};`,
        );
        return;
      }
      case 'accumulator':
        lines.push(
          `let ${naming.variable(statement.name)} = ${printValue(this.light(statement.initial), naming)};`,
        );
        return;
      case 'integer_accumulator':
        lines.push(`let ${naming.variable(statement.name)} = ${printInteger(statement.initial, naming)};`);
        return;
      case 'set':
        this.set(statement.name, this.light(statement.value));
        return;
      case 'set_integer':
        this.setInteger(statement.name, statement.value);
        return;
      case 'store':
        this.store(statement, this.light(statement.value));
        return;
      case 'store_integer': {
        const place = `${naming.buffer(statement.buffer)}[${printInteger(statement.offset, naming)}]`;
        lines.push(`${place} = ${printInteger(statement.value, naming)};`);
        return;
      }
      case 'fill':
        lines.push(`${naming.buffer(statement.buffer)}.fill(${printNumber(statement.value)});`);
        return;
      case 'if':
        this.branch(statement);
        return;
      case 'call':
        this.call(statement);
        return;
      case 'comment':
        lines.push(...proseLines(statement.text));
    }
  }

  private call(statement: Extract<LoopStatement, { kind: 'call' }>): void {
    const { naming, lines } = this;
    const kept = new Set(keptArguments(statement.arguments, this.module.kept(statement.function)));
    const print = (some: readonly CallArgument[]): string =>
      some
        .filter((argument) => kept.has(argument))
        .map((argument) =>
          argument.kind === 'buffer' ? naming.buffer(argument.buffer) : printInteger(argument.value, naming),
        )
        .join(', ');
    const name = this.module.functionName(statement.function);
    if (statement.groups === undefined) {
      lines.push(`${name}(${print(statement.arguments)});`);
      return;
    }
    // prettier would give each number a line of its own; what it leaves alone must be indented here
    const indent = '  '.repeat(this.depth);
    lines.push('// prettier-ignore', `${name}(`);
    let from = 0;
    for (const { count, meaning } of statement.groups) {
      const group = print(statement.arguments.slice(from, from + count));
      from += count;
      if (group !== '') lines.push(`${indent}  ${group},${meaning === '' ? '' : ` // ${meaning}`}`);
    }
    lines.push(`${indent});`);
  }

  private branch(statement: Extract<LoopStatement, { kind: 'if' }>): void {
    const { parts, condition } = splitCondition(statement.condition, this.freshPart);
    this.emitParts(parts);
    this.lines.push(`if (${printCondition(condition, this.naming)}) {`);
    this.block(statement.then);
    if (statement.otherwise.length > 0) {
      this.lines.push('} else {');
      this.block(statement.otherwise);
    }
    this.lines.push('}');
  }

  /** `sum += x` where the value is `sum + x`. */
  private set(name: string, value: Value): void {
    const target = this.naming.variable(name);
    if (value.kind === 'binary' && value.left.kind === 'variable' && value.left.name === name) {
      const operator = compoundOperators[value.operator];
      if (operator !== undefined) {
        this.lines.push(`${target} ${operator} ${printValue(value.right, this.naming)};`);
        return;
      }
    }
    this.lines.push(`${target} = ${printValue(value, this.naming)};`);
  }

  private setInteger(name: string, value: IntegerExpression): void {
    const target = this.naming.variable(name);
    if (value.kind === 'sum' && value.terms.length === 2) {
      const [first, second] = value.terms;
      if (first?.kind === 'variable' && first.name === name && second !== undefined) {
        const step = printInteger(second, this.naming);
        this.lines.push(step === '1' ? `${target}++;` : `${target} += ${step};`);
        return;
      }
    }
    this.lines.push(`${target} = ${printInteger(value, this.naming)};`);
  }

  /** `a[i] += x` for an addition to the element, and where the value is `a[i] + x`. */
  private store(statement: Extract<LoopStatement, { kind: 'store' }>, value: Value): void {
    const { naming, lines } = this;
    const place = `${naming.buffer(statement.buffer)}[${printInteger(statement.offset, naming)}]`;
    if (statement.add) {
      const isNegative = value.kind === 'unary' && value.operator === 'negate';
      lines.push(
        `${place}! ${isNegative ? '-=' : '+='} ${printValue(isNegative ? value.operand : value, naming)};`,
      );
      return;
    }
    if (
      value.kind === 'binary' &&
      value.left.kind === 'load' &&
      printValue(value.left, naming) === `${place}!`
    ) {
      const operator = compoundOperators[value.operator];
      if (operator !== undefined) {
        lines.push(`${place}! ${operator} ${printValue(value.right, naming)};`);
        return;
      }
    }
    lines.push(`${place} = ${printValue(value, naming)};`);
  }

  /** The value, small enough to print; parts of it that were cut off stand in lines before. */
  private light(value: Value): Value {
    const { parts, value: rest } = splitValue(value, this.freshPart);
    this.emitParts(parts);
    return rest;
  }

  private readonly freshPart = (): string => {
    const name = this.scope.declare('part');
    this.variables.set(name, name);
    return name;
  };

  private emitParts(parts: readonly Part[]): void {
    for (const { name, value } of parts)
      this.lines.push(`const ${name} = ${printValue(value, this.naming)};`);
  }
}

const compoundOperators: Readonly<Partial<Record<string, string>>> = {
  add: '+=',
  subtract: '-=',
  multiply: '*=',
  divide: '/=',
};

function stride(index: string, step: number): string {
  if (step === 1) return `${index}++`;
  if (step === -1) return `${index}--`;
  return step > 0 ? `${index} += ${step}` : `${index} -= ${-step}`;
}

/** Text as line comments: nothing in it can end the comment. */
export function commentLines(text: string): string[] {
  return text.split(/[\r\n\u2028\u2029]+/).map((line) => `// ${line}`.trimEnd());
}

/** Prose as line comments of ordinary width. */
export function proseLines(text: string): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split(/[\r\n\u2028\u2029]+/)) {
    let line = '//';
    for (const word of paragraph.split(' ')) {
      if (line.length + 1 + word.length > PROSE_WIDTH && line !== '//') {
        lines.push(line);
        line = '//';
      }
      line += ` ${word}`;
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

const PROSE_WIDTH = 110;
