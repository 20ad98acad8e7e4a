/** How the examples show a training at work: a live bar on a terminal, one plain line an epoch in a pipe. */
import { SingleBar } from 'cli-progress';
import type { EpochReport, FitOptions } from 'chainrule/runtime';

type Reports = Pick<FitOptions<never>, 'onBatch' | 'onEpoch'>;

/** Callbacks for `fit`. `every`: in how many epochs one line is left standing. */
export function progress(every = 1): Reports {
  const onEpoch = ({ epoch, epochs, results, seconds }: EpochReport): void => {
    if (epoch % every !== 0 && epoch !== epochs) return;
    const figures = Object.entries(results).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    console.log(
      `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  ${figures.join('  ')}  ${seconds.toFixed(2)} s`,
    );
  };
  if (!process.stdout.isTTY) return { onEpoch };

  let bar: SingleBar | undefined;
  return {
    onBatch: (done, rows, running, epoch) => {
      if (bar === undefined) {
        bar = new SingleBar({
          format: 'epoch {epoch} |{bar}| {value}/{total}  loss {loss}',
          clearOnComplete: true,
          hideCursor: true,
        });
        bar.start(rows, 0);
      }
      bar.update(done, { epoch, loss: (running['loss'] ?? 0).toFixed(4) });
    },
    onEpoch: (report) => {
      bar?.stop();
      bar = undefined;
      onEpoch(report);
    },
  };
}

/** The same for one of several rounds, each a `fit` of one epoch on data of its own. */
export function roundProgress(round: number, rounds: number): Reports {
  const { onBatch, onEpoch } = progress();
  const report = (epoch: EpochReport): void => onEpoch?.({ ...epoch, epoch: round, epochs: rounds });
  if (onBatch === undefined) return { onEpoch: report };
  return { onBatch: (done, rows, running) => onBatch(done, rows, running, round), onEpoch: report };
}
