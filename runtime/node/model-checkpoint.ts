/** The training goes to a file as it goes on. */
import { mkdir } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import {
  ModelCheckpoint as Checkpoints,
  type ModelCheckpointOptions,
} from '../callbacks/model-checkpoint.ts';
import { DataError } from '../errors.ts';
import { saveCheckpoint } from './files.ts';

/**
 * Writes the whole training to a `.ckpt` file, after every epoch unless `options` say otherwise: `model-{epoch:03d}.ckpt`. A
 * name without figures is one file, replaced each time, that is whole at any moment. Folders are made where there are none.
 * `trainer.load` and `fit` with `resume` go on from it. @throws DataError where the path has another ending
 */
export class ModelCheckpoint extends Checkpoints {
  constructor(path: string, options: Omit<ModelCheckpointOptions, 'path' | 'write'> = {}) {
    super({
      ...options,
      path,
      write: async (file, snapshot) => {
        await mkdir(dirname(file), { recursive: true });
        await saveCheckpoint({ getTraining: () => snapshot }, file);
      },
    });
    if (extname(path) !== '.ckpt') throw new DataError(`ModelCheckpoint writes .ckpt files, found ${path}`);
  }
}
