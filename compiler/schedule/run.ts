/** Runs a loop program, slowly, one statement after the other: what the emitted code must do. For tests. */
import { evaluateBinary, evaluateUnary } from '../graph/expressions.ts';
import { evaluateSize } from './integers.ts';
import type {
  Condition,
  IntegerExpression,
  LoopFunction,
  LoopProgram,
  LoopStatement,
  Step,
  Value,
} from './types.ts';

export type Memory = Float64Array | Float32Array | Int32Array;

/** One call: what its names mean. */
interface Frame {
  readonly buffers: Map<string, Memory>;
  readonly numbers: Map<string, number>;
  readonly functions: ReadonlyMap<string, LoopFunction>;
}

/** Views of all tensors of a program in pools of the right sizes, for run-time extents as given. */
export function allocate(
  program: LoopProgram,
  extents: Readonly<Record<string, number>>,
): Map<string, Memory> {
  const sizes = new Map(Object.entries(extents));
  const real = program.dtype === 'f32' ? Float32Array : Float64Array;
  const kinds = { real, double: Float64Array, integer: Int32Array };
  const pools = new Map<string, Memory>();
  const views = new Map<string, Memory>();
  for (const [tensor, buffer] of program.buffers) {
    const size = evaluateSize(buffer.size, sizes);
    const Kind = kinds[buffer.element];
    if (buffer.pool === 'input') {
      views.set(tensor, new Kind(size));
      continue;
    }
    const pool =
      pools.get(buffer.pool) ?? new Kind(evaluateSize(program.pools[buffer.pool], sizes)).fill(Number.NaN);
    pools.set(buffer.pool, pool);
    const offset = evaluateSize(buffer.offset, sizes);
    if (offset + size > pool.length) throw new Error(`'${tensor}' does not fit into its pool`);
    if (!(pool instanceof Kind)) throw new Error(`'${tensor}' lies in a pool of another element type`);
    views.set(tensor, pool.subarray(offset, offset + size));
  }
  return views;
}

/** Runs steps over named buffers. `numbers` are scalars of role `scalar`. */
export function runSteps(
  steps: readonly Step[],
  functions: readonly LoopFunction[],
  buffers: ReadonlyMap<string, Memory>,
  extents: Readonly<Record<string, number>>,
  numbers: Readonly<Record<string, number>> = {},
): void {
  const byName = new Map(functions.map((each) => [each.name, each]));
  for (const step of steps) {
    const called = find(byName, step.function);
    const given = step.buffers.map((name) => find(buffers, name));
    const integers = step.integers.map((value) =>
      typeof value === 'number' ? value : (extents[value] ?? Number.NaN),
    );
    const scalars = (step.numbers ?? []).map((name) => numbers[name] ?? Number.NaN);
    call(called, byName, given, integers, scalars);
  }
}

function find<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`'${name}' is not known`);
  return found;
}

function call(
  called: LoopFunction,
  functions: ReadonlyMap<string, LoopFunction>,
  buffers: readonly Memory[],
  integers: readonly number[],
  numbers: readonly number[],
): void {
  const names = [...called.integers, ...(called.numbers ?? [])];
  const values = [...integers, ...numbers];
  if (buffers.length !== called.buffers.length || values.length !== names.length)
    throw new Error(`'${called.name}' is called with the wrong number of arguments`);
  const frame: Frame = { buffers: new Map(), numbers: new Map(), functions };
  called.buffers.forEach(({ name, element }, position) => {
    const buffer = buffers[position];
    if (!buffer || (element === 'integer') !== buffer instanceof Int32Array)
      throw new Error(`'${called.name}': the buffer '${name}' has another element type`);
    frame.buffers.set(name, buffer);
  });
  names.forEach((name, position) => frame.numbers.set(name, values[position] ?? Number.NaN));
  execute(called.body, frame);
}

function execute(statements: readonly LoopStatement[], frame: Frame): void {
  for (const statement of statements) executeOne(statement, frame);
}

/** A block of its own: what it declares is not known after it. */
function executeBlock(statements: readonly LoopStatement[], frame: Frame): void {
  execute(statements, frame);
  for (const statement of statements)
    if (declarations.has(statement.kind) && 'name' in statement) frame.numbers.delete(statement.name);
}

const declarations: ReadonlySet<LoopStatement['kind']> = new Set([
  'constant',
  'integer_constant',
  'accumulator',
  'integer_accumulator',
] as const);

function executeOne(statement: LoopStatement, frame: Frame): void {
  const { numbers } = frame;
  const buffer = (name: string): Memory => find(frame.buffers, name);
  const place = (memory: Memory, offset: IntegerExpression, name: string): number => {
    const at = integerOf(offset, frame);
    if (!(at >= 0 && at < memory.length)) throw new Error(`a store outside '${name}' at ${at}`);
    return at;
  };
  switch (statement.kind) {
    case 'for': {
      const to = integerOf(statement.to, frame);
      const goesOn = (value: number): boolean => (statement.step > 0 ? value < to : value > to);
      for (let value = integerOf(statement.from, frame); goesOn(value); value += statement.step) {
        numbers.set(statement.index, value);
        executeBlock(statement.body, frame);
      }
      numbers.delete(statement.index);
      return;
    }
    case 'constant':
    case 'set':
      numbers.set(statement.name, valueOf(statement.value, frame));
      return;
    case 'integer_constant':
    case 'set_integer':
      numbers.set(statement.name, integerOf(statement.value, frame));
      return;
    case 'accumulator':
      numbers.set(statement.name, valueOf(statement.initial, frame));
      return;
    case 'integer_accumulator':
      numbers.set(statement.name, integerOf(statement.initial, frame));
      return;
    case 'store': {
      const memory = buffer(statement.buffer);
      const at = place(memory, statement.offset, statement.buffer);
      const value = valueOf(statement.value, frame);
      memory[at] = statement.add ? (memory[at] ?? 0) + value : value;
      return;
    }
    case 'store_integer': {
      const memory = buffer(statement.buffer);
      memory[place(memory, statement.offset, statement.buffer)] = integerOf(statement.value, frame);
      return;
    }
    case 'fill':
      buffer(statement.buffer).fill(statement.value);
      return;
    case 'if':
      executeBlock(holds(statement.condition, frame) ? statement.then : statement.otherwise, frame);
      return;
    case 'call': {
      const buffers: Memory[] = [];
      const integers: number[] = [];
      for (const argument of statement.arguments) {
        if (argument.kind === 'buffer') buffers.push(buffer(argument.buffer));
        else integers.push(integerOf(argument.value, frame));
      }
      call(find(frame.functions, statement.function), frame.functions, buffers, integers, []);
      return;
    }
    case 'comment':
      return;
  }
}

function integerOf(expression: IntegerExpression, frame: Frame): number {
  const of = (inner: IntegerExpression): number => integerOf(inner, frame);
  switch (expression.kind) {
    case 'integer':
      return expression.value;
    case 'variable':
      return find(frame.numbers, expression.name);
    case 'sum':
      return expression.terms.reduce((total, term) => total + of(term), 0);
    case 'product':
      return of(expression.left) * of(expression.right);
    case 'floor_divide':
      return Math.floor(of(expression.of) / expression.by);
    case 'modulo': {
      const value = of(expression.of);
      return value - expression.by * Math.floor(value / expression.by);
    }
    case 'minimum':
      return Math.min(of(expression.left), of(expression.right));
    case 'maximum':
      return Math.max(of(expression.left), of(expression.right));
    case 'load_integer':
      return find(frame.buffers, expression.buffer)[of(expression.offset)] ?? Number.NaN;
  }
}

function valueOf(value: Value, frame: Frame): number {
  switch (value.kind) {
    case 'number':
      return value.value;
    case 'variable':
      return find(frame.numbers, value.name);
    case 'load':
      // Outside: what is hoisted over a guard may be loaded, and is not used.
      return find(frame.buffers, value.buffer)[integerOf(value.offset, frame)] ?? Number.NaN;
    case 'from_integer':
      return integerOf(value.value, frame);
    case 'unary':
      return evaluateUnary[value.operator](valueOf(value.operand, frame));
    case 'binary':
      return evaluateBinary[value.operator](valueOf(value.left, frame), valueOf(value.right, frame));
    case 'select':
      return valueOf(holds(value.condition, frame) ? value.then : value.otherwise, frame);
    case 'truth':
      return holds(value.condition, frame) ? 1 : 0;
  }
}

const compare: Readonly<
  Record<'<' | '<=' | '>' | '>=' | '==' | '!=', (left: number, right: number) => boolean>
> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};

function holds(condition: Condition, frame: Frame): boolean {
  switch (condition.kind) {
    case 'compare':
      return compare[condition.operator](valueOf(condition.left, frame), valueOf(condition.right, frame));
    case 'compare_integer':
      return compare[condition.operator](integerOf(condition.left, frame), integerOf(condition.right, frame));
    case 'nonzero':
      return valueOf(condition.value, frame) !== 0;
    case 'all':
      return condition.of.every((each) => holds(each, frame));
    case 'any':
      return condition.of.some((each) => holds(each, frame));
    case 'not':
      return !holds(condition.of, frame);
  }
}
