/**
 * Groups that are equal but for the names of their tensors share one function: the layers of a deep network are lowered,
 * printed, read and compiled by the engine once. What differs from call to call is which tensors are handed in.
 */
import { fetchedTensors, reads, renameFetches, renameTensors } from '../graph/expressions.ts';
import { statementKey } from '../graph/statement-key.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';
import type { Group } from './groups.ts';
import { sharedNames } from './shared-names.ts';

/** A group, and the tensors that it touches in the order in which they are first met. */
export interface Member {
  readonly group: Group;
  readonly tensors: readonly string[];
}

/** Groups that one function computes, the first of them under the names that the function gives to its tensors. */
export interface SharedGroup {
  readonly members: readonly Member[];
  readonly group: Group;
  /** The function's name for the tensor in each place of `Member.tensors`. */
  readonly names: readonly string[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly inside: ReadonlySet<string>;
  /** What the function computes last, under a name that fits all members: for the name of the function. */
  readonly result: string;
}

/** In the order of the first members. */
export function shareGroups(
  groups: readonly Group[],
  program: Program,
  inside: ReadonlySet<string>,
  without: Without = nothing,
): SharedGroup[] {
  const members = new Map<string, Member[]>();
  for (const group of groups) {
    const tensors = tensorsOf(group);
    const key = without.has('functions')
      ? String(members.size)
      : groupKey(group, tensors, program.tensors, inside);
    const equal = members.get(key);
    if (equal) equal.push({ group, tensors });
    else members.set(key, [{ group, tensors }]);
  }
  return [...members.values()].map((equal) => named(equal, program, inside));
}

function tensorsOf({ statements }: Group): string[] {
  const met = new Set<string>();
  for (const { target, write, body, finish } of statements) {
    for (const expression of finish ? [body, finish] : [body]) {
      for (const { tensor } of reads(expression)) met.add(tensor);
      for (const tensor of fetchedTensors(expression)) met.add(tensor);
    }
    for (const index of write) for (const tensor of fetchedTensors(index)) met.add(tensor);
    met.add(target);
  }
  return [...met];
}

/** Equal for groups that differ in nothing but the names of their tensors and indices. */
function groupKey(
  { statements, rowwise, unrolled, form, parts }: Group,
  order: readonly string[],
  tensors: ReadonlyMap<string, Tensor>,
  inside: ReadonlySet<string>,
): string {
  const places = new Map(order.map((tensor, place) => [tensor, `$${place}`]));
  const around = new Map<string, Tensor>();
  const kinds = order.map((name, place) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) return name;
    around.set(`$${place}`, tensor);
    const { role, element, axes, stepAxis, range } = tensor;
    // a scalar is a number under its own name
    return [element, axes, stepAxis, range, inside.has(name), role === 'scalar' ? name : ''];
  });
  const keys = statements.map((statement) => {
    const { scan, indices, checkpoint } = statement;
    // what is computed again is called once more
    const phase = checkpoint?.again === true ? 'forward' : statement.phase;
    const steps = scan && [scan.reversed, indices.findIndex(({ name }) => name === scan.index)];
    return [phase, steps, places.get(statement.target), statementKey(renamed(statement, places), around)];
  });
  return JSON.stringify([rowwise === true, form, unrolled === true && [...parts], kinds, keys]);
}

/** The statement about other tensors. */
function renamed(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  const { target, write, body, finish, scan } = statement;
  const nameOf = (tensor: string): string => names.get(tensor) ?? tensor;
  return {
    ...statement,
    target: nameOf(target),
    write: write.map((index) => renameFetches(index, names)),
    body: renameTensors(body, names),
    ...(finish === undefined ? {} : { finish: renameTensors(finish, names) }),
    ...(scan === undefined ? {} : { scan: { ...scan, group: nameOf(scan.group) } }),
  };
}

function named(members: readonly Member[], program: Program, inside: ReadonlySet<string>): SharedGroup {
  const [first] = members;
  if (!first) throw new Error('a function computes something');
  const { names, result } = sharedNames(members, program);
  const nameOf = new Map(first.tensors.map((tensor, place) => [tensor, names[place] ?? tensor]));
  const isSame = first.tensors.every((tensor, place) => names[place] === tensor);
  const statements = isSame
    ? first.group.statements
    : first.group.statements.map((statement) => renamed(statement, nameOf));
  const tensors = new Map<string, Tensor>();
  for (const [tensor, name] of nameOf) {
    const declared = program.tensors.get(tensor);
    if (declared !== undefined) tensors.set(name, isSame ? declared : { ...declared, name });
  }
  return {
    members,
    group: { ...first.group, statements },
    names,
    tensors,
    inside: new Set(
      first.tensors.flatMap((tensor) => (inside.has(tensor) ? (nameOf.get(tensor) ?? []) : [])),
    ),
    result,
  };
}
