/** Callbacks that write to the disk and the terminal. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { CSVLogger, ModelCheckpoint, ProgressBar, TensorBoard } from '../../runtime/node/index.ts';
import { DataError, getTraining, setTraining, type Callback } from '../../runtime/index.ts';
import { moduleOf, PLAIN, rowsOf } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'chainrule-callbacks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = rowsOf(20);
const validationData = rowsOf(9, 2);
const module = await moduleOf(PLAIN);

describe('a CSV file', () => {
  const file = join(folder, 'new', 'log.csv');
  const lines = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

  it('gets a header and a line an epoch', async () => {
    await module.createTrainer().fit(data, { epochs: 2, callbacks: [new CSVLogger(file)] });
    expect(lines()[0]).toBe('epoch,loss,accuracy');
    expect(lines().map((line) => line.split(',')[0])).toEqual(['epoch', '1', '2']);
  });

  it('has each epoch once where the fit is resumed from an earlier checkpoint', async () => {
    const trainer = module.createTrainer();
    await trainer.fit(data, { epochs: 1, callbacks: [new CSVLogger(file)] });
    const snapshot = getTraining(trainer);
    await trainer.fit(data, { epochs: 3, resume: true, callbacks: [new CSVLogger(file)] });
    const whole = lines();
    expect(whole).toHaveLength(4);
    appendFileSync(file, '4,0.');
    const other = module.createTrainer();
    setTraining(other, snapshot);
    await other.fit(data, { epochs: 3, resume: true, callbacks: [new CSVLogger(file)] });
    expect(lines()).toEqual(whole);
  });

  it('is replaced by another fit, goes on with append and when the fit is resumed', async () => {
    const epochs = (): string => lines().map((line) => line.split(',')[0]).join(' '); // prettier-ignore
    const trainer = module.createTrainer();
    await trainer.fit(data, { epochs: 1, callbacks: [new CSVLogger(file)] });
    expect(epochs()).toBe('epoch 1');
    await trainer.fit(data, { epochs: 2, resume: true, callbacks: [new CSVLogger(file)] });
    expect(epochs()).toBe('epoch 1 2');
    await trainer.fit(data, { epochs: 1, callbacks: [new CSVLogger(file, { append: true })] });
    expect(epochs()).toBe('epoch 1 2 1');
    const other = join(folder, 'other.csv');
    await trainer.fit(data, { epochs: 1, callbacks: [new CSVLogger(other, { append: true })] });
    expect(readFileSync(other, 'utf8')).toMatch(/^epoch,loss,accuracy\n1,/);
  });
});

describe('where no file can be', () => {
  it.each<[string, (path: string) => Callback, string]>([
    ['a checkpoint', (path) => new ModelCheckpoint(path), 'a.ckpt'],
    ['checkpoints by epoch', (path) => new ModelCheckpoint(path), 'a-{epoch}.ckpt'],
    ['a folder by epoch', (path) => new ModelCheckpoint(path), '{epoch}/a.ckpt'],
    ['a CSV file', (path) => new CSVLogger(path), 'a.csv'],
    ['event files', (path) => new TensorBoard(path), 'logs'],
  ])('%s: a clear error before the first step', async (_, make, name) => {
    const file = join(folder, 'a file');
    appendFileSync(file, 'text');
    const trainer = module.createTrainer();
    const before = getTraining(trainer);
    const path = join(file, name);
    const fit = trainer.fit(data, { epochs: 1, callbacks: [make(path)] });
    await expect(fit).rejects.toThrow(DataError);
    await expect(fit).rejects.toThrow(`${path}`);
    await expect(fit).rejects.toThrow('cannot be written: E');
    expect(getTraining(trainer)).toEqual(before);
  });

  it('a folder of the same name', async () => {
    const path = join(folder, 'taken.ckpt');
    mkdirSync(path);
    const fit = module.createTrainer().fit(data, { epochs: 1, callbacks: [new ModelCheckpoint(path)] });
    await expect(fit).rejects.toThrow(new DataError(`${path} cannot be written: it is a folder`));
  });

  it('folders are made, with those of each epoch', async () => {
    const path = join(folder, 'deep/er/{epoch}/{step}.ckpt');
    await module.createTrainer().fit(data, { epochs: 2, callbacks: [new ModelCheckpoint(path)] });
    for (const epoch of ['1', '2']) expect(existsSync(join(folder, 'deep/er', epoch))).toBe(true);
  });

  it('no path', () => {
    expect(() => new ModelCheckpoint(5 as never)).toThrow('a file must be a path');
    expect(() => new ModelCheckpoint('a.npz')).toThrow('ModelCheckpoint writes .ckpt files, found a.npz');
    expect(() => new CSVLogger('')).toThrow('a file must be a path');
  });
});

describe('event files', () => {
  it('are one a run, and begin with what a reader looks for', async () => {
    const logs = join(folder, 'logs');
    const fit = { epochs: 2, validationData, callbacks: [new TensorBoard(logs)] };
    await module.createTrainer().fit(data, fit);
    for (const run of ['train', 'validation']) {
      const files = readdirSync(join(logs, run));
      expect(files).toHaveLength(1);
      expect(files[0]).toMatch(/^events\.out\.tfevents\.\d+\./);
      expect(readFileSync(join(logs, run, files[0]!)).toString('latin1')).toContain('brain.Event:2');
    }
    await module.createTrainer().fit(data, fit);
    expect(readdirSync(join(logs, 'train'))).toHaveLength(2);
  });
});

describe('a progress bar', () => {
  const shown = async (isTTY: boolean, every: number, slow = 0, source: object = data): Promise<string> => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    let text = '';
    stream.on('data', (piece: Buffer) => (text += piece.toString()));
    const wait = { onBatchEnd: () => new Promise<void>((resolve) => setTimeout(resolve, slow)) };
    const callbacks = [...(slow > 0 ? [wait] : []), new ProgressBar({ every, stream })];
    await module.createTrainer().fit(source as never, { epochs: 3, batchSize: 4, callbacks });
    return text;
  };

  it('is a plain line an epoch in a pipe', async () => {
    const lines = (await shown(false, 1)).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const [k, line] of lines.entries())
      expect(line).toMatch(
        new RegExp(`^epoch ${k + 1}/3  loss \\d+\\.\\d{4}  accuracy \\d\\.\\d{4}  \\d+\\.\\d\\d s$`),
      );
  });

  it('leaves a line every so many epochs, and the last', async () => {
    expect((await shown(false, 2)).match(/epoch \d/g)).toEqual(['epoch 2', 'epoch 3']);
  });

  it('is a live bar on a terminal, which is gone at the end and gives the cursor back', async () => {
    const text = await shown(true, 3, 60);
    expect(text).toContain('epoch 1/3 |');
    expect(text).toMatch(/\d+\/20 {2}loss \d/);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/epoch 3\/3 {2}loss/);
  });

  it('is not drawn where epochs are quick', async () => {
    expect(await shown(true, 1)).not.toContain('|');
  });
});
