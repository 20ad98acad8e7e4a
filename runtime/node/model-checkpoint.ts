/** The training goes to a file as it goes on. */
import { dirname, extname } from 'node:path';
import {
  ModelCheckpoint as Checkpoints,
  type ModelCheckpointOptions,
} from '../callbacks/model-checkpoint.ts';
import type { FitContext } from '../callback.ts';
import { DataError } from '../errors.ts';
import { pathOf, prepareFolder } from './disk.ts';
import { saveCheckpoint } from './files.ts';

/**
 * Writes the whole training to a `.ckpt` file, after every epoch unless `options` say otherwise: `model-{epoch:03d}.ckpt`. A
 * name without figures is one file, replaced each time, that is whole at any moment. Folders are made where there are none.
 * `trainer.load` and `fit` with `resume` go on from it. @throws DataError where the path has another ending, and before the
 * first step where files cannot be made there
 */
export class ModelCheckpoint extends Checkpoints {
  private readonly path: string;

  constructor(file: string, options: Omit<ModelCheckpointOptions, 'path' | 'write'> = {}) {
    const path = pathOf(file);
    super({
      ...options,
      path,
      write: async (name, snapshot) => {
        prepareFolder(name);
        await saveCheckpoint(snapshot, name);
      },
    });
    if (extname(path) !== '.ckpt') throw new DataError(`ModelCheckpoint writes .ckpt files, found ${path}`);
    this.path = path;
  }

  override async onTrainBegin(context: FitContext): Promise<void> {
    await super.onTrainBegin(context);
    // of `runs/{epoch}/model.ckpt` the folder `runs` is known
    const [fixed = ''] = this.path.split('{');
    prepareFolder(this.path, dirname(`${fixed}-`));
  }
}
