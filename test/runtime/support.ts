/** Small models, compiled for real, and data for them. */
import { compile } from '../../compiler/index.ts';
import { Random } from '../../runtime/random.ts';
import { loadModule, loadPredictor, type EmittedModule, type EmittedPredictor } from '../support/load.ts';

const modules = new Map<string, Promise<EmittedModule>>();

/** The module of a model, in float64 unless said otherwise; compiled once. @throws with the compiler's messages */
export function moduleOf(text: string, dtype: 'f32' | 'f64' = 'f64'): Promise<EmittedModule> {
  const key = dtype + text;
  let module = modules.get(key);
  if (module === undefined) {
    module = compile({ path: 'model.dsl', text }, { dtype, format: false }).then(
      ({ diagnostics, modules }) => {
        const errors = diagnostics.filter(({ severity }) => severity === 'error');
        if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
        return loadModule(modules[0]?.text ?? '');
      },
    );
    modules.set(key, module);
  }
  return module;
}

/** The same model's module for inference. @throws with the compiler's messages */
export async function predictorOf(text: string, dtype: 'f32' | 'f64' = 'f64'): Promise<EmittedPredictor> {
  const { diagnostics, modules } = await compile(
    { path: 'model.dsl', text },
    { dtype, format: false, inference: true },
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return loadPredictor(modules[0]?.text ?? '');
}

/** Everything that a step may depend on: draws, running statistics, optimizer and schedule with states, clipping. */
export const BUSY = `model Busy {
  input x[n, 3]
  input label[n]: 3
  h = x |> dense(5) |> batch_norm |> tanh |> dropout(0.3)
  z = h |> dense(3)
  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](cross_entropy[k](z[n, k], label[n])) + l2(z_W, lambda = 1e-2)
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
  train {
    optimizer: adam(rate = reduce_on_plateau(1e-2, factor = 0.5, patience = 1))
    batch: 4, epochs: 3, seed: 3, clip_norm: 1
  }
}`;

/** Mean over rows and a penalty, nothing else: where micro-batches add up to the big one. */
export const PLAIN = `model Plain {
  input x[n, 3]
  input label[n]: 3
  input sample_weight[n] = 1
  h = x |> dense(5) |> tanh |> dropout(0.3)
  z = h |> dense(3)
  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](sample_weight[n] * cross_entropy[k](z[n, k], label[n])) + l2(z_W, lambda = 1e-2)
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
  train { optimizer: adam(rate = 1e-2), batch: 12, epochs: 3, seed: 3, clip_norm: 1 }
}`;

/** Rows for these models: three numbers and a class that follows from them. */
export function rowsOf(rows: number, seed = 1): { x: Float64Array; label: Int32Array } {
  const random = new Random(seed, 'rows');
  const x = Float64Array.from({ length: 3 * rows }, () => random.normal());
  const label = Int32Array.from({ length: rows }, (_, row) => {
    const [a, b] = [x[3 * row]!, x[3 * row + 1]!];
    return a > 0.5 ? 2 : b > 0 ? 1 : 0;
  });
  return { x, label };
}

type Rows = ReturnType<typeof rowsOf>;

/** Rows from .. to-1. */
export const slice = ({ x, label }: Rows, from: number, to: number): Rows => ({
  x: x.slice(3 * from, 3 * to),
  label: label.slice(from, to),
});
