/** The training that the page, its worker and the test in Node do alike. */
import type { RealArray } from 'chainrule/runtime';
import { watchThread, type Pauses } from './alive.ts';
import { createTrainer, type Inputs } from '../../generated/digits.ts';

export interface TrainingRequest {
  readonly train: Inputs;
  readonly test: Inputs;
  readonly epochs: number;
}

export interface Progress {
  readonly epoch: number;
  /** Of the rows of the epoch that are done. */
  readonly loss: number;
}

export interface Trained {
  /** By epoch. */
  readonly losses: readonly number[];
  /** On the test digits. */
  readonly accuracy: number;
  readonly weights: Record<string, RealArray>;
  /** Of the thread that trains, while `fit` was at work. */
  readonly pauses: Pauses;
}

export async function trainDigits(
  { train, test, epochs }: TrainingRequest,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Trained> {
  const trainer = createTrainer({ batch: 64, seed: 1 });
  const stopWatching = watchThread();
  const { history } = await trainer.fit(train, {
    epochs,
    onBatch: (_done, _rows, running, epoch) => onProgress({ epoch, loss: running['loss']! }),
  });
  const pauses = stopWatching();
  return {
    losses: history['loss']!,
    accuracy: trainer.evaluate(test)['accuracy']!,
    weights: trainer.getWeights(),
    pauses,
  };
}
