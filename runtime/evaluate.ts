/** Evaluation and prediction: passes over data batch by batch, which change nothing but the workspace. */
import { checkData, sizeOf, stageRows, type Data } from './ports.ts';
import type { Engine, Results } from './engine.ts';
import type { NetworkDescription, Port, PredictingProgram, RealArray } from './types.ts';

export interface Averages {
  /** Takes the results of a batch. */
  add(results: Float64Array, rows: number): void;
  means(): Results;
}

/** Averages of loss and metrics with the rows of batches as weights. */
export function averagesOf(names: readonly string[]): Averages {
  const sums = new Float64Array(names.length);
  let all = 0;
  return {
    add(results, rows) {
      for (let k = 0; k < sums.length; k++) sums[k]! += results[k]! * rows;
      all += rows;
    },
    means: () => Object.fromEntries(names.map((name, k) => [name, sums[k]! / all])),
  };
}

/** What can predict: the rows that lie in its inputs, of which `first` others have come before. */
export interface Predicting {
  readonly program: Pick<PredictingProgram, 'batch' | 'inputs' | 'outputs'>;
  readonly description: Pick<NetworkDescription, 'inputs' | 'outputs'>;
  run(rows: number, first: number): void;
}

/** Goes over checked data batch by batch; `take` computes on what has been staged. */
function passOver(
  program: Predicting['program'],
  ports: readonly Port[],
  data: Data,
  rows: number,
  take: (count: number, from: number) => void,
): void {
  for (let from = 0; from < rows; from += program.batch) {
    const count = Math.min(program.batch, rows - from);
    stageRows(program, ports, data, undefined, from, count);
    take(count, from);
  }
}

/** Loss and metrics of data. @throws DataError */
export function evaluate(engine: Engine, data: Data): Results {
  const { program, description, resultNames } = engine;
  const { inputs } = description;
  const rows = checkData(inputs, data);
  const averages = averagesOf(resultNames);
  passOver(program, inputs, data, rows, (count, from) => {
    engine.pass('evaluate', count, from);
    averages.add(program.results, count);
  });
  return averages.means();
}

/** Outputs for every row, in new arrays. @throws DataError */
export function predict(predicting: Predicting, data: Data): Record<string, RealArray | Int32Array> {
  const { program, description } = predicting;
  const needed = description.inputs.filter((port) => port.name in data || port.predicts);
  const rows = checkData(needed, data);
  const outputs: Record<string, RealArray | Int32Array> = {};
  for (const port of description.outputs) {
    const sample = program.outputs[port.name]!;
    const length = sizeOf(port) * (port.batched ? rows : 1);
    outputs[port.name] = new (sample.constructor as new (length: number) => RealArray | Int32Array)(length);
  }
  passOver(program, needed, data, rows, (count, from) => {
    predicting.run(count, from);
    for (const port of description.outputs) {
      const size = sizeOf(port);
      const values = program.outputs[port.name]!.subarray(0, port.batched ? count * size : size);
      outputs[port.name]!.set(values, port.batched ? from * size : 0);
    }
  });
  return outputs;
}
