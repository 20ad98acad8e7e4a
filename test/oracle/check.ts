/** Runs one reference case through the compiler and the emitted code. */
import { compile, type CompileOptions } from '../../compiler/index.ts';
import type { Trainer } from '../../runtime/index.ts';
import { loadModule, type EmittedModule } from '../support/load.ts';
import type { OracleCase, OracleTensor } from './cases.ts';
import { difference } from './compare.ts';
import { BesideFloat64, isNormalised } from './float32.ts';
import { programOf } from './programs/index.ts';
import { trainedCase, type Reader, type TrainedCase } from './programs/trained.ts';
import { stateNames, traceProgram } from './programs/training.ts';
import { nameOf, Unsupported, type CaseProgram } from './programs/writer.ts';

type Arrays = Record<string, ArrayLike<number>>;
type CaseTrainer = Trainer<Arrays, Arrays>;

export type Verdict =
  | {
      readonly kind: 'passed';
      /** Weights whose gradient is nothing but float32's rounding; see float32.ts. */
      readonly excused?: readonly string[];
    }
  | { readonly kind: 'failed'; readonly problems: readonly string[] }
  | { readonly kind: 'unsupported'; readonly why: string };

/** How the case's programs are compiled. */
export type CaseOptions = Pick<CompileOptions, 'without' | 'math'>;

export async function checkCase(of: OracleCase, options: CaseOptions = {}): Promise<Verdict> {
  try {
    const found = await check(of, options);
    const problems = found.problems.filter((problem) => problem !== undefined);
    if (problems.length > 0) return { kind: 'failed', problems };
    return { kind: 'passed', ...((found.excused ?? []).length === 0 ? {} : { excused: found.excused }) };
  } catch (error) {
    if (error instanceof Unsupported) return { kind: 'unsupported', why: error.message };
    return {
      kind: 'failed',
      problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    };
  }
}

type Problem = string | undefined;

interface Findings {
  readonly problems: readonly Problem[];
  readonly excused?: readonly string[];
}

const TRACES = ['lr_trace', 'plateau_trace'];

async function check(of: OracleCase, options: CaseOptions): Promise<Findings> {
  if (TRACES.includes(of.op)) return { problems: await checkTrace(of, options) };
  const trained = trainedCase(of);
  if (trained !== undefined) return checkNetwork(of, trained, options);
  const program = programOf(of);
  const trainer = await trainerOf(of, program.text, 1, options);
  const problems = checkOnce(of, program, trainer, (tensor) => of.read(tensor));
  return { problems: [...problems, ...checkBatches(of, program, trainer)] };
}

/** Compiles a program; what it reports as an error is thrown. */
export async function compileCase(
  of: Pick<OracleCase, 'name' | 'dtype'>,
  text: string,
  options: CaseOptions = {},
): Promise<EmittedModule> {
  const { diagnostics, modules } = await compile(
    { path: `${of.name}.dsl`, text },
    { ...options, dtype: of.dtype === 'float32' ? 'f32' : 'f64', format: false },
  );
  const [first] = diagnostics.filter(({ severity }) => severity === 'error');
  if (first !== undefined) throw new Error(`${first.code} ${first.message}\n${text}`);
  return loadModule(modules[0]!.text);
}

async function trainerOf(
  of: OracleCase,
  text: string,
  batch: number,
  options: CaseOptions,
): Promise<CaseTrainer> {
  return (await compileCase(of, text, options)).createTrainer({ batch });
}

/** One forward and one backward pass: outputs, loss and gradients. */
function checkOnce(of: OracleCase, program: CaseProgram, trainer: CaseTrainer, read: Reader): Problem[] {
  const { inputs, weights } = givenData(of, trainer, read);
  trainer.setWeights(weights);
  const { loss } = trainer.gradientsOnBatch(inputs);
  const outputs = program.outputs.size === 0 ? {} : trainer.predict(inputs);
  const gradients = trainer.getGradients();
  const wanted = of.scalars?.['loss'] ?? (of.scalars?.['loss_per_step'] as number[] | undefined)?.[0];
  const forward = of.tensors.filter(({ role }) => role === 'forward');
  const grads = of.tensors.filter(({ role }) => role === 'grad');
  return [
    typeof wanted === 'number' ? difference('loss', [loss ?? NaN], [wanted], of.tolerance) : undefined,
    ...forward.map((tensor) => {
      const name = program.outputs.get(tensor.name);
      if (name === undefined) throw new Unsupported(`forward ${tensor.name} is not computed`);
      return difference(`forward ${tensor.name}`, outputs[name] ?? [], of.read(tensor), of.tolerance);
    }),
    ...grads.map((tensor) =>
      difference(`grad ${tensor.name}`, gradients[nameOf(tensor.name)] ?? [], of.read(tensor), of.tolerance),
    ),
  ];
}

/** The case's given tensors, as the model's inputs and parameters. */
function givenData(of: OracleCase, trainer: CaseTrainer, read: Reader): { inputs: Arrays; weights: Arrays } {
  const parameters = new Set(trainer.description.parameters.map(({ name }) => name));
  const ports = new Set(trainer.description.inputs.map(({ name }) => name));
  const inputs: Arrays = {};
  const weights: Arrays = {};
  for (const tensor of of.tensors) {
    if (!['input', 'target', 'const', 'param', 'buffer'].includes(tensor.role)) continue;
    const name = nameOf(tensor.name);
    if (parameters.has(name)) weights[name] = read(tensor);
    else if (ports.has(name)) inputs[name] = read(tensor);
  }
  return { inputs, weights };
}

/** Buffers that the case's program gives anew at every step, and the host carries to the next. */
class Carried {
  private readonly outputs: ReadonlyMap<string, string>;
  private readonly values = new Map<string, ArrayLike<number>>();

  constructor({ carried }: CaseProgram) {
    this.outputs = carried ?? new Map<string, string>();
  }

  get(name: string): ArrayLike<number> | undefined {
    return this.values.get(name);
  }

  reading(read: Reader): Reader {
    return (tensor) => (tensor.role === 'buffer' ? this.values.get(tensor.name) : undefined) ?? read(tensor);
  }

  update(trainer: CaseTrainer, inputs: Arrays): void {
    if (this.outputs.size === 0) return;
    const outputs = trainer.predict(inputs);
    for (const [buffer, output] of this.outputs) this.values.set(buffer, outputs[output] ?? []);
  }
}

/** Running statistics over the batches in `batches.x`. */
function checkBatches(of: OracleCase, program: CaseProgram, trainer: CaseTrainer): Problem[] {
  const batches = of.tensors.find(({ name }) => name === 'batches.x');
  if (batches === undefined) return [];
  const [count] = batches.shape as [number];
  const values = of.read(batches);
  const size = values.length / count;
  const carried = new Carried(program);
  const problems: Problem[] = [];
  for (let step = 1; step <= count; step++) {
    const read = carried.reading((tensor) =>
      tensor.name === 'x' ? values.subarray((step - 1) * size, step * size) : of.read(tensor),
    );
    const { inputs, weights } = givenData(of, trainer, read);
    trainer.setWeights(weights);
    carried.update(trainer, inputs);
    for (const tensor of of.tensors) {
      if (tensor.role !== 'after' || tensor.step !== step) continue;
      const got = carried.get(tensor.name) ?? [];
      problems.push(difference(`after ${step} ${tensor.name}`, got, of.read(tensor), of.tolerance));
    }
  }
  return problems;
}

async function checkNetwork(
  of: OracleCase,
  { rows, once, training, read }: TrainedCase,
  options: CaseOptions,
): Promise<Findings> {
  const problems = checkOnce(of, once, await trainerOf(of, once.text, 1, options), read(0));
  const trainer = await trainerOf(of, training.text, rows, options);
  if (of.exact === undefined || !isNormalised(of))
    return { problems: [...problems, ...checkTraining(of, training, trainer, read)] };
  const exact = await compileCase(of.exact, training.text, options);
  problems.push(...checkTraining(of.exact, training, exact.createTrainer({ batch: rows }), read));
  const beside = new BesideFloat64(of, trainer, exact.createTrainer({ batch: rows }));
  beside.exact.setWeights(givenData(of, beside.exact, read(0)).weights);
  const rates = of.scalars?.['lr_per_step'] as (number | number[])[];
  const train = (inputs: Arrays, step: number): void =>
    beside.train(inputs, Math.max(...[rates[step]!].flat()));
  problems.push(...checkTraining(of, training, trainer, read, train), beside.problem());
  return { problems, excused: [...beside.excused] };
}

function checkTraining(
  of: OracleCase,
  program: CaseProgram,
  trainer: CaseTrainer,
  readAt: (step: number) => Reader,
  train: (inputs: Arrays, step: number) => void = (inputs) => trainer.trainOnBatch(inputs),
): Problem[] {
  const problems: Problem[] = [];
  const carried = new Carried(program);
  trainer.setWeights(givenData(of, trainer, readAt(0)).weights);
  const losses = of.scalars?.['loss_per_step'] as number[];
  const norms = of.scalars?.['grad_norm_per_step'] as number[] | undefined;
  const { kind } = (of.hyper ?? {})['optimizer'] as { kind: string };
  const check = (what: string, got: number | undefined, want: unknown): void => {
    problems.push(difference(what, [got ?? NaN], [Number(want)], of.tolerance));
  };
  for (let step = 0; step < losses.length; step++) {
    const { inputs } = givenData(of, trainer, carried.reading(readAt(step)));
    const gradient = trainer.gradientsOnBatch(inputs);
    check(`loss at step ${step}`, gradient['loss'], losses[step]);
    if (norms !== undefined) check(`gradient norm at step ${step}`, globalNorm(trainer), norms[step]);
    carried.update(trainer, inputs);
    train(inputs, step);
    for (const tensor of of.tensors) {
      if (tensor.step !== step + 1) continue;
      problems.push(compareAfter(of, tensor, trainer, kind, carried));
    }
    const scheduled = trainer.getState();
    for (const [key, name] of [
      ['lr_per_step', 'rate'],
      ['momentum_per_step', 'momentum'],
    ] as const) {
      const wanted = of.scalars?.[key] as (number | number[])[] | undefined;
      if (wanted !== undefined && scheduled[name] !== undefined)
        check(`${key} ${step}`, scheduled[name][0], [wanted[step]].flat()[0]);
    }
  }
  const { inputs } = givenData(of, trainer, carried.reading(readAt(losses.length)));
  check('loss after the last step', trainer.evaluate(inputs)['loss'], of.scalars?.['loss_after_last_step']);
  return problems;
}

function globalNorm(trainer: CaseTrainer): number {
  const values = Object.values(trainer.getGradients()).flatMap((gradient) => Array.from(gradient));
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function compareAfter(
  of: OracleCase,
  tensor: OracleTensor,
  trainer: CaseTrainer,
  optimizer: string,
  carried: Carried,
): Problem {
  const what = `${tensor.role} ${tensor.step} ${tensor.name}`;
  if (tensor.role === 'after') {
    const got = carried.get(tensor.name) ?? trainer.getWeights()[nameOf(tensor.name)] ?? [];
    return difference(what, got, of.read(tensor), of.tolerance);
  }
  const end = tensor.name.lastIndexOf('.');
  const [parameter, slot] = [tensor.name.slice(0, end), tensor.name.slice(end + 1)];
  const state = stateNames[optimizer]?.[slot];
  if (state === undefined) throw new Unsupported(`state ${slot} of ${optimizer}`);
  return difference(
    what,
    trainer.getState()[`${nameOf(parameter)}.${state}`] ?? [],
    of.read(tensor),
    of.tolerance,
  );
}

/** A schedule alone: w falls by the rate at every step. For plateaus the rate is seen one step later. */
async function checkTrace(of: OracleCase, options: CaseOptions): Promise<Problem[]> {
  const trainer = await trainerOf(of, traceProgram(of), 1, options);
  const rates = of.tensors.find(({ role, name }) => role === 'forward' && name === 'lr')!;
  const metric = of.tensors.find(({ name }) => name === 'metric');
  const given = metric === undefined ? undefined : of.read(metric);
  const wanted = of.read(rates);
  const got: number[] = [];
  for (let step = 0; got.length < wanted.length; step++) {
    trainer.setWeights({ w: [0] });
    trainer.trainOnBatch({ metric_: [given?.[Math.min(step, given.length - 1)] ?? 0] });
    const rate = -trainer.getWeights()['w']![0]!;
    if (given === undefined || step > 0) got.push(rate);
  }
  return [difference('lr', got, wanted, of.tolerance)];
}
