/** From a program of statements to loops: what runs in which order, over which buffers. */
import { tensorsReadBy } from '../graph/expressions.ts';
import { nextValues } from '../graph/results.ts';
import type { Program, Statement } from '../graph/types.ts';
import { hasTooManyOpenAxes, planBuffers } from './buffers.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';
import { contractionLoops, totalProducts } from './contraction.ts';
import type { ContractionOptions } from './contraction.ts';
import { FunctionList } from './function-list.ts';
import { FunctionScope } from './function-scope.ts';
import type { Naming } from './function-scope.ts';
import type { Group, Part } from './groups.ts';
import { layOut } from './layout.ts';
import { statementLoops } from './loops.ts';
import { rowLoops } from './row-loops.ts';
import { cutLoops } from './pieces.ts';
import { scanLoops } from './scan-loops.ts';
import { sharedLoops } from './shared-loops.ts';
import { softmaxLoops } from './softmax.ts';
import { windowLoops } from './windows.ts';
import { shareGroups } from './share-functions.ts';
import type { SharedGroup } from './share-functions.ts';
import { byChoice, plainLoops } from './reasons.ts';
import { unrolledLoop } from './unroll.ts';
import type { Decision, LoopFunction, LoopProgram, Step } from './types.ts';

export { scheduleUpdate } from './update.ts';

export interface ScheduleOptions {
  readonly dtype: 'f32' | 'f64';
  /** The run-time extent that is the batch. */
  readonly batch?: string;
  /** The order of the parameters in their pool, as the update groups want it; others follow as declared. */
  readonly parameters?: readonly string[];
  /** What is left out of the schedule. */
  readonly without?: Without;
  /** Tensors that are stored though nothing else may need it: `--trace`. */
  readonly followed?: readonly string[];
}

/** The loop program of a model. Pure: the same program gives the same loops. */
export function schedule(source: Program, options: ScheduleOptions): LoopProgram {
  const without = options.without ?? nothing;
  const { program, groups, listed, aliases, stored, timelines, related } = layOut(
    source,
    without,
    options.batch,
    options.followed,
  );
  const inside = insideTensors(groups, stored);
  const functions = new FunctionList();
  const total = totalProducts(
    groups.flatMap(({ statements }) => statements),
    program.tensors,
  );
  const steps = new Map<Group, Step>();
  for (const shared of shareGroups(groups, program, inside, without)) {
    const step = groupFunction(shared, program, { ...options, total }, functions);
    for (const { group, tensors } of shared.members) {
      const actual = new Map(shared.names.map((name, place) => [name, tensors[place] ?? name]));
      const given = (names: readonly string[]): string[] =>
        names.map((name) => sharedArray(actual.get(name) ?? name, program, aliases));
      steps.set(group, {
        ...step,
        buffers: given(step.buffers),
        ...(step.numbers === undefined ? {} : { numbers: given(step.numbers) }),
      });
    }
  }
  const stepsOf = (part: Part): Step[] => listed(part).flatMap((group) => steps.get(group) ?? []);
  const plan = planBuffers(program, timelines, {
    dtype: options.dtype,
    order: parameterOrder(program, options.parameters ?? []),
    inside,
    aliases,
    related,
  });
  return {
    name: program.name,
    dtype: options.dtype,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    buffers: plan.buffers,
    functions: functions.all,
    forward: stepsOf('forward'),
    backward: stepsOf('backward'),
    ...(program.evaluation === undefined ? {} : { evaluate: stepsOf('evaluate') }),
    predict: stepsOf('predict'),
    draws: {
      forward: drawnFor(listed('forward', 'backward'), program, aliases),
      evaluate: drawnFor(listed('evaluate'), program, aliases),
      predict: drawnFor(listed('predict'), program, aliases),
    },
    nextValues: nextValues(program),
    moments: plan.moments,
    pools: plan.pools,
  };
}

/**
 * The statements whose results would have to be stored, but have more open axes than buffers.ts has regions for. Of a program
 * with one of them there is no schedule.
 */
export function withoutPlace(source: Program, options: Omit<ScheduleOptions, 'dtype'>): readonly Statement[] {
  // most programs have none, and are not laid out twice
  if (![...source.tensors.values()].some(hasTooManyOpenAxes)) return [];
  const { without = nothing, batch, followed } = options;
  const { program, groups, aliases, stored } = layOut(source, without, batch, followed);
  const inside = insideTensors(groups, stored);
  return groups
    .flatMap(({ statements }) => statements)
    .filter(({ target }) => {
      const tensor = program.tensors.get(target);
      return (
        !inside.has(target) && !aliases.has(target) && tensor !== undefined && hasTooManyOpenAxes(tensor)
      );
    });
}

/** The array to hand in for a tensor: another name of an input, a parameter or a state has none of its own. */
function sharedArray(name: string, { tensors }: Program, aliases: ReadonlyMap<string, string>): string {
  const root = aliases.get(name) ?? name;
  const role = tensors.get(root)?.role;
  return role === 'intermediate' || role === 'random' ? name : root;
}

/** The random tensors that the groups read, in order of declaration. */
function drawnFor(
  groups: readonly Group[],
  program: Program,
  aliases: ReadonlyMap<string, string>,
): string[] {
  const names = groups.flatMap(({ statements }) => statements.flatMap((each) => [...tensorsReadBy(each)]));
  const read = new Set(names.map((name) => aliases.get(name) ?? name));
  return [...program.tensors.values()].flatMap(({ name, role }) =>
    role === 'random' && read.has(name) ? [name] : [],
  );
}

/** Trained parameters first, the given ones in the given order. */
function parameterOrder(program: Program, given: readonly string[]): string[] {
  const all = [...program.tensors.values()].filter((tensor) => tensor.role === 'parameter');
  const names = all.map((tensor) => tensor.name);
  const trained = names.filter((name) => program.gradients.has(name));
  const rest = names.filter((name) => !program.gradients.has(name));
  return [...new Set([...given.filter((name) => trained.includes(name)), ...trained, ...rest])];
}

/** Targets that nothing outside their own function reads. */
function insideTensors(groups: readonly Group[], kept: ReadonlySet<string>): Set<string> {
  // Of a tiny model, several functions compute the same.
  const homes = new Map<string, Set<Group>>();
  for (const group of groups)
    for (const { target } of group.statements) homes.set(target, (homes.get(target) ?? new Set()).add(group));
  const outside = new Set(kept);
  for (const group of groups)
    for (const statement of group.statements)
      for (const tensor of tensorsReadBy(statement))
        if (homes.get(tensor)?.has(group) !== true) outside.add(tensor);
  // what a recurrence leaves is read in later steps, too
  const shared = groups.filter(({ statements }) => statements.length > 1 && !statements[0]?.scan);
  return new Set(
    shared.flatMap((group) =>
      group.statements.map((statement) => statement.target).filter((target) => !outside.has(target)),
    ),
  );
}

function groupFunction(
  shared: SharedGroup,
  program: Program,
  { batch, without = nothing, total = 0 }: ScheduleOptions & ContractionOptions,
  functions: FunctionList,
): Step {
  const { group, tensors, inside } = shared;
  // what is done for each of its members is as many times of the work
  const contracting: ContractionOptions = { without, total: total / shared.members.length };
  const naming: Naming = { tensors, batch };
  const [first] = group.statements;
  if (!first) throw new Error('a group has statements');
  const touched = group.statements.flatMap((statement) => [...tensorsReadBy(statement), statement.target]);
  const scopeOf = (): FunctionScope =>
    new FunctionScope(
      naming,
      touched.filter((tensor) => !inside.has(tensor)),
    );
  const add = (scope: FunctionScope, body: LoopFunction['body'], decision: Decision): Step => {
    const { loopFunction, step } = scope.finish(
      functions.fresh(nameOf(shared, program)),
      without.has('pieces') ? body : cutLoops(body),
      group.statements,
    );
    functions.add({
      ...loopFunction,
      tensors,
      decision,
      uses: shared.members.map(({ group: { statements } }) =>
        statements.map(({ target, origin }) => ({ tensor: target, origin })),
      ),
    });
    return step;
  };
  if (first.scan) {
    const scope = scopeOf();
    const { statements, contractions } = scanLoops(group.statements, scope, tensors, contracting);
    for (const { kernel } of contractions) functions.addKernel(kernel);
    return add(scope, statements, { form: 'recurrence', why: 'each step reads what the one before it left' });
  }
  if (group.unrolled === true) {
    const scope = scopeOf();
    return add(scope, unrolledLoop(group.statements, scope, tensors, batch, inside), byChoice('unroll'));
  }
  if (group.form === 'windows') {
    const scope = scopeOf();
    return add(scope, windowLoops(group.statements, scope, tensors), byChoice('windows'));
  }
  if (group.form === 'softmax') {
    const scope = scopeOf();
    return add(scope, softmaxLoops(group.statements, scope, tensors, inside), byChoice('softmax'));
  }
  if (group.rowwise === true) {
    const scope = scopeOf();
    return add(scope, rowLoops(group.statements, scope, tensors), byChoice('rows'));
  }
  if (group.statements.length > 1) {
    const scope = scopeOf();
    return add(
      scope,
      sharedLoops(group.statements, scope, tensors, { inside, last: new Set() }),
      byChoice('elementwise'),
    );
  }
  const scope = scopeOf();
  const contraction = without.has('kernels')
    ? undefined
    : contractionLoops(first, scope, tensors, contracting);
  if (!contraction) return add(scope, statementLoops(first, scope, tensors), plainLoops(first, without));
  functions.addKernel(contraction.kernel);
  return add(scope, contraction.statements, contraction.decision);
}

function nameOf({ members, result }: SharedGroup, program: Program): string {
  const [only] = members;
  if (only?.group.unrolled === true) return `${[...only.group.parts].join('_')}_rows`;
  const parameterOf = new Map([...program.gradients].map(([parameter, gradient]) => [gradient, parameter]));
  const statements = members[0]?.group.statements ?? [];
  const gradient = statements.findLast((statement) => parameterOf.has(statement.target));
  if (gradient && members.length === 1) return `gradient_${parameterOf.get(gradient.target) ?? ''}`;
  const last: Statement | undefined = statements.at(-1);
  if (gradient && gradient === last) return `gradient_${result.replace(/^d/, '')}`;
  return `${last?.phase ?? 'forward'}_${result}`;
}
