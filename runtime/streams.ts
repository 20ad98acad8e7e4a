/** Evaluation and prediction on data larger than memory: a batch of a stream at a time. */
import { isStream, type BatchStream, type StreamSource } from './batches.ts';
import type { Results } from './engine.ts';
import { DataError } from './errors.ts';
import { checkData, nameOfType, type Data } from './ports.ts';
import type { Trainer } from './trainer.ts';

/**
 * What `trainer.evaluate` gives, for a stream: every batch's results, averaged with its rows as weights. Batches may have
 * any number of rows; each counts as the first where the model draws in evaluation.
 * @throws DataError of the batch at fault, by its number from 0, or where there is none; changes nothing
 */
export async function evaluateStream<Inputs>(
  trainer: Pick<Trainer<Inputs, unknown>, 'description' | 'evaluate'>,
  stream: StreamSource<Inputs>,
): Promise<Results> {
  const sums: Results = {};
  let rows = 0;
  for await (const [data, number] of numbered(stream)) {
    const [count, results] = inBatch(number, () => [
      checkData(trainer.description.inputs, data as Data),
      trainer.evaluate(data),
    ]);
    for (const [name, value] of Object.entries(results)) sums[name] = (sums[name] ?? 0) + value * count;
    rows += count;
  }
  if (rows === 0) throw new DataError('the stream has no batch');
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / rows]));
}

/**
 * What `trainer.predict` gives (a predictor's, too), batch by batch of a stream.
 * @throws DataError of the batch at fault, by its number from 0
 */
export async function* predictStream<Inputs, Outputs>(
  trainer: { predict(data: Partial<Inputs>): Outputs },
  stream: StreamSource<Partial<Inputs>>,
): AsyncGenerator<Outputs, void, undefined> {
  for await (const [data, number] of numbered(stream)) yield inBatch(number, () => trainer.predict(data));
}

async function* numbered<Inputs>(source: StreamSource<Inputs>): AsyncGenerator<[Inputs, number]> {
  const stream: BatchStream<Inputs> = typeof source === 'function' ? source(0) : source;
  const made: unknown = stream;
  if (!isStream(made) || typeof made === 'function') {
    throw new DataError(
      `a stream must be an iterable of batches or a function that makes one, found ${nameOfType(made)}`,
    );
  }
  let number = 0;
  for await (const data of stream) yield [data, number++];
}

function inBatch<Value>(number: number, compute: () => Value): Value {
  try {
    return compute();
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`batch ${number}: ${error.message}`);
    throw error;
  }
}
