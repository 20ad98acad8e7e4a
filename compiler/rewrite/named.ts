/**
 * Which tensors a person knows by name, for `--trace`: those that the model's own statements define, and their cotangents.
 * While they are kept, no pass moves their formulas into others or gives their names to something else.
 */
import { cotangentNames } from '../calculus/index.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';
import { INFERENCE_HISTORY } from '../graph/variants.ts';

/** A tensor that can be followed. */
export interface Followed {
  readonly tensor: string;
  /** What the model calls it. Of a model that asks for `training`, two tensors may have one name. */
  readonly name: string;
  /** Absent: in both. */
  readonly only?: 'training' | 'inference';
}

/** The intermediates of a program that the model names. */
export function namedTensors({ tensors, statements }: Program, names: readonly string[]): Followed[] {
  const own = new Set(names);
  const byTarget = new Map(statements.map((statement) => [statement.target, statement]));
  const found = [...tensors.values()].flatMap((tensor): Followed[] => {
    const statement = byTarget.get(tensor.name);
    const isReal = tensor.role === 'intermediate' && tensor.element !== 'integer';
    if (statement === undefined || !isReal || tensor.partOf !== undefined) return [];
    return followedAs(tensor, statement, own);
  });
  const inInference = new Set(found.flatMap(({ name, only }) => (only === 'inference' ? [name] : [])));
  return found.map((each) =>
    each.only === undefined && inInference.has(each.name) ? { ...each, only: 'training' } : each,
  );
}

/** As `mergeVariants` names the two of a tensor that differs between training and inference. */
function followedAs({ name, knownAs }: Tensor, { origin }: Statement, own: ReadonlySet<string>): Followed[] {
  const isOfInference = origin.history.includes(INFERENCE_HISTORY);
  if (own.has(name)) return [{ tensor: name, name, ...(isOfInference ? { only: 'inference' } : {}) }];
  if (knownAs !== undefined && own.has(knownAs)) return [{ tensor: name, name: knownAs, only: 'inference' }];
  const plain = /^(.+)_training\d*$/.exec(name)?.[1];
  return plain !== undefined && own.has(plain) && !isOfInference
    ? [{ tensor: name, name: plain, only: 'training' }]
    : [];
}

/**
 * Their cotangents: of `h` it is `dh`, unless the model calls something else so; then it has the name that it has in the
 * module. A parameter's is its gradient, and not among them.
 * @param prepared what was differentiated, and `gradient` what came of it
 */
export function cotangentsOf(
  named: readonly Followed[],
  prepared: Program,
  { tensors, gradients }: Program,
): Followed[] {
  const cotangents = cotangentNames(prepared);
  const ofParameters = new Set(gradients.values());
  const found = named.flatMap(({ tensor, name }): { tensor: string; of: string }[] => {
    const cotangent = cotangents.get(tensor) ?? '';
    const isIntermediate = tensors.get(cotangent)?.role === 'intermediate' && !ofParameters.has(cotangent);
    return isIntermediate ? [{ tensor: cotangent, of: name }] : [];
  });
  const taken = new Set([
    ...named.map(({ name }) => name),
    ...ofParameters,
    ...[...tensors.values()].flatMap(({ name, role }) => (role === 'intermediate' ? [] : [name])),
  ]);
  return found.map(({ tensor, of }) => ({ tensor, name: taken.has(`d${of}`) ? tensor : `d${of}` }));
}

/** The program with these among the outputs, which every pass leaves as they are. */
export function keeping(program: Program, followed: readonly Followed[]): Program {
  if (followed.length === 0) return program;
  return { ...program, outputs: [...new Set([...program.outputs, ...followed.map(({ tensor }) => tensor)])] };
}
