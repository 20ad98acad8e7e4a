/** A page that trains on handwritten digits, in a worker or in the page itself, and reads a digit that one draws. */
import { readIdx } from 'chainrule/data';
import { createTrainer, type Inputs } from '../../generated/digits.ts';
import { watchDrawing } from './drawing.ts';
import { trainDigits, type Progress, type Trained, type TrainingRequest } from './training.ts';

const EPOCHS = 5;

const element = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const status = element('status');
const buttons = ['worker', 'page'].map((id) => element<HTMLButtonElement>(id));
const reader = createTrainer({ batch: 1 });

async function loadDigits(part: string): Promise<Inputs> {
  const [images, labels] = await Promise.all(
    ['images', 'labels'].map(async (kind) => {
      const response = await fetch(`digits/${part}-${kind}`);
      if (!response.ok) throw new Error(`no ${kind} of ${part}: ${response.status}`);
      return readIdx(new Uint8Array(await response.arrayBuffer()));
    }),
  );
  return {
    x: Float32Array.from(images!.data, (grey) => grey / 255),
    label: Int32Array.from(labels!.data),
  };
}

/** The losses so far, as a line. */
function show(progress: readonly Progress[]): void {
  const { epoch, loss } = progress.at(-1)!;
  status.textContent = `epoch ${epoch} of ${EPOCHS}, loss ${loss.toFixed(4)}`;
  const highest = Math.max(...progress.map((each) => each.loss));
  const points = progress.map(
    (each, k) =>
      `${((400 * k) / progress.length).toFixed(1)},${(100 - (95 * each.loss) / highest).toFixed(1)}`,
  );
  element('loss').setAttribute('points', points.join(' '));
}

function inWorker(request: TrainingRequest, onProgress: (progress: Progress) => void): Promise<Trained> {
  const worker = new Worker('worker.js', { type: 'module' });
  return new Promise<Trained>((resolve, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<{ progress?: Progress; trained?: Trained; error?: string }>) => {
        if (data.progress) onProgress(data.progress);
        else if (data.trained) resolve(data.trained);
        else reject(new Error(data.error));
      },
    );
    worker.postMessage(request, []);
  }).finally(() => worker.terminate());
}

/** Trains, and notes the result at the button. */
async function run(button: HTMLButtonElement, train: typeof inWorker): Promise<void> {
  for (const each of buttons) each.disabled = true;
  try {
    const request = { train: await loadDigits('train'), test: await loadDigits('t10k'), epochs: EPOCHS };
    const progress: Progress[] = [];
    const start = performance.now();
    const trained = await train(request, (next) => {
      progress.push(next);
      show(progress);
    });
    const seconds = (performance.now() - start) / 1000;
    reader.setWeights(trained.weights);
    status.textContent = `${(100 * trained.accuracy).toFixed(1)} % of the test digits are read right, after ${seconds.toFixed(1)} s`;
    const weights = Object.entries(trained.weights).map(([name, values]) => [name, [...values]]);
    button.dataset['result'] = JSON.stringify({ ...trained, weights: Object.fromEntries(weights) });
  } catch (error) {
    status.textContent = `${error}`;
    button.dataset['result'] = JSON.stringify({ error: `${error}` });
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

for (const button of buttons)
  button.addEventListener('click', () => void run(button, button.id === 'worker' ? inWorker : trainDigits));

watchDrawing(element<HTMLCanvasElement>('drawing'), element<HTMLButtonElement>('clear'), (x) => {
  const { p } = reader.predict({ x });
  const digit = p.indexOf(Math.max(...p));
  element('read').textContent = `${digit} (${(100 * p[digit]!).toFixed(0)} %)`;
});
