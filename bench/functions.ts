/**
 * What the time of a step is spent on: a profile of V8, whose samples are told apart by the emitted functions that they fell
 * into, and these by what the schedule says that they do.
 */
import { Session, type Profiler } from 'node:inspector';
import { analyse, scheduleModel } from '../compiler/index.ts';
import { flopsOf } from '../compiler/graph/flops.ts';
import { placesOfOrigins } from '../compiler/graph/origin.ts';
import type { LoopFunction, LoopProgram } from '../compiler/schedule/types.ts';
import { multiplyAdds } from '../compiler/schedule/work.ts';
import { modelSource, type Options } from './chainrule.ts';
import type { Workload } from './workloads.ts';

/** Where time can go, in the order and the words of the table. */
export const parts = {
  kernels: 'kernels of contractions',
  around: 'around kernels: bias, activation, gates',
  products: 'contractions in plain loops',
  unrolled: 'rows written out (a tiny model)',
  reductions: 'softmax, norms, losses, other sums',
  elementwise: 'elementwise, copies',
  optimizer: 'optimizer',
  collector: 'garbage collection',
  rest: 'lists of calls, and all else',
} as const satisfies Readonly<Record<string, string>>;

export type Part = keyof typeof parts;

/** The same for each part. */
export function byPart<T>(of: (part: Part) => T): Readonly<Record<Part, T>> {
  return {
    kernels: of('kernels'),
    around: of('around'),
    products: of('products'),
    unrolled: of('unrolled'),
    reductions: of('reductions'),
    elementwise: of('elementwise'),
    optimizer: of('optimizer'),
    collector: of('collector'),
    rest: of('rest'),
  };
}

/** What is known of an emitted function without running it. */
export interface KnownFunction {
  /** Of its own time: what its kernels take is always `kernels`. */
  readonly part: Part;
  /** In a step. */
  readonly calls: number;
  /** Of the products that it sums up, in all calls of a step: two for every pair of factors. */
  readonly operations: number;
  /** The choice of the schedule, and the lines of the model. */
  readonly form: string;
  readonly places: string;
}

export interface KnownFunctions {
  readonly functions: ReadonlyMap<string, KnownFunction>;
  readonly kernels: ReadonlySet<string>;
}

/** The value of a polynomial in the rows, as pairs of power and coefficient. */
const valueAt = (polynomial: Iterable<readonly [number, number]>, rows: number): number =>
  [...polynomial].reduce((total, [power, coefficient]) => total + coefficient * rows ** power, 0);

function partOf(
  { body, computes, decision }: LoopFunction,
  products: number,
  operations: number,
  kernels: ReadonlySet<string>,
): Part {
  if (decision?.form === 'unroll') return 'unrolled';
  if (products > 0 && callsOne(body, kernels)) return 'around';
  // two operations a product: at least half of the work is this sum
  if (4 * products >= operations && products > 0) return 'products';
  return computes.some(({ combine }) => combine !== 'assign') ? 'reductions' : 'elementwise';
}

function callsOne(body: LoopFunction['body'], kernels: ReadonlySet<string>): boolean {
  return body.some((statement) => {
    if (statement.kind === 'call') return kernels.has(statement.function);
    if (statement.kind === 'for') return callsOne(statement.body, kernels);
    return (
      statement.kind === 'if' && (callsOne(statement.then, kernels) || callsOne(statement.otherwise, kernels))
    );
  });
}

/** What the functions of a training step are, in batches of so many rows. */
export function knownFunctions(loops: LoopProgram, rows: number): KnownFunctions {
  const kernels = new Set(
    loops.functions.filter(({ computes }) => computes.length === 0).map(({ name }) => name),
  );
  const steps = [...loops.forward, ...loops.backward];
  const functions = new Map<string, KnownFunction>();
  for (const each of loops.functions) {
    const calls = steps.filter((step) => step.function === each.name);
    const [call] = calls;
    if (call === undefined || kernels.has(each.name)) continue;
    const products = valueAt(multiplyAdds(loops, [call]), rows);
    const operations = valueAt(flopsOf(each.computes).entries(), rows);
    functions.set(each.name, {
      part: partOf(each, products, operations, kernels),
      calls: calls.length,
      operations: 2 * products * calls.length,
      form: each.decision?.form ?? 'loops',
      places: placesOfOrigins(
        (each.uses ?? [each.computes]).flatMap((use) => use.map(({ origin }) => origin)),
      ),
    });
  }
  return { functions, kernels };
}

/** The loops of a workload's module. */
export function loopsOf(workload: Pick<Workload, 'model'>, options: Options = {}): LoopProgram {
  const [analysed] = analyse(modelSource(workload), options).models;
  if (analysed === undefined) throw new Error(`${workload.model}.dsl does not compile`);
  return scheduleModel(analysed, options);
}

/** A function's share of the samples of a profile. */
export interface FunctionShare {
  readonly name: string;
  /** Of the function and what it calls, but kernels. */
  readonly own: number;
  readonly inKernels: number;
  /** The kernels under it, the one with most samples first. */
  readonly kernels: readonly string[];
}

export interface Shares {
  readonly parts: Readonly<Record<Part, number>>;
  /** The largest first. */
  readonly functions: readonly FunctionShare[];
}

/** The optimizer's functions are not in the schedule of the model. */
const isUpdate = (name: string): boolean => name.startsWith('update_');

/** Each sample goes to the emitted function that it fell into, or that called what it fell into. */
export function sharesOf({ nodes, samples = [] }: Profiler.Profile, known: KnownFunctions): Shares {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const callerOf = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const counts = new Map<number, number>();
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1);

  const ofParts = new Map<Part, number>();
  const ofFunctions = new Map<string, { own: number; kernels: Map<string, number> }>();
  for (const [id, count] of counts) {
    const share = count / samples.length;
    const { kernel, name } = ownerOf(id, nodeOf, callerOf, known);
    const part = kernel === undefined ? partOfName(name, known) : 'kernels';
    ofParts.set(part, (ofParts.get(part) ?? 0) + share);
    if (!known.functions.has(name) && !isUpdate(name)) continue;
    const found = ofFunctions.get(name) ?? { own: 0, kernels: new Map<string, number>() };
    ofFunctions.set(name, found);
    if (kernel === undefined) found.own += share;
    else found.kernels.set(kernel, (found.kernels.get(kernel) ?? 0) + share);
  }
  const functions = [...ofFunctions].map(([name, { own, kernels }]) => ({
    name,
    own,
    inKernels: [...kernels.values()].reduce((sum, share) => sum + share, 0),
    kernels: [...kernels].toSorted(([, a], [, b]) => b - a).map(([kernel]) => kernel),
  }));
  return {
    parts: byPart((part) => ofParts.get(part) ?? 0),
    functions: functions.toSorted((a, b) => b.own + b.inKernels - a.own - a.inKernels),
  };
}

/** From a place in the tree of calls upwards: the first function of a step, and the kernel that it calls. */
function ownerOf(
  id: number,
  nodeOf: ReadonlyMap<number, Profiler.ProfileNode>,
  callerOf: ReadonlyMap<number, number>,
  { functions, kernels }: KnownFunctions,
): { name: string; kernel?: string } {
  let kernel: string | undefined;
  for (let at: number | undefined = id; at !== undefined; at = callerOf.get(at)) {
    const name = nodeOf.get(at)?.callFrame.functionName ?? '';
    if (kernels.has(name)) kernel = name;
    else if (functions.has(name) || isUpdate(name))
      return { name, ...(kernel === undefined ? {} : { kernel }) };
  }
  return { name: nodeOf.get(id)?.callFrame.functionName ?? '', ...(kernel === undefined ? {} : { kernel }) };
}

function partOfName(name: string, { functions }: KnownFunctions): Part {
  if (isUpdate(name)) return 'optimizer';
  return functions.get(name)?.part ?? (name === '(garbage collector)' ? 'collector' : 'rest');
}

/**
 * The samples that fall into `work`. It is watched from before `prepare`: of a function that V8 optimised earlier it would
 * not be known which others are inlined.
 */
export async function takeProfile(
  prepare: () => Promise<void>,
  work: () => void,
  microseconds = 200,
): Promise<Profiler.Profile> {
  const session = new Session();
  session.connect();
  const post = (method: string, parameters: object = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      session.post(method, parameters, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval: microseconds });
  await post('Profiler.start');
  await prepare();
  const begin = performance.now();
  work();
  const watched = (performance.now() - begin) * 1000;
  const { profile } = (await post('Profiler.stop')) as Profiler.StopReturnType;
  session.disconnect();
  const { startTime, endTime, samples = [], timeDeltas = [] } = profile;
  let time = startTime;
  const isInside = timeDeltas.map((passed) => (time += passed) >= endTime - watched);
  return { ...profile, samples: samples.filter((_, k) => isInside[k]) };
}
