/** Runs emitted TypeScript in the test's own process: types stripped, the runtime handed in. */
import { transformSync } from 'esbuild';
import * as runtime from '../../runtime/index.ts';
import type {
  CompiledProgram,
  ModelDescription,
  PredictingModel,
  Predictor,
  PredictorOptions,
  Trainer,
  TrainerOptions,
} from '../../runtime/index.ts';

type Arrays = Record<string, ArrayLike<number>>;

/** What every emitted module exports, with the types of its inputs and outputs forgotten. */
export interface EmittedModule {
  readonly description: ModelDescription;
  createProgram(batch: number, seed?: number): CompiledProgram;
  createTrainer(
    options?: TrainerOptions,
  ): Trainer<Arrays, Record<string, Float64Array | Float32Array | Int32Array>>;
}

/** What every module for inference exports. */
export interface EmittedPredictor {
  readonly description: PredictingModel['description'];
  createProgram: PredictingModel['create'];
  createPredictor(
    options?: PredictorOptions,
  ): Predictor<Arrays, Record<string, Float64Array | Float32Array | Int32Array>>;
}

export const loadModule = (text: string): EmittedModule => load(text) as EmittedModule;
export const loadPredictor = (text: string): EmittedPredictor => load(text) as EmittedPredictor;

function load(text: string): unknown {
  const { code } = transformSync(text, { loader: 'ts', format: 'cjs', target: 'es2022' });
  const module = { exports: {} };
  const require = (name: string): unknown => {
    if (name !== 'chainrule/runtime') throw new Error(`emitted code imports ${name}`);
    return runtime;
  };
  // Only tests evaluate text; a test makes sure that emitted code never does.
  new Function('module', 'exports', 'require', code)(module, module.exports, require);
  return module.exports;
}
