/**
 * @file What a loop function reads and writes of its parameters. The emitted signature has just these, so that it
 * passes `noUnusedParameters`; calls leave out the same arguments.
 */
import type {
  CallArgument,
  Condition,
  IntegerExpression,
  LoopFunction,
  LoopStatement,
  Value,
} from '../../schedule/types.ts';

/** The parameters that a function keeps, by their places in its lists. */
export interface Kept {
  readonly buffers: readonly boolean[];
  readonly integers: readonly boolean[];
  readonly numbers: readonly boolean[];
}

/** Names that occur in a body: buffers touched, and variables read. */
export interface Usage {
  readonly buffers: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
}

/** The parameters that each function needs, itself or for the functions that it calls. Computed once a function. */
export function keptParameters(functions: readonly LoopFunction[]): (name: string) => Kept {
  const byName = new Map(functions.map((each) => [each.name, each]));
  const known = new Map<string, Kept>();
  const kept = (name: string): Kept => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const each = byName.get(name);
    if (each === undefined) throw new Error(`the loop program calls '${name}', which it does not have`);
    const usage = usageOf(withoutUnusedConstants(each.body, kept), kept);
    const result = {
      buffers: each.buffers.map((buffer) => usage.buffers.has(buffer.name)),
      integers: each.integers.map((integer) => usage.variables.has(integer)),
      numbers: (each.numbers ?? []).map((number) => usage.variables.has(number)),
    };
    known.set(name, result);
    return result;
  };
  return kept;
}

/** The arguments of a call that remain when the called function drops what it does not use. */
export function keptArguments(call: readonly CallArgument[], kept: Kept): readonly CallArgument[] {
  const places = [...kept.buffers, ...kept.integers];
  return call.filter((_, k) => places[k] ?? true);
}

/** Walks statements, and shared values once. */
function usageOf(body: readonly LoopStatement[], kept: (name: string) => Kept): Usage {
  const buffers = new Set<string>();
  const variables = new Set<string>();
  const seen = new Set<Value | IntegerExpression | Condition>();

  const integer = (value: IntegerExpression): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (value.kind === 'variable') variables.add(value.name);
    else if (value.kind === 'sum') value.terms.forEach(integer);
    else if (value.kind === 'product' || value.kind === 'minimum' || value.kind === 'maximum') {
      integer(value.left);
      integer(value.right);
    } else if (value.kind === 'floor_divide' || value.kind === 'modulo') integer(value.of);
    else if (value.kind === 'load_integer') {
      buffers.add(value.buffer);
      integer(value.offset);
    }
  };
  const real = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (value.kind === 'variable') variables.add(value.name);
    else if (value.kind === 'load') {
      buffers.add(value.buffer);
      integer(value.offset);
    } else if (value.kind === 'from_integer') integer(value.value);
    else if (value.kind === 'unary') real(value.operand);
    else if (value.kind === 'binary') {
      real(value.left);
      real(value.right);
    } else if (value.kind === 'select') {
      test(value.condition);
      real(value.then);
      real(value.otherwise);
    } else if (value.kind === 'truth') test(value.condition);
  };
  const test = (condition: Condition): void => {
    if (seen.has(condition)) return;
    seen.add(condition);
    if (condition.kind === 'compare') {
      real(condition.left);
      real(condition.right);
    } else if (condition.kind === 'compare_integer') {
      integer(condition.left);
      integer(condition.right);
    } else if (condition.kind === 'nonzero') real(condition.value);
    else if (condition.kind === 'not') test(condition.of);
    else condition.of.forEach(test);
  };
  const argument = (each: CallArgument): void => {
    if (each.kind === 'buffer') buffers.add(each.buffer);
    else integer(each.value);
  };
  const visitors: {
    readonly [K in LoopStatement['kind']]: (s: Extract<LoopStatement, { kind: K }>) => void;
  } = {
    for: (s) => {
      integer(s.from);
      integer(s.to);
      s.body.forEach(statement);
    },
    constant: (s) => real(s.value),
    integer_constant: (s) => integer(s.value),
    accumulator: (s) => real(s.initial),
    integer_accumulator: (s) => integer(s.initial),
    set: (s) => real(s.value),
    set_integer: (s) => integer(s.value),
    store: (s) => {
      buffers.add(s.buffer);
      integer(s.offset);
      real(s.value);
    },
    store_integer: (s) => {
      buffers.add(s.buffer);
      integer(s.offset);
      integer(s.value);
    },
    fill: (s) => void buffers.add(s.buffer),
    if: (s) => {
      test(s.condition);
      s.then.forEach(statement);
      s.otherwise.forEach(statement);
    },
    call: (s) => keptArguments(s.arguments, kept(s.function)).forEach(argument),
    comment: () => {},
  };
  const statement = (each: LoopStatement): void => (visitors[each.kind] as (s: LoopStatement) => void)(each);
  body.forEach(statement);
  return { buffers, variables };
}

/** Constants that nothing reads would fail `noUnusedLocals`; dropping one may free another. */
export function withoutUnusedConstants(
  body: readonly LoopStatement[],
  kept: (name: string) => Kept,
): readonly LoopStatement[] {
  let current = body;
  for (;;) {
    const { variables } = usageOf(current, kept);
    let dropped = false;
    const prune = (statements: readonly LoopStatement[]): LoopStatement[] =>
      statements.flatMap((statement): LoopStatement[] => {
        if (statement.kind === 'constant' || statement.kind === 'integer_constant') {
          if (variables.has(statement.name)) return [statement];
          dropped = true;
          return [];
        }
        if (statement.kind === 'for') return [{ ...statement, body: prune(statement.body) }];
        if (statement.kind === 'if') {
          return [{ ...statement, then: prune(statement.then), otherwise: prune(statement.otherwise) }];
        }
        return [statement];
      });
    const next = prune(current);
    if (!dropped) return current;
    current = next;
  }
}
