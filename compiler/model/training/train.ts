/** A `train` block -> Training. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import { freshName } from '../../graph/expressions.ts';
import type { Program } from '../../graph/types.ts';
import type { SyntaxExpression, TrainDeclaration } from '../../syntax/tree.ts';
import { evaluateConstant } from '../constants.ts';
import type { ModelContext } from '../context.ts';
import type { Scope } from '../scope.ts';
import type { Rate, Training, UpdateGroup } from '../types.ts';
import { namesIn, readEntries } from './entries.ts';
import type { OptimizerEntry } from './entries.ts';
import { assignParameters, parametersFor } from './groups.ts';
import { elaborateOptimizer } from './optimizers.ts';

/**
 * The training of a model: its entries checked, every parameter that is not frozen in one group, each group's optimizer
 * as a program. Undefined if something is wrong, which is reported, or if the block has nothing but `freeze`.
 */
export function elaborateTraining(
  declaration: TrainDeclaration,
  context: ModelContext,
  diagnostics: Diagnostics,
): Training | undefined {
  const errorsBefore = errorsIn(diagnostics);
  const { scope, program } = context;
  // a block that only freezes says what is not trained, and nothing of how the rest is
  const isOnlyFreeze = declaration.entries.every(({ name }) => name.text === 'freeze');
  if (declaration.entries.length > 0 && isOnlyFreeze) return undefined;
  const entries = readEntries(declaration, { evaluate: evaluatorIn(scope, diagnostics), diagnostics });
  const parameters = [...program.tensors.values()].filter((tensor) => tensor.role === 'parameter');
  const names = parameters.map(({ name }) => name);
  const frozen = new Set(parameters.filter((tensor) => tensor.frozen === true).map(({ name }) => name));
  if (entries.optimizers.length === 0) {
    diagnostics.error('E210', declaration.span, 'this `train` block has no optimizer', {
      hint: 'add `optimizer: adam(rate = 1e-3)`',
    });
  }
  if (names.length === 0) {
    diagnostics.error('E210', declaration.span, 'there is nothing to train: the model has no parameters', {
      hint: 'declare one, `param W[784, 10] ~ glorot_uniform`, call a layer that has some, or remove the `train` block',
    });
  } else if (frozen.size === names.length) {
    diagnostics.error('E210', declaration.span, 'there is nothing to train: every parameter is frozen', {
      hint: 'leave out something from `freeze`, or everything but `freeze` from the block',
    });
  }
  if (program.loss === undefined) {
    diagnostics.error('E210', declaration.span, 'a model that is trained needs a loss', {
      hint: 'add `loss = mean[n](...)`',
    });
  }

  const assigned = assignParameters(entries.optimizers, names, frozen, diagnostics);
  const schedules: Program[] = [];
  const taken = new Set<string>();
  const nameSchedule = (hyperParameter: string): string => {
    const name = freshName(`${hyperParameter}_schedule`, taken);
    taken.add(name);
    return name;
  };
  const groups: UpdateGroup[] = [];
  for (const entry of entries.optimizers) {
    const optimizer = elaborateOptimizer(entry.value, { scope, diagnostics, nameSchedule });
    const members = assigned.get(entry);
    if (optimizer === undefined || members === undefined) continue;
    schedules.push(...optimizer.schedules.values());
    groups.push({
      optimizer: optimizer.name,
      parameters: members,
      program: optimizer.program,
      perParameter: optimizer.perParameter,
      scheduled: new Map(
        [...optimizer.schedules].flatMap(([name, program]) =>
          program === optimizer.rate ? [] : [[name, program.name]],
        ),
      ),
      ...(optimizer.rate !== undefined && { rate: rateOf(optimizer.name, optimizer.rate, entry) }),
    });
  }
  if (errorsIn(diagnostics) > errorsBefore) return undefined;
  const place = (group: UpdateGroup): number => names.indexOf(group.parameters[0] ?? '');
  const { batch, epochs, seed, shuffle, clip } = entries;
  return {
    ...(batch === undefined ? {} : { batch }),
    epochs,
    seed,
    shuffle,
    ...(clip === undefined ? {} : { clip }),
    groups: groups.toSorted((left, right) => place(left) - place(right)),
    schedules,
    span: declaration.span,
  };
}

function rateOf(optimizer: string, written: number | Program, { targets }: OptimizerEntry): Rate {
  return {
    name: targets === undefined ? optimizer : `${optimizer} of ${targets.map(({ text }) => text).join(', ')}`,
    written: typeof written === 'number' ? written : { schedule: written.name },
  };
}

/** The parameters that the `freeze` entry of a train block names. Reports E201 for a name or pattern that fits none. */
export function frozenParameters(
  declaration: TrainDeclaration,
  parameters: readonly string[],
  diagnostics: Diagnostics,
): ReadonlySet<string> {
  const frozen = declaration.entries.flatMap((entry) =>
    entry.name.text === 'freeze' ? namesIn(entry.value, diagnostics) : [],
  );
  return new Set(parametersFor(frozen, parameters, diagnostics));
}

function evaluatorIn(scope: Scope, diagnostics: Diagnostics) {
  return (expression: SyntaxExpression): number | undefined =>
    evaluateConstant(expression, scope, diagnostics);
}

function errorsIn(diagnostics: Diagnostics): number {
  return diagnostics.list.filter(({ severity }) => severity === 'error').length;
}
