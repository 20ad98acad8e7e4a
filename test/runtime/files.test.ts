/** Weights and trainings in files: saved, loaded, exchanged, refused. */
import * as fc from 'fast-check';
import { link, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  getTensors,
  readNpz,
  readSafetensors,
  setTensors,
  writeNpy,
  writeNpz,
  type Tensors,
} from '../../runtime/formats/index.ts';
import { DataError, getTraining, setTraining } from '../../runtime/index.ts';
import * as page from '../../runtime/files-browser.ts';
import {
  loadCheckpoint,
  loadWeights,
  ModelCheckpoint,
  saveCheckpoint,
  saveWeights,
} from '../../runtime/node/index.ts';
import { BUSY, moduleOf, rowsOf } from './support.ts';

const folder = await mkdtemp(join(tmpdir(), 'chainrule-files-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rm(folder, { recursive: true, force: true }));

const busy = await moduleOf(BUSY);
const busy32 = await moduleOf(BUSY, 'f32');
const single = await moduleOf(`model Single {
  input x[n, 2]
  param W[2] ~ [1, 2]
  output y[n] = sum[i](x[n, i] * W[i])
}`);
const data = rowsOf(14);
type Busy = ReturnType<typeof busy.createTrainer>;

async function trained(seed = 1): Promise<Busy> {
  const trainer = busy.createTrainer({ seed });
  await trainer.fit(data, { epochs: 1 });
  return trainer;
}

const PARAMETERS = ['h_dense_W', 'h_dense_b', 'h_batch_norm_gamma', 'h_batch_norm_beta', 'z_W', 'z_b'];
/** Parameters and the running statistics of the batch norm, but nothing of the optimizer. */
const NAMES = [...PARAMETERS, 'h_batch_norm_running_mean', 'h_batch_norm_running_variance'];
const ALL_LOADED = { loaded: NAMES, missing: [], unexpected: [] };

/** A file of weights with changes. */
async function changed(change: (tensors: Record<string, Tensors[string]>) => void): Promise<string> {
  const tensors = { ...getTensors(await trained()) };
  change(tensors);
  const path = at('changed.npz');
  await writeFile(path, writeNpz(tensors));
  return path;
}

/** It is refused with these words, in a DataError, and the trainer is as it was. */
async function refused(trainer: Busy, load: () => Promise<unknown>, ...words: string[]): Promise<void> {
  const before = getTraining(trainer);
  const error = await load().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  for (const word of words) expect((error as DataError).message).toContain(word);
  expect(getTraining(trainer)).toEqual(before);
}

describe('weights', () => {
  it.each(['w.npz', 'w.safetensors', 'w.NPZ'])(
    'come back from %s, running statistics included',
    async (name) => {
      const [trainer, other] = [await trained(), busy.createTrainer({ seed: 9 })];
      await saveWeights(trainer, at(name));
      expect(await loadWeights(other, at(name))).toEqual(ALL_LOADED);
      expect(other.predict({ x: data.x })).toEqual(trainer.predict({ x: data.x }));
      expect(other.step).toBe(0);
    },
  );

  it('carry their shapes', async () => {
    await saveWeights(await trained(), at('w.safetensors'));
    const { h_dense_W: W } = readSafetensors(await readFile(at('w.safetensors')));
    expect(W).toMatchObject({ shape: [3, 5] });
  });

  it('by the methods of a trainer, by path or URL', async () => {
    const [trainer, other] = [await trained(), busy.createTrainer({ seed: 9 })];
    await trainer.save(pathToFileURL(at('w.npz')));
    expect(await other.load(pathToFileURL(at('w.npz')))).toEqual(ALL_LOADED);
    expect(other.getWeights()).toEqual(trainer.getWeights());
  });

  it('are those at the time of the call', async () => {
    const trainer = await trained();
    const before = trainer.getWeights();
    const saved = trainer.save(at('w.npz'));
    trainer.trainOnBatch(rowsOf(4));
    await saved;
    expect(readNpz(await readFile(at('w.npz')))['z_W']!.data).toEqual(before['z_W']);
    expect(trainer.getWeights()['z_W']).not.toEqual(before['z_W']);
  });

  it("are rounded to the model's type", async () => {
    const trainer = await trained();
    await saveWeights(trainer, at('w.npz'));
    const narrow = busy32.createTrainer();
    await loadWeights(narrow, at('w.npz'));
    expect(narrow.getWeights()['z_W']).toEqual(Float32Array.from(trainer.getWeights()['z_W']!));
  });

  it('of one tensor go through .npy, whatever the name of the file', async () => {
    const [trainer, other] = [single.createTrainer(), single.createTrainer()];
    trainer.setWeights({ W: [5, 6] });
    await trainer.save(at('anything.npy'));
    expect(await other.load(at('anything.npy'))).toEqual({ loaded: ['W'], missing: [], unexpected: [] });
    expect(other.getWeights()).toEqual(trainer.getWeights());
  });

  it('of many go through .npy by the name of the file', async () => {
    const [trainer, other] = [await trained(), busy.createTrainer()];
    await saveWeights(trainer, at('z_W.npy'));
    const report = await loadWeights(other, at('z_W.npy'), { partial: true });
    expect(report).toMatchObject({ loaded: ['z_W'], missing: NAMES.filter((name) => name !== 'z_W') });
    expect(other.getWeights()['z_W']).toEqual(trainer.getWeights()['z_W']);
    await refused(trainer, () => saveWeights(trainer, at('all.npy')), 'a .npy file holds one tensor', 'z_W');
    await refused(other, () => loadWeights(other, at('z_W.npy')), "'z_b' [3] is missing");
  });

  it('come out of a checkpoint, too', async () => {
    const [trainer, other] = [await trained(), busy.createTrainer({ seed: 9 })];
    await saveCheckpoint(trainer, at('t.ckpt'));
    expect(await loadWeights(other, at('t.ckpt'))).toEqual(ALL_LOADED);
    expect(other.getWeights()).toEqual(trainer.getWeights());
    expect(other.step).toBe(0);
  });
});

describe('weights that do not fit', () => {
  const trainer = busy.createTrainer({ seed: 9 });

  it('every problem is named, with its shapes', async () => {
    const path = await changed((tensors) => {
      tensors['z_W'] = { shape: [3, 5], data: new Float64Array(15) };
      tensors['z_c'] = { shape: [2], data: new Float64Array(2) };
      delete tensors['z_b'];
    });
    await refused(
      trainer,
      () => loadWeights(trainer, path),
      'changed.npz does not fit model Busy',
      "'z_W' has shape [3, 5], expected [5, 3]",
      "'z_b' [3] is missing",
      "'z_c' [2] has no place in the model",
    );
    await refused(trainer, () => loadWeights(trainer, path, { partial: true }), "'z_W' has shape [3, 5]");
  });

  it('the same number of elements is not the same shape', async () => {
    const path = await changed((tensors) => {
      tensors['z_b'] = { shape: [1, 3], data: new Float64Array(3) };
    });
    await refused(trainer, () => loadWeights(trainer, path), "'z_b' has shape [1, 3], expected [3]");
  });

  it.each([
    ['NaN', Float64Array.of(1, 2, NaN), "tensor 'z_b' is NaN at element 2"],
    ['infinity', Float64Array.of(1, -Infinity, 3), "tensor 'z_b' is -Infinity at element 1"],
  ])('%s is refused', async (_, values, words) => {
    const path = await changed((tensors) => {
      tensors['z_b'] = { shape: [3], data: values };
    });
    await refused(trainer, () => loadWeights(trainer, path), words);
  });

  it('numbers beyond float32 are refused by a float32 model', async () => {
    const path = await changed((tensors) => {
      tensors['z_b'] = { shape: [3], data: Float64Array.of(1, 2, 1e300) };
    });
    const narrow = busy32.createTrainer();
    await refused(narrow, () => loadWeights(narrow, path), "'z_b' is 1e+300, beyond float32, at element 2");
  });

  it('weights that are not finite are not saved, and the old file stays', async () => {
    await saveWeights(await trained(), at('w.npz'));
    const old = await readFile(at('w.npz'));
    const diverged = {
      description: trainer.description,
      getWeights: () => ({ ...trainer.getWeights(), z_b: Float64Array.of(0, NaN, 0) }),
      getState: () => trainer.getState(),
    };
    await expect(saveWeights(diverged, at('w.npz'))).rejects.toThrow("tensor 'z_b' is NaN at element 1");
    expect(await readFile(at('w.npz'))).toEqual(old);
  });

  it('files that are none', async () => {
    await writeFile(at('text.npz'), 'hello');
    await refused(trainer, () => trainer.load(at('text.npz')), 'text.npz is not a .npz file');
    await refused(trainer, () => trainer.load(at('none.npz')), 'none.npz cannot be read', 'ENOENT');
    await refused(trainer, () => trainer.load(folder), 'must end in .npz, .safetensors, .npy or .ckpt');
    await refused(trainer, () => trainer.load(at('w.h5')), 'must end in .npz, .safetensors, .npy or .ckpt');
    await refused(trainer, () => trainer.save(at('w')), 'must end in .npz, .safetensors, .npy or .ckpt');
    await refused(trainer, () => trainer.save(''), 'a file must be a path');
    await refused(trainer, () => trainer.save(new URL('https://host/w.npz')), 'a file must be a path');
    await refused(trainer, () => trainer.save(at('no/folder/w.npz')), 'cannot be written', 'ENOENT');
    await refused(
      trainer,
      () => saveWeights(trainer, at('w.ckpt')),
      'must end in .npz, .safetensors or .npy',
    );
  });

  it.skipIf(process.platform === 'win32')('a device is no file', async () => {
    await symlink('/dev/zero', at('zero.npz'));
    await refused(trainer, () => trainer.load(at('zero.npz')), 'it is no file');
  });
});

describe('loading by name', () => {
  const renamed = (): Promise<string> =>
    changed((tensors) => {
      for (const name of NAMES) {
        tensors[`old.${name}`] = tensors[name]!;
        delete tensors[name];
      }
    });

  it('by a function', async () => {
    const trainer = busy.createTrainer();
    const map = (name: string): string => name.replace('old.', '');
    expect(await trainer.load(await renamed(), { map })).toEqual(ALL_LOADED);
    expect(trainer.getWeights()).toEqual((await trained()).getWeights());
  });

  it('by a table; what it leaves out keeps its name', async () => {
    const trainer = busy.createTrainer();
    const before = trainer.getWeights();
    const report = await trainer.load(await renamed(), { map: { 'old.z_W': 'z_W' }, partial: true });
    expect(report.loaded).toEqual(['z_W']);
    expect(report.missing).toEqual(NAMES.filter((name) => name !== 'z_W'));
    expect(report.unexpected).toEqual(NAMES.filter((name) => name !== 'z_W').map((name) => `old.${name}`));
    expect(trainer.getWeights()).toEqual({ ...before, z_W: (await trained()).getWeights()['z_W'] });
  });

  it('what a function leaves out is not unexpected', async () => {
    const trainer = busy.createTrainer();
    const map = (name: string): string | undefined => (name === 'old.z_W' ? 'z_W' : undefined);
    expect((await trainer.load(await renamed(), { map, partial: true })).unexpected).toEqual([]);
    await refused(trainer, async () => trainer.load(await renamed(), { map }), "'z_b' [3] is missing");
  });

  it('a tensor of another shape names both', async () => {
    const trainer = busy.createTrainer();
    const options = { map: { 'old.z_b': 'z_W' }, partial: true };
    await refused(
      trainer,
      async () => trainer.load(await renamed(), options),
      "'old.z_b' has shape [3], for 'z_W', expected [5, 3]",
    );
  });

  it('two tensors for one place, a table with a name that is not there, nothing that fits: refused', async () => {
    const trainer = busy.createTrainer();
    const path = await renamed();
    const twice = { map: { 'old.z_b': 'z_b', 'old.h_dense_b': 'z_b' } };
    await refused(
      trainer,
      () => trainer.load(path, twice),
      "'old.h_dense_b' and 'old.z_b' are both for 'z_b'",
    );
    await refused(
      trainer,
      () => trainer.load(path, { map: { z_x: 'z_b' } }),
      "no tensor 'z_x', which the map names",
    );
    await refused(
      trainer,
      () => trainer.load(path, { partial: true }),
      'no tensor has the name of a parameter',
    );
  });

  it('names of methods are names like others', async () => {
    const trainer = busy.createTrainer();
    const tensors = { ...getTensors(trainer), toString: { shape: [], data: Float64Array.of(1) } };
    expect(() => setTensors(trainer, tensors)).toThrow("'toString' [] has no place in the model");
  });
});

describe('checkpoints', () => {
  it('training goes on from any step, through a file, with the same bits as if it had never stopped', async () => {
    const whole = busy.createTrainer();
    const history = await whole.fit(data);
    const last = whole.step;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: last }), fc.boolean(), async (step, midst) => {
        const stopped = busy.createTrainer();
        const controller = new AbortController();
        let saving: Promise<void> | undefined;
        await stopped.fit(data, {
          signal: controller.signal,
          onBatch: () => {
            if (stopped.step !== step) return;
            // either while fit is at work, or after it has been stopped
            if (midst) saving = stopped.save(at('t.ckpt'));
            else controller.abort();
          },
        });
        await (saving ?? stopped.save(at('t.ckpt')));
        const trainer = busy.createTrainer({ seed: 99 });
        await trainer.load(at('t.ckpt'));
        expect(trainer.step).toBe(step);
        expect(await trainer.fit(data, { resume: true })).toEqual(history);
        expect(getTraining(trainer)).toEqual(getTraining(whole));
      }),
      { numRuns: 25 },
    );
  });

  it('keep numbers that are not finite', async () => {
    const trainer = await trained();
    const { arrays, ...rest } = getTraining(trainer);
    const values = Float64Array.of(NaN, -0, -Infinity);
    setTraining(trainer, { ...rest, arrays: { ...arrays, 'weights/z_b': { shape: [3], data: values } } });
    await trainer.save(at('t.ckpt'));
    const other = busy.createTrainer();
    await other.load(at('t.ckpt'));
    expect(other.getWeights()['z_b']).toEqual(values);
    await refused(trainer, () => trainer.save(at('w.npz')), "tensor 'z_b' is NaN at element 0");
    await refused(
      trainer,
      () => loadWeights(trainer, at('t.ckpt')),
      "t.ckpt: tensor 'z_b' is NaN at element 0",
    );
  });

  it('equal trainings make equal files', async () => {
    await (await trained()).save(at('one.ckpt'));
    await (await trained()).save(at('two.ckpt'));
    expect(await readFile(at('one.ckpt'))).toEqual(await readFile(at('two.ckpt')));
  });

  it('of another model are refused with the name of the file', async () => {
    const trainer = busy.createTrainer();
    await single.createTrainer().save(at('single.ckpt'));
    await refused(
      trainer,
      () => trainer.load(at('single.ckpt')),
      'single.ckpt does not fit this trainer',
      'Busy, found Single',
    );
    await (await trained()).save(at('t.ckpt'));
    const narrow = busy32.createTrainer();
    await refused(narrow, () => loadCheckpoint(narrow, at('t.ckpt')), 'dtype must be f32, found f64');
    await refused(
      trainer,
      () => trainer.load(at('t.ckpt'), { partial: true }),
      'loaded whole, without options',
    );
  });
});

describe('the callback ModelCheckpoint', () => {
  it('writes a file an epoch, from each of which the training goes on', async () => {
    const whole = busy.createTrainer();
    const callbacks = [new ModelCheckpoint(at('run/deep/epoch-{epoch:02d}.ckpt'))];
    const history = await whole.fit(data, { callbacks });
    const files = (await readdir(at('run/deep'))).toSorted();
    expect(files).toEqual(['epoch-01.ckpt', 'epoch-02.ckpt', 'epoch-03.ckpt']);
    for (const file of files) {
      const trainer = busy.createTrainer({ seed: 4 });
      await trainer.load(at(`run/deep/${file}`));
      expect(await trainer.fit(data, { resume: true })).toEqual(history);
      expect(trainer.getWeights()).toEqual(whole.getWeights());
    }
  });

  it('replaces one file after so many steps', async () => {
    const trainer = busy.createTrainer();
    await trainer.fit(data, { callbacks: [new ModelCheckpoint(at('latest.ckpt'), { everySteps: 5 })] });
    const other = busy.createTrainer();
    await other.load(at('latest.ckpt'));
    expect([trainer.step, other.step]).toEqual([12, 10]);
  });

  it('writes checkpoints only', () => {
    expect(() => new ModelCheckpoint('w.npz')).toThrow('ModelCheckpoint writes .ckpt files, found w.npz');
  });
});

describe('on the disk', () => {
  it('nothing is left beside the file', async () => {
    const clean = await mkdtemp(join(folder, 'clean-'));
    const trainer = await trained();
    await Promise.all(['a.npz', 'a.npz', 'b.npz'].map((name) => trainer.save(join(clean, name))));
    await trainer.save(join(clean, 'no/folder.npz')).catch(() => undefined);
    expect((await readdir(clean)).toSorted()).toEqual(['a.npz', 'b.npz']);
  });

  it.skipIf(process.platform === 'win32')('what a link points to is replaced, not the link', async () => {
    const trainer = await trained();
    await trainer.save(at('target.npz'));
    await link(at('target.npz'), at('other-name.npz'));
    await symlink(at('target.npz'), at('link.npz'));
    const old = await readFile(at('target.npz'));
    trainer.trainOnBatch(rowsOf(4));
    await trainer.save(at('link.npz'));
    expect(await readFile(at('target.npz'))).not.toEqual(old);
    // the bytes under another name of the old file are never written into
    expect(await readFile(at('other-name.npz'))).toEqual(old);
    expect((await stat(at('link.npz'))).size).toBe((await stat(at('target.npz'))).size);
  });
});

describe('where there are no files', () => {
  it('save, load and report say what to use', async () => {
    for (const method of [page.saveFile, page.loadFile, page.saveReport]) {
      const called = method(busy.createTrainer(), 'w.npz');
      await expect(called).rejects.toThrow(DataError);
      await expect(called).rejects.toThrow(
        "w.npz is out of reach, there are no files here: take bytes, by 'chainrule/formats', or a report's text, by 'chainrule/report' (in Node: 'chainrule/node')",
      );
    }
  });

  it('weights go as bytes', async () => {
    const trainer = await trained();
    const other = busy.createTrainer();
    expect(setTensors(other, readNpz(writeNpz(getTensors(trainer))))).toEqual(ALL_LOADED);
    expect(other.getWeights()).toEqual(trainer.getWeights());
    const { shape, data } = getTensors(trainer)['z_W']!;
    expect(writeNpy(data, shape).length).toBe(128 + 15 * 8);
  });
});
