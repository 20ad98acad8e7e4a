/** Evaluation and prediction: passes over data batch by batch, which change nothing but the workspace. */
import { checkData, sizeOf, stageRows, type Data } from './ports.ts';
import type { Engine, Results } from './engine.ts';
import type { NetworkDescription, PredictingProgram, RealArray } from './types.ts';

/** Averages of loss and metrics with the rows of batches as weights. */
export class Averages {
  private readonly names: readonly string[];
  private readonly sums: Float64Array;
  private rows = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    this.sums = new Float64Array(names.length);
  }

  add(results: Float64Array, rows: number): void {
    for (let k = 0; k < this.sums.length; k++) this.sums[k]! += results[k]! * rows;
    this.rows += rows;
  }

  means(): Results {
    return Object.fromEntries(this.names.map((name, k) => [name, this.sums[k]! / this.rows]));
  }
}

/** Loss and metrics of data. @throws DataError */
export function evaluate(engine: Engine, data: Data): Results {
  const { program, description, resultNames } = engine;
  const rows = checkData(description.inputs, data);
  const averages = new Averages(resultNames);
  for (let from = 0; from < rows; from += program.batch) {
    const count = Math.min(program.batch, rows - from);
    stageRows(program, description.inputs, data, undefined, from, count);
    engine.pass('evaluate', count, from);
    averages.add(program.results, count);
  }
  return averages.means();
}

/** What can predict: the rows that lie in its inputs, of which `first` others have come before. */
export interface Predicting {
  readonly program: Pick<PredictingProgram, 'batch' | 'inputs' | 'outputs'>;
  readonly description: Pick<NetworkDescription, 'inputs' | 'outputs'>;
  run(rows: number, first: number): void;
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
  for (let from = 0; from < rows; from += program.batch) {
    const count = Math.min(program.batch, rows - from);
    stageRows(program, needed, data, undefined, from, count);
    predicting.run(count, from);
    for (const port of description.outputs) {
      const size = sizeOf(port);
      const values = program.outputs[port.name]!.subarray(0, port.batched ? count * size : size);
      outputs[port.name]!.set(values, port.batched ? from * size : 0);
    }
  }
  return outputs;
}
