/** Callbacks that write files. Folders are made where there are none. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { CSVLogger as CSVLines, type CSVLoggerOptions } from '../callbacks/csv-logger.ts';
import {
  TensorBoard as TensorBoardEvents,
  type TensorBoardOptions,
  type TensorBoardRun,
} from '../callbacks/tensor-board.ts';
import { pathOf, prepareFolder } from './disk.ts';

/**
 * A CSV file with a line an epoch, each there as soon as the epoch is over. An old file is replaced, unless `append` is true or
 * the fit is resumed: then lines of epochs that will be run once more, from an earlier checkpoint, are taken away.
 */
export class CSVLogger extends CSVLines {
  private readonly path: string;

  constructor(file: string, options: Omit<CSVLoggerOptions, 'write'> = {}) {
    const path = resolve(pathOf(file));
    super({ ...options, write: (text) => appendFileSync(path, text) });
    this.path = path;
  }

  protected override beginsAnew(resumed: boolean, initialEpoch: number): boolean {
    prepareFolder(this.path);
    const begins = super.beginsAnew(resumed, initialEpoch) || !existsSync(this.path);
    if (begins) writeFileSync(this.path, '');
    else if (resumed) this.takeBack(initialEpoch);
    return begins;
  }

  /** A line that was cut by the end of the process goes, too. */
  private takeBack(initialEpoch: number): void {
    const lines = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
    while (parseFloat(lines.at(-1) ?? '') > initialEpoch) lines.pop();
    writeFileSync(this.path, lines.map((line) => `${line}\n`).join(''));
  }
}

/**
 * Event files for `tensorboard --logdir FOLDER`: `FOLDER/train/events.out.tfevents...` and `FOLDER/validation/...`, new ones for
 * every fit.
 */
export class TensorBoard extends TensorBoardEvents {
  constructor(folder: string, options: Omit<TensorBoardOptions, 'write' | 'begin'> = {}) {
    const files = new Map<TensorBoardRun, string>();
    const root = resolve(pathOf(folder));
    super({
      ...options,
      begin: (run) => {
        const stamp = `${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}.${made++}`;
        const file = join(root, run, `events.out.tfevents.${stamp}`);
        prepareFolder(file);
        files.set(run, file);
      },
      write: (run, bytes) => appendFileSync(files.get(run)!, bytes),
    });
  }
}

/** Tells apart the event files of one process. */
let made = 0;
