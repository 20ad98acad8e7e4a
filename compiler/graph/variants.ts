/**
 * One program for two modes: a model elaborated with `training` = 1 and with `training` = 0. What is equal is there once;
 * where a statement of inference differs its target is called `<name>_inference`, but an output, which users know by its
 * name, keeps it, and what training has in its place is `<name>_training`.
 */
import { freshName, renameFetches, renameTensors } from './expressions.ts';
import { arrangeScans, scanUnits } from './scan.ts';
import { evaluationResults, nextValues, trainingResults } from './results.ts';
import { statementKey } from './statement-key.ts';
import type { CotangentEdit, Program, Statement, Tensor } from './types.ts';

/** Says of a statement that it is the one of `training` = 0. */
export const INFERENCE_HISTORY = 'for inference';

export interface Merged {
  readonly program: Program;
  /** Inputs, parameters and states of one name that differ: [in training, in inference]. */
  readonly conflicts: readonly (readonly [Tensor, Tensor])[];
}

export function mergeVariants(training: Program, inference: Program): Merged {
  const tensors = new Map(training.tensors);
  const taken = { has: (name: string) => tensors.has(name) || inference.tensors.has(name) };
  const conflicts: [Tensor, Tensor][] = [];
  /** Name in inference -> name in the merged program, where it differs. */
  const names = new Map<string, string>();
  const add = (tensor: Tensor): void => {
    const name = tensors.has(tensor.name) ? freshName(`${tensor.name}_inference`, taken) : tensor.name;
    if (name !== tensor.name) names.set(tensor.name, name);
    tensors.set(name, { ...tensor, name, ...(name !== tensor.name && { knownAs: tensor.name }) });
  };
  for (const tensor of inference.tensors.values()) {
    if (tensor.role === 'intermediate') continue;
    const other = tensors.get(tensor.name);
    if (other !== undefined && isSame(other, tensor)) continue;
    if (other !== undefined && tensor.role !== 'random') conflicts.push([other, tensor]);
    else add(tensor);
  }
  /** A stage of a layer, `h_tanh`, is what is called `h` where nothing comes after it. */
  const call = (name: string, knownAs: string): void => {
    const tensor = tensors.get(name);
    if (tensor?.role === 'intermediate' && name.startsWith(`${knownAs}_`))
      tensors.set(name, { ...tensor, knownAs });
  };
  const known = new Map<string, Statement[]>();
  for (const statement of training.statements) {
    const key = statementKey(statement, training.tensors);
    known.set(key, [...(known.get(key) ?? []), statement]);
  }
  const statements = [...training.statements];
  const outputs = new Set(inference.outputs);
  const next = new Set(nextValues(training).values());
  const sameAs = (original: Statement): readonly Statement[] =>
    known.get(statementKey(renameReads(original, names), inference.tensors)) ?? [];
  for (const unit of scanUnits(inference.statements)) {
    // the statements of a recurrence read each other: all of them are equal, or none is
    const [first] = unit;
    const shared = unit.map((original) => sameAs(original).find(({ target }) => target === original.target));
    if (shared.every((same) => same !== undefined)) continue;
    // an output has a name of its own, and what is to be a state's next value is computed in training alone
    const isOwn = first === undefined || first.scan !== undefined || outputs.has(first.target);
    const other = isOwn ? undefined : sameAs(first).find(({ target }) => !next.has(target));
    if (other !== undefined && first !== undefined) {
      names.set(first.target, other.target);
      call(other.target, first.target);
      continue;
    }
    for (const { target } of unit) {
      const tensor = inference.tensors.get(target);
      if (tensor === undefined) throw new Error(`no tensor is declared for ${target}`);
      add(tensor);
    }
    for (const original of unit) {
      const { origin, target } = original;
      const source = copiedBy(original);
      if (source !== undefined && !outputs.has(target)) call(names.get(source) ?? source, target);
      statements.push({
        ...renameReads(original, names),
        target: names.get(target) ?? target,
        origin: { ...origin, history: [...origin.history, INFERENCE_HISTORY] },
      });
    }
  }
  const nameOf = (name: string): string => names.get(name) ?? name;
  const program: Program = {
    ...training,
    tensors,
    statements,
    outputs: inference.outputs.map(nameOf),
    ...evaluationOf(training, inference, nameOf),
  };
  return { program: arrangeScans(withPlainOutputs(program, inference.outputs, taken)), conflicts };
}

/** The tensor that a statement gives another name, and nothing else (a dropout that is off). */
function copiedBy({ combine, finish, body, write }: Statement): string | undefined {
  const isWhole = combine === 'assign' && finish === undefined && body.kind === 'read';
  return isWhole && JSON.stringify(body.at) === JSON.stringify(write) ? body.tensor : undefined;
}

function evaluationOf(
  training: Program,
  inference: Program,
  nameOf: (name: string) => string,
): Pick<Program, 'evaluation'> {
  const loss = inference.loss === undefined ? undefined : nameOf(inference.loss);
  const metrics = inference.metrics.map(nameOf);
  const same = loss === training.loss && metrics.every((name, place) => name === training.metrics[place]);
  return same ? {} : { evaluation: { metrics, ...(loss === undefined ? {} : { loss }) } };
}

/** Declared alike: then it is one tensor. */
function isSame(left: Tensor, right: Tensor): boolean {
  const declaration = ({ role, axes, element, range, initializer, distribution }: Tensor) =>
    JSON.stringify([role, axes, element, range, initializer, distribution]);
  return declaration(left) === declaration(right);
}

function renameReads(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  if (names.size === 0) return statement;
  const { body, finish, write } = statement;
  return {
    ...statement,
    body: renameTensors(body, names),
    write: write.map((index) => renameFetches(index, names)),
    ...(finish === undefined ? {} : { finish: renameTensors(finish, names) }),
  };
}

/** Gives outputs the names that the user gave them. Those that are loss or metric too are known by these. */
function withPlainOutputs(
  program: Program,
  declared: readonly string[],
  taken: { has(name: string): boolean },
): Program {
  const names = new Map<string, string>();
  const results = new Set([...trainingResults(program), ...evaluationResults(program)]);
  for (const [place, name] of program.outputs.entries()) {
    const plain = declared[place];
    if (plain === undefined || plain === name || results.has(name)) continue;
    names.set(plain, freshName(`${plain}_training`, taken));
    names.set(name, plain);
  }
  return names.size === 0 ? program : renameProgram(program, names);
}

/** The same program with other names for some tensors, which may change places. */
export function renameProgram(program: Program, names: ReadonlyMap<string, string>): Program {
  const nameOf = (name: string): string => names.get(name) ?? name;
  const { loss, metrics, evaluation } = program;
  const results = (of: { readonly loss?: string; readonly metrics: readonly string[] }) => ({
    metrics: of.metrics.map(nameOf),
    ...(of.loss === undefined ? {} : { loss: nameOf(of.loss) }),
  });
  return {
    name: program.name,
    tensors: new Map(
      [...program.tensors.values()].map((tensor) => {
        const name = nameOf(tensor.name);
        const { partOf } = tensor;
        return [name, { ...tensor, name, ...(partOf === undefined ? {} : { partOf: nameOf(partOf) }) }];
      }),
    ),
    statements: program.statements.map((statement) => ({
      ...renameReads(statement, names),
      target: nameOf(statement.target),
      ...(statement.scan ? { scan: { ...statement.scan, group: nameOf(statement.scan.group) } } : {}),
      ...(statement.checkpoint
        ? { checkpoint: { ...statement.checkpoint, block: nameOf(statement.checkpoint.block) } }
        : {}),
    })),
    outputs: program.outputs.map(nameOf),
    ...results({ metrics, ...(loss === undefined ? {} : { loss }) }),
    ...(evaluation === undefined ? {} : { evaluation: results(evaluation) }),
    ...(program.edits === undefined ? {} : { edits: program.edits.map((edit) => renameEdit(edit, names)) }),
    gradients: new Map([...program.gradients].map(([name, gradient]) => [nameOf(name), nameOf(gradient)])),
  };
}

/** Its own tensors keep their names, which no others have. */
function renameEdit(edit: CotangentEdit, names: ReadonlyMap<string, string>): CotangentEdit {
  return {
    ...edit,
    tensor: names.get(edit.tensor) ?? edit.tensor,
    statements: edit.statements.map((statement) => renameReads(statement, names)),
  };
}
