/**
 * @file The optimizer's step: where its states lie, and its calls. Each group of parameters is cut into runs that lie
 * next to one another in the flat arrays (one parameter each where the optimizer reduces over a whole tensor), and
 * every run is one call on views made once.
 */
import type { Program, Tensor } from '../../graph/types.ts';
import type { Clip, Rate, UpdateGroup } from '../../model/types.ts';
import type { Buffer, Step, UpdateLoops } from '../../schedule/types.ts';
import type { StateDescription } from '../../../runtime/types.ts';
import { initialOf } from './describe.ts';
import { printNumber } from './integers.ts';
import type { Scope } from './names.ts';
import type { EmitRequest } from './request.ts';
import type { Views } from './views.ts';

export interface UpdateText {
  /** Views and scratch arrays, made once in createProgram. */
  readonly declarations: readonly string[];
  readonly calls: readonly string[];
  readonly states: readonly StateDescription[];
  /** Elements of the optimizer's part of `state`, after the model's own. */
  readonly stateSize: number;
  readonly scalarSize: number;
  /** The number of places of `rates`. */
  readonly rateSize: number;
}

/** Emits the function of an update program, or finds the equal one emitted before, and gives a call of it. */
export type CallWriter = (
  program: Program,
  loops: UpdateLoops,
  step: Step,
  buffers: readonly string[],
  integers: readonly string[],
  numbers: readonly string[],
) => string;

interface Run {
  readonly parameters: readonly Buffer[];
  readonly offset: number;
  readonly size: number;
}

export function emitUpdate(request: EmitRequest, views: Views, local: Scope, call: CallWriter): UpdateText {
  const writer = new UpdateWriter(request, views, local, call);
  writer.write();
  return writer;
}

class UpdateWriter implements UpdateText {
  readonly declarations: string[] = [];
  readonly calls: string[] = [];
  readonly states: StateDescription[] = [];
  stateSize = 0;
  scalarSize = 0;
  rateSize = 0;

  private readonly request: EmitRequest;
  private readonly views: Views;
  private readonly local: Scope;
  private readonly call: CallWriter;
  /** Schedule -> the array whose first element is its value. */
  private readonly scheduled = new Map<string, string>();
  /** Slices of the flat arrays by their text, so that equal ones are made once. */
  private readonly slices = new Map<string, string>();

  constructor(request: EmitRequest, views: Views, local: Scope, call: CallWriter) {
    this.request = request;
    this.views = views;
    this.local = local;
    this.call = call;
  }

  write(): void {
    const { model, groups, schedules } = this.request;
    const { training } = model;
    if (training === undefined) return;
    if (groups.length !== training.groups.length || schedules.length !== training.schedules.length) {
      throw new Error('every update group and every schedule needs its loops');
    }
    if (training.clip !== undefined && training.groups.length > 0) this.calls.push(clipCall(training.clip));
    training.schedules.forEach((_, k) => this.schedule(k));
    training.groups.forEach((group, k) => this.group(group, groups[k]!, training.groups.length));
  }

  // ---------------------------------------------------------------------------------------------------------- schedules

  private schedule(k: number): void {
    const program = this.request.model.training!.schedules[k]!;
    const loops = this.request.schedules[k]!;
    const buffers = new Map<string, string>();
    for (const tensor of statesOf(program.tensors)) {
      buffers.set(
        tensor.name,
        this.scalarState(tensor, `${program.name}.${tensor.name}`, `${program.name}_${tensor.name}`),
      );
    }
    for (const buffer of loops.buffers.values()) {
      const isValue = program.outputs.includes(buffer.tensor);
      const name = this.local.declare(isValue ? program.name : `${program.name}_${buffer.tensor}`);
      buffers.set(buffer.tensor, name);
      this.declarations.push(`const ${name} = new Float64Array(1);`);
      if (isValue) this.scheduled.set(program.name, name);
    }
    this.steps(program, loops, buffers, '1');
  }

  // ------------------------------------------------------------------------------------------------------------- groups

  private group(group: UpdateGroup, loops: UpdateLoops, groups: number): void {
    const runs = this.runsOf(group);
    const alone = groups === 1 && runs.length === 1;
    const scratch = this.scratchOf(group, loops, Math.max(0, ...runs.map((run) => run.size)));
    const states = statesOf(group.program.tensors);
    const bases = new Map<string, number>();
    const total = runs.reduce((sum, run) => sum + run.size, 0);
    for (const tensor of states.filter(isPerElement)) {
      bases.set(tensor.name, this.stateSize);
      this.stateSize += total;
    }
    const numbers = new Map<string, string>();
    for (const [hyper, schedule] of group.scheduled) {
      const value = this.scheduled.get(schedule);
      if (value === undefined)
        throw new Error(`no schedule '${schedule}' for '${hyper}' of ${group.optimizer}`);
      numbers.set(hyper, value);
    }
    if (group.rate !== undefined) numbers.set('rate', this.rate(group.rate));

    let before = 0;
    for (const run of runs) {
      const buffers = new Map([...scratch, ...numbers]);
      buffers.set('p', this.slice('parameters', run, ''));
      buffers.set('g', this.slice('gradients', run, 'd'));
      for (const tensor of states) {
        const suffix = alone ? '' : `_${labelOf(run)}`;
        if (isPerElement(tensor)) {
          const offset = this.modelStateSize + bases.get(tensor.name)! + before;
          buffers.set(tensor.name, this.stateView(tensor, run, offset, suffix));
        } else {
          const owner = run.parameters.length === 1 ? run.parameters[0]!.tensor : labelOf(run);
          buffers.set(
            tensor.name,
            this.scalarState(tensor, `${owner}.${tensor.name}`, `${tensor.name}${suffix}`),
          );
        }
      }
      this.steps(group.program, loops, buffers, String(run.size));
      before += run.size;
    }
  }

  /** The rate in force is computed once a step, and kept for whoever asks; gives the array that begins with it. */
  private rate({ name, written }: Rate): string {
    const schedule = typeof written === 'number' ? undefined : this.scheduled.get(written.schedule);
    const text = typeof written === 'number' ? printNumber(written) : schedule && `${schedule}[0]!`;
    if (text === undefined) throw new Error(`no schedule for the rate of ${name}`);
    const place = this.rateSize++;
    this.calls.push(`rates[${place}] = ${text} * rateFactor;`);
    if (place === 0) return 'rates';
    const view = this.local.declare('rate');
    this.declarations.push(`const ${view} = rates.subarray(${place}, ${place + 1});`);
    return view;
  }

  private get modelStateSize(): number {
    return this.request.loops.pools.state.constant;
  }

  /** Parameters of a group that lie next to one another, in the group's order. */
  private runsOf(group: UpdateGroup): Run[] {
    const runs: Run[] = [];
    for (const name of group.parameters) {
      const buffer = this.views.bufferOf(name);
      this.gradientOf(buffer);
      const last = runs.at(-1);
      if (!group.perParameter && last !== undefined && last.offset + last.size === buffer.offset.constant) {
        runs[runs.length - 1] = {
          parameters: [...last.parameters, buffer],
          offset: last.offset,
          size: last.size + buffer.size.constant,
        };
      } else {
        runs.push({ parameters: [buffer], offset: buffer.offset.constant, size: buffer.size.constant });
      }
    }
    return runs;
  }

  /** Gradients lie in their array as the parameters in theirs: the tensor that lies where the parameter does. */
  private gradientOf(parameter: Buffer): string {
    const gradient = [...this.request.loops.buffers.values()].find(
      ({ pool, offset, size }) =>
        pool === 'gradients' &&
        offset.constant === parameter.offset.constant &&
        size.constant === parameter.size.constant,
    );
    if (gradient === undefined)
      throw new Error(`no gradient lies in parallel to parameter '${parameter.tensor}'`);
    return gradient.tensor;
  }

  private slice(pool: 'parameters' | 'gradients', run: Run, prefix: string): string {
    if (run.offset === 0 && run.size === this.request.loops.pools[pool].constant) return pool;
    const [only] = run.parameters;
    if (run.parameters.length === 1 && only !== undefined) {
      return this.views.of(pool === 'parameters' ? only.tensor : this.gradientOf(only));
    }
    const text = `${pool}.subarray(${this.views.range(run.offset, run.size)})`;
    const before = this.slices.get(text);
    if (before !== undefined) return before;
    const name = this.local.declare(`${prefix}${labelOf(run)}`);
    this.slices.set(text, name);
    this.declarations.push(`const ${name} = ${text};`);
    return name;
  }

  private stateView(tensor: Tensor, run: Run, offset: number, suffix: string): string {
    let at = offset;
    for (const parameter of run.parameters) {
      this.states.push({
        name: `${parameter.tensor}.${tensor.name}`,
        offset: at,
        size: parameter.size.constant,
        initial: initialOf(tensor.initializer),
        scalar: false,
        parameter: parameter.tensor,
      });
      at += parameter.size.constant;
    }
    const name = this.local.declare(`${tensor.name}${suffix}`);
    this.declarations.push(`const ${name} = state.subarray(${offset}, ${offset + run.size});`);
    return name;
  }

  private scalarState(tensor: Tensor, name: string, wish: string): string {
    const offset = this.scalarSize++;
    this.states.push({ name, offset, size: 1, initial: initialOf(tensor.initializer), scalar: true });
    const view = this.local.declare(wish);
    this.declarations.push(`const ${view} = scalars.subarray(${offset}, ${offset + 1});`);
    return view;
  }

  /** What one function of the group leaves for another; runs use it in turn. */
  private scratchOf(group: UpdateGroup, loops: UpdateLoops, count: number): Map<string, string> {
    const real = this.request.loops.dtype === 'f32' ? 'Float32Array' : 'Float64Array';
    const names = new Map<string, string>();
    for (const buffer of loops.buffers.values()) {
      const name = this.local.declare(`${group.optimizer}_${buffer.tensor}`);
      const size = buffer.size.constant + (buffer.size.coefficient ?? 0) * count;
      this.declarations.push(
        `const ${name} = new ${buffer.element === 'double' ? 'Float64Array' : real}(${size});`,
      );
      names.set(buffer.tensor, name);
    }
    return names;
  }

  private steps(
    program: Program,
    loops: UpdateLoops,
    buffers: ReadonlyMap<string, string>,
    count: string,
  ): void {
    for (const step of loops.steps) {
      const arrays = step.buffers.map((tensor) => {
        const name = buffers.get(tensor) ?? (tensor === 'loss' ? 'results' : undefined);
        if (name === undefined)
          throw new Error(`the update calls '${step.function}' with '${tensor}', which has no array`);
        return name;
      });
      const integers = step.integers.map((integer) => (integer === 'count' ? count : String(integer)));
      const numbers = (step.numbers ?? []).map((number) => this.stepScalar(number));
      this.calls.push(this.call(program, loops, step, arrays, integers, numbers));
    }
  }

  private stepScalar(name: string): string {
    if (name === 'step') return 'step';
    if (name === 't') return 'step + 1';
    throw new Error(`an update reads the scalar '${name}', which nothing sets`);
  }
}

const statesOf = (tensors: ReadonlyMap<string, Tensor>): Tensor[] =>
  [...tensors.values()].filter((tensor) => tensor.role === 'state');

const isPerElement = (tensor: Tensor): boolean => tensor.axes.length > 0;

function labelOf(run: Run): string {
  const first = run.parameters[0]!.tensor;
  const last = run.parameters.at(-1)!.tensor;
  return first === last ? first : `${first}_to_${last}`;
}

function clipCall(clip: Clip): string {
  return `${clipNames[clip.kind]}(gradients, ${clip.limit});`;
}

const clipNames = { value: 'clipValues', global_norm: 'clipGlobalNorm' } as const;

/** The function that `clipCall` calls. */
export function clipFunction(clip: Clip, realArray: string): string {
  if (clip.kind === 'value') {
    return `
// every gradient g becomes min(max(g, -limit), limit)
function clipValues(gradients: ${realArray}, limit: number): void {
  for (let i = 0; i < gradients.length; i++) {
    gradients[i] = Math.min(Math.max(gradients[i]!, -limit), limit);
  }
}`;
  }
  return `
// every gradient g becomes g * min(1, limit / (norm + 1e-6)), with the norm of all gradients together
function clipGlobalNorm(gradients: ${realArray}, limit: number): void {
  let squares = 0;
  for (let i = 0; i < gradients.length; i++) squares += gradients[i]! * gradients[i]!;
  const scale = limit / (Math.sqrt(squares) + 1e-6);
  if (scale < 1) {
    for (let i = 0; i < gradients.length; i++) gradients[i]! *= scale;
  }
}`;
}
