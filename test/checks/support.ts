/** Modules compiled with `--checks`, and what they say. */
import { compile, type CompileOptions } from '../../compiler/index.ts';
import { CheckError, type CheckOptions, type Trainer, type TrainerOptions } from '../../runtime/index.ts';
import { loadModule } from '../support/load.ts';

export type Arrays = Record<string, ArrayLike<number>>;
export type Values = Record<string, Float64Array | Float32Array | Int32Array>;

export async function textOf(text: string, options: CompileOptions = {}): Promise<string> {
  const { diagnostics, modules } = await compile({ path: 'model.dsl', text }, { format: false, ...options });
  const [error] = diagnostics.filter(({ severity }) => severity === 'error');
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`);
  return modules[0]!.text;
}

export async function checkedTrainer(
  text: string,
  options: TrainerOptions & CheckOptions = {},
  compiling: CompileOptions = {},
): Promise<Trainer<Arrays, Values>> {
  return loadModule(await textOf(text, { checks: true, ...compiling })).createTrainer(options);
}

/** The error that something ends with. @throws Error where it does not */
export async function errorOf(act: () => unknown): Promise<CheckError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof CheckError) return error;
    throw error;
  }
  throw new Error('nothing is reported');
}
