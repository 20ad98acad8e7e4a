/** Trains off the page's thread: a request in, progress and the trained weights out. */
import { trainDigits, type TrainingRequest } from './training.ts';

let posted = 0;

addEventListener('message', ({ data }: MessageEvent<TrainingRequest>) => {
  const post = (progress: unknown): void => {
    if (performance.now() - posted < 50) return;
    posted = performance.now();
    postMessage({ progress });
  };
  trainDigits(data, post).then(
    (trained) => postMessage({ trained }),
    (error: unknown) => postMessage({ error: String(error) }),
  );
});
