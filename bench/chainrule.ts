/**
 * Ours: a workload's model, compiled afresh by the compiler of this checkout, with the workload's first weights.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, renderDiagnostics, type CompileOptions } from '../compiler/index.ts';
import type { CompiledModel, CompiledProgram, ModelDescription } from '../runtime/index.ts';
import type { Workload } from './workloads.ts';

export interface CompiledWorkload {
  readonly workload: Workload;
  readonly description: ModelDescription;
  readonly program: CompiledProgram;
  /** One step of training on batch i. */
  readonly train: (i: number) => void;
  /** The same, and the loss before it. */
  readonly step: (i: number) => number;
  /** The emitted file. */
  readonly path: string;
}

export type Options = Pick<CompileOptions, 'dtype' | 'without'>;

/** Where the bench writes; git ignores it. */
export const outFolder = fileURLToPath(new URL('out/', import.meta.url));

/** The text of the workload's model. */
export function modelSource({ model }: Pick<Workload, 'model'>): { path: string; text: string } {
  const path = fileURLToPath(new URL(`models/${model}.dsl`, import.meta.url));
  return { path, text: readFileSync(path, 'utf8') };
}

interface EmittedModule {
  readonly description: ModelDescription;
  readonly createProgram: CompiledModel['create'];
}

async function emit(workload: Workload, options: Options): Promise<EmittedModule & { path: string }> {
  const source = modelSource(workload);
  const { diagnostics, modules } = await compile(source, { ...options, runtime: '../../runtime/index.ts' });
  const [module] = modules;
  if (module === undefined) throw new Error(renderDiagnostics(diagnostics, { color: false }));
  mkdirSync(outFolder, { recursive: true });
  const variant = [workload.model, options.dtype, ...(options.without ?? [])].filter(Boolean).join('-');
  const path = `${outFolder}${variant}.ts`;
  writeFileSync(path, module.text);
  return { ...((await import(path)) as EmittedModule), path };
}

/** A tensor with its axes in another order: axis k of the result is axis `order[k]` of what is given. */
function permute(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const result = new Float32Array(data.length);
  let to = 0;
  const walk = (depth: number, from: number): void => {
    const axis = order[depth];
    if (axis === undefined) result[to++] = data[from]!;
    else for (let k = 0; k < shape[axis]!; k++) walk(depth + 1, from + k * strides[axis]!);
  };
  walk(0, 0);
  return result;
}

/** The weights in the order and the layouts of the model's parameters: our pictures are [row, column, channel]. */
function weightsOf({ model, weights }: Workload): Float32Array[] {
  return Object.entries(weights).map(([name, { shape, data }]) => {
    if (shape.length === 4) return permute(data, shape, [2, 3, 1, 0]);
    return model === 'cnn' && name === 'w' ? permute(data, [16, 4 * 4, 10], [1, 0, 2]) : data;
  });
}

export async function compileWorkload(workload: Workload, options: Options = {}): Promise<CompiledWorkload> {
  const { description, createProgram, path } = await emit(workload, options);
  const program = createProgram(workload.batch, 0);
  const weights = weightsOf(workload);
  description.parameters.forEach(({ name, offset, size }, k) => {
    if (weights[k]?.length !== size) throw new Error(`the weights of ${workload.id} do not fit ${name}`);
    program.parameters.set(weights[k], offset);
  });
  const { x, y } = program.inputs;
  if (x === undefined || y === undefined)
    throw new Error(`the inputs of ${workload.model}.dsl must be x and y`);
  let staged = -1;
  let steps = 0;
  const train = (i: number): void => {
    if (i !== staged) {
      const batch = workload.batches[i]!;
      x.set(batch.x);
      y.set(batch.y);
      staged = i;
    }
    program.forward(workload.batch, steps, 0);
    program.backward(workload.batch);
    program.update(steps++, 1);
  };
  const step = (i: number): number => {
    train(i);
    return program.results[0]!;
  };
  return { workload, description, program, train, step, path };
}
