/**
 * Ours: a workload's model, compiled afresh by the compiler of this checkout, with the workload's first weights.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, renderDiagnostics, type CompileOptions } from '../compiler/index.ts';
import type { CompiledModel, CompiledProgram, ModelDescription } from '../runtime/index.ts';
import type { Workload } from './workloads.ts';

/** A workload's program with its first weights. */
export interface Training {
  readonly description: ModelDescription;
  readonly program: CompiledProgram;
  /** The loss on batch i. */
  readonly loss: (i: number) => number;
  /** One step of training on batch i, and the loss before it. */
  readonly step: (i: number) => number;
}

export type Options = Pick<CompileOptions, 'dtype' | 'without' | 'math' | 'runtime'>;

/** Where the bench writes; git ignores it. */
export const outFolder = fileURLToPath(new URL('out/', import.meta.url));

/** The text of the workload's model. */
export function modelSource({ model }: Pick<Workload, 'model'>): { path: string; text: string } {
  const path = fileURLToPath(new URL(`models/${model}.dsl`, import.meta.url));
  return { path, text: readFileSync(path, 'utf8') };
}

/** What is read of an emitted module. */
export interface EmittedModule {
  readonly description: ModelDescription;
  readonly createProgram: CompiledModel['create'];
}

/** The text of the workload's module. */
export async function emitWorkload(workload: Workload, options: Options = {}): Promise<string> {
  const { diagnostics, modules } = await compile(modelSource(workload), options);
  const [module] = modules;
  if (module === undefined) throw new Error(renderDiagnostics(diagnostics, { color: false }));
  return module.text;
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

export function trainingOf(workload: Workload, { description, createProgram }: EmittedModule): Training {
  const program = createProgram(workload.batch, 0);
  const weights = weightsOf(workload);
  description.parameters.forEach(({ name, offset, size }, k) => {
    if (weights[k]?.length !== size) throw new Error(`the weights of ${workload.id} do not fit ${name}`);
    program.parameters.set(weights[k], offset);
  });
  const { x, y } = program.inputs;
  if (x === undefined || y === undefined) {
    throw new Error(`the inputs of ${workload.model}.dsl must be x and y`);
  }
  let staged = -1;
  let steps = 0;
  const loss = (i: number): number => {
    if (i !== staged) {
      const batch = workload.batches[i]!;
      x.set(batch.x);
      y.set(batch.y);
      staged = i;
    }
    program.forward(workload.batch, steps, 0);
    return program.results[0]!;
  };
  const step = (i: number): number => {
    const before = loss(i);
    program.backward(workload.batch);
    program.update(steps++, 1);
    return before;
  };
  return { description, program, loss, step };
}

/** The workload compiled to a file in `outFolder`, which is named after the options. */
export async function compileWorkload(
  workload: Workload,
  options: Options = {},
): Promise<Training & { readonly path: string }> {
  const { dtype, math, without = [] } = options;
  const variant = [workload.model, dtype, math, ...without].filter(Boolean).join('-');
  const path = `${outFolder}${variant}.ts`;
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(path, await emitWorkload(workload, { ...options, runtime: '../../runtime/index.ts' }));
  return { ...trainingOf(workload, (await import(path)) as EmittedModule), path };
}
