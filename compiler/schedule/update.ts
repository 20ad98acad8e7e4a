/**
 * An optimizer's step, or a schedule's, as loops: all elementwise statements in one loop over the run, next values stored
 * in place at the end of its body, so that every statement reads the old ones. Reductions (LAMB's norms) split the loop.
 */
import { fetchedTensors, freshName, read, tensorsReadBy } from '../graph/expressions.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';
import { FunctionList } from './function-list.ts';
import { FunctionScope } from './function-scope.ts';
import { isElementwise, neededStatements, readsInPlace, sameBox } from './groups.ts';
import { elementsOf, makeSize } from './integers.ts';
import { statementLoops } from './loops.ts';
import { sharedLoops } from './shared-loops.ts';
import type { Buffer, Step, UpdateLoops } from './types.ts';

export function scheduleUpdate(source: Program, _options: { readonly dtype: 'f32' | 'f64' }): UpdateLoops {
  const program = withDoubleScalars(source);
  const owners = new Map<string, string>();
  for (const name of program.tensors.keys())
    if (name.endsWith("'") && program.tensors.has(name.slice(0, -1))) owners.set(name, name.slice(0, -1));
  const needed = neededStatements(program, [...owners.keys(), ...program.outputs]);
  const groups = scalarsIntoLoops(program, stagesOf(program, [...needed]), owners);
  const { aliases, copies } = inPlace(program, owners, groups);
  const tensors = copies.tensors;
  const all = copies.statements.length > 0 ? [...groups, ...byBox(copies.statements)] : groups;
  const inside = insideTensors(program, all, owners);
  const functions = new FunctionList();
  const steps = all.map((statements): Step => {
    const touched = statements.flatMap((statement) => [...tensorsReadBy(statement), statement.target]);
    const scope = new FunctionScope(
      { tensors, aliases },
      touched.filter((tensor) => !inside.has(tensor)),
    );
    const [first] = statements;
    const alone = first && statements.length === 1 && !isElementwise(first, tensors);
    const body = alone
      ? statementLoops(first, scope, tensors)
      : sharedLoops(statements, scope, tensors, { inside, last: aliases, viaReciprocals: true });
    const { loopFunction, step } = scope.finish(
      functions.fresh(nameOf(program, statements, all)),
      body,
      statements,
    );
    functions.add(loopFunction);
    return step;
  });
  const buffers = new Map<string, Buffer>();
  for (const statements of all)
    for (const { target } of statements) {
      const tensor = tensors.get(target);
      if (tensor && !inside.has(target) && !aliases.has(target) && tensor.role === 'intermediate')
        buffers.set(target, bufferOf(tensor));
    }
  return { functions: functions.all, steps, buffers };
}

/** What counts steps is whole. */
const counters: ReadonlySet<string> = new Set(['step', 't']);

/**
 * Rank-0 tensors live in doubles of their own. So do the numbers that the runtime sets, as the rate: a fraction that is an
 * argument is boxed wherever V8 does not inline the call, which is garbage at every step. Small integers never are.
 */
function withDoubleScalars(program: Program): Program {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of program.tensors) {
    if (tensor.role === 'scalar' && !counters.has(name)) tensors.set(name, { ...tensor, role: 'input' });
    else if (tensor.axes.length === 0 && tensor.element === 'real')
      tensors.set(name, { ...tensor, element: 'double' });
    else tensors.set(name, tensor);
  }
  return { ...program, tensors };
}

/**
 * The statements in groups of one function each: all elementwise ones of a box that are ready together, then the
 * reductions and scalars that wait for them, and so on.
 */
function stagesOf(program: Program, statements: readonly Statement[]): Statement[][] {
  const targets = new Set(statements.map((statement) => statement.target));
  const done = new Set<string>();
  let rest = statements;
  const groups: Statement[][] = [];
  const waitsFor = (statement: Statement, ready: ReadonlySet<string>): boolean =>
    [...tensorsReadBy(statement)].some(
      (tensor) => targets.has(tensor) && !done.has(tensor) && !ready.has(tensor),
    );
  while (rest.length > 0) {
    const first = rest.find((statement) => !waitsFor(statement, new Set()));
    if (!first) throw new Error('the statements of an update wait for one another');
    // Scalars and reductions first, as far as they go: they are what the long loop waits for.
    const leader =
      rest.find((statement) => !waitsFor(statement, new Set()) && !isLong(statement, program)) ?? first;
    const group: Statement[] = [leader];
    if (isElementwise(leader, program.tensors)) {
      const ready = new Set([leader.target]);
      for (const statement of rest) {
        if (statement === leader || !isElementwise(statement, program.tensors)) continue;
        const joins =
          sameBox(leader, statement) &&
          !waitsFor(statement, ready) &&
          [...ready].every((tensor) => readsInPlace(statement, tensor));
        if (!joins) continue;
        group.push(statement);
        ready.add(statement.target);
      }
    }
    const order = statements.filter((statement) => group.includes(statement));
    groups.push(order);
    for (const statement of order) done.add(statement.target);
    rest = rest.filter((statement) => !group.includes(statement));
  }
  return groups;
}

/** Scalars that one loop alone reads are computed before it, in its function: `const c1 = 1 - 0.9^t`. */
function scalarsIntoLoops(
  program: Program,
  groups: readonly Statement[][],
  owners: ReadonlyMap<string, string>,
): Statement[][] {
  let result = groups.map((group) => [...group]);
  for (const statement of groups.flat().toReversed()) {
    const { target, indices } = statement;
    const kept = owners.has(target) || program.outputs.includes(target);
    if (kept || indices.length > 0 || !isElementwise(statement, program.tensors)) continue;
    const readers = result.filter((group) => group.some((other) => tensorsReadBy(other).has(target)));
    const [home] = readers;
    const last = home?.at(-1);
    if (!home || readers.length > 1 || !last || !isLong(last, program) || home.includes(statement)) continue;
    result = result.map((group) => group.filter((other) => other !== statement));
    const place = result.findIndex((group) => group.at(-1) === last);
    result[place] = [statement, ...(result[place] ?? [])];
  }
  return result.filter((group) => group.length > 0);
}

function isLong(statement: Statement, program: Program): boolean {
  return isElementwise(statement, program.tensors) && statement.indices.length > 0;
}

/**
 * Which next values can be stored over the old ones: those whose old value no later function reads (nor a reduction in
 * the same one). The others are kept apart and copied at the end.
 */
function inPlace(
  program: Program,
  owners: ReadonlyMap<string, string>,
  groups: readonly (readonly Statement[])[],
): {
  readonly aliases: Map<string, string>;
  readonly copies: { readonly statements: Statement[]; readonly tensors: ReadonlyMap<string, Tensor> };
} {
  const aliases = new Map<string, string>();
  const tensors = new Map(program.tensors);
  const statements: Statement[] = [];
  groups.forEach((group, position) => {
    const later = groups.slice(position + 1).flat();
    for (const statement of group) {
      const owner = owners.get(statement.target);
      if (owner === undefined) continue;
      const safe =
        !later.some((other) => tensorsReadBy(other).has(owner)) &&
        group.every((other) => readsInPlace(other, owner) && !fetchedTensors(other.body).has(owner)) &&
        isElementwise(statement, tensors);
      if (safe) {
        aliases.set(statement.target, owner);
        continue;
      }
      const target = freshName(`${owner}_stored`, tensors);
      const old = tensors.get(owner);
      if (old) tensors.set(target, { ...old, name: target, role: 'intermediate' });
      aliases.set(target, owner);
      statements.push({ ...copyOf(statement), target });
    }
  });
  return { aliases, copies: { statements, tensors } };
}

/** target[i] = (the statement's target)[i] */
function copyOf(statement: Statement): Statement {
  const indices = statement.indices.slice(0, statement.write.length);
  const { finish: _finish, ...rest } = statement;
  return { ...rest, indices, combine: 'assign', body: read(statement.target, statement.write) };
}

function byBox(statements: readonly Statement[]): Statement[][] {
  const boxes: Statement[][] = [];
  for (const statement of statements) {
    const box = boxes.find(([first]) => first && sameBox(first, statement));
    if (box) box.push(statement);
    else boxes.push([statement]);
  }
  return boxes;
}

/** Intermediates that only their own function reads. */
function insideTensors(
  program: Program,
  groups: readonly (readonly Statement[])[],
  owners: ReadonlyMap<string, string>,
): Set<string> {
  const inside = new Set<string>();
  groups.forEach((group, position) => {
    for (const { target } of group) {
      const others = groups.filter((_, other) => other !== position).flat();
      const kept = owners.has(target) || program.outputs.includes(target) || !program.tensors.has(target);
      if (!kept && group.length > 1 && !others.some((other) => tensorsReadBy(other).has(target)))
        inside.add(target);
    }
  });
  return inside;
}

function bufferOf(tensor: Tensor): Buffer {
  const { coefficient, symbols } = elementsOf(tensor.axes);
  const parts = [0, 0, 0];
  parts[symbols.length] = coefficient;
  return {
    tensor: tensor.name,
    role: tensor.role,
    element: tensor.element,
    axes: tensor.axes,
    size: makeSize(parts, symbols[0]),
    pool: tensor.element === 'double' ? 'doubles' : 'workspace',
    offset: { constant: 0 },
  };
}

/** `update_adam`, and what comes before it by what it computes: `update_lamb_p_norm`. */
function nameOf(
  program: Program,
  statements: readonly Statement[],
  groups: readonly (readonly Statement[])[],
): string {
  const main = groups.find((group) => group.some((statement) => statement.target === "p'")) ?? groups.at(-1);
  if (main === statements) return `update_${program.name}`;
  return `update_${program.name}_${statements.at(-1)?.target.replaceAll("'", '') ?? ''}`;
}
