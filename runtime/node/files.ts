/** Weights and whole trainings in files. The format goes by the file's ending. */
import { basename, extname } from 'node:path';
import type { Learner } from '../callback.ts';
import { DataError } from '../errors.ts';
import { readCheckpoint, writeCheckpoint } from '../formats/checkpoint.ts';
import { readNpy, writeNpy } from '../formats/npy.ts';
import { readNpz, writeNpz } from '../formats/npz.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { Tensors } from '../formats/tensor.ts';
import type { LoadOptions, LoadReport } from '../loading.ts';
import type { ReportOptions, ReportSource } from '../report/options.ts';
import { reportOf } from '../report/report.ts';
import { getTraining, setTraining, type TrainingSnapshot } from '../snapshot.ts';
import {
  checked,
  getTensors,
  setTensors,
  tensorsIn,
  weightNames,
  type WeightsDescription,
  type WeightsHolder,
  type WeightsSource,
} from '../tensors.ts';
import { pathOf, prepareFolder, readWhole, replaceFile, type FilePath } from './disk.ts';

/** A file format of named tensors. `name` is the file's without its ending. */
interface WeightsFormat {
  readonly write: (tensors: Tensors, name: string) => Uint8Array;
  readonly read: (bytes: Uint8Array, path: string, name: string) => Tensors;
}

const FORMATS: Readonly<Record<string, WeightsFormat>> = {
  '.npz': { write: writeNpz, read: (bytes, path) => readNpz(bytes, path) },
  '.safetensors': {
    write: (tensors) => writeSafetensors(tensors),
    read: (bytes, path) => readSafetensors(bytes, path),
  },
  '.npy': {
    write: writeSingle,
    read: (bytes, path, name) => ({ [name]: readNpy(bytes, path) }),
  },
};
const CHECKPOINT = '.ckpt';

/**
 * Writes the parameters and the model's running statistics. `.npz` and `.safetensors` hold all of them; `.npy` holds
 * the one whose name the file has (`W1.npy`), or the only one. The weights are those at the time of the call.
 * @throws DataError (another ending, weights that are not finite, a folder that is not there); an old file then stays
 */
export async function saveWeights(trainer: WeightsSource, file: FilePath): Promise<void> {
  const path = pathOf(file);
  await replaceFile(path, formatOf(path, false).write(getTensors(trainer), stemOf(path)));
}

/**
 * Reads parameters and running statistics by name from `.npz`, `.safetensors`, `.npy` (the name is the file's), or out of
 * a checkpoint. Every name and shape must agree, unless `options` say otherwise.
 * @throws DataError that names each tensor with its expected and found shape, before anything is changed
 */
export async function loadWeights(
  trainer: WeightsHolder,
  file: FilePath,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const path = pathOf(file);
  const format = endingOf(path) === CHECKPOINT ? undefined : formatOf(path, true);
  const bytes = await readWhole(path);
  if (format === undefined)
    return setTensors(trainer, tensorsIn(readCheckpoint(bytes, path), trainer.description), options, path);
  const names = weightNames(trainer.description);
  const single = names.length === 1 && options.map === undefined ? names[0]! : stemOf(path);
  return setTensors(trainer, format.read(bytes, path, single), options, path);
}

/**
 * Writes the whole training, of a trainer or as `getTraining` gave it: weights, states of model and optimizer, counters, the
 * position in the epoch, history. A trainer that loads it goes on with the same bits as one that never stopped.
 * @throws DataError where the file cannot be written; an old file then stays
 */
export async function saveCheckpoint(from: Learner | TrainingSnapshot, file: FilePath): Promise<void> {
  const snapshot = 'format' in from ? from : getTraining(from);
  await replaceFile(pathOf(file), writeCheckpoint(snapshot));
}

/** @throws DataError where it is no checkpoint or that of another model, before anything is changed */
export async function loadCheckpoint(trainer: Learner, file: FilePath): Promise<void> {
  const path = pathOf(file);
  const snapshot = readCheckpoint(await readWhole(path), path);
  try {
    setTraining(trainer, snapshot);
  } catch (error) {
    if (error instanceof DataError)
      throw new DataError(`${path} does not fit this trainer: ${error.message}`, { cause: error });
    throw error;
  }
}

/** `trainer.save`: the whole training as `.ckpt`, else weights. */
export async function saveFile(
  description: WeightsDescription,
  snapshot: TrainingSnapshot,
  file: FilePath,
): Promise<void> {
  const path = pathOf(file);
  const ending = endingOf(path);
  const bytes =
    ending === CHECKPOINT
      ? writeCheckpoint(snapshot)
      : formatOf(path, true).write(checked(tensorsIn(snapshot, description)), stemOf(path));
  await replaceFile(path, bytes);
}

/** `trainer.report`: what `reportOf` of `chainrule/report` gives, as a file. */
export async function saveReport<Inputs>(
  trainer: ReportSource<Inputs>,
  file: FilePath,
  options?: ReportOptions<Inputs>,
): Promise<void> {
  const page = new TextEncoder().encode(reportOf(trainer, options));
  prepareFolder(pathOf(file));
  await replaceFile(pathOf(file), page);
}

/** `trainer.load`: the whole training from `.ckpt`, else weights. */
export async function loadFile(trainer: Learner, file: FilePath, options?: LoadOptions): Promise<LoadReport> {
  const path = pathOf(file);
  if (endingOf(path) !== CHECKPOINT) return loadWeights(trainer, path, options);
  if (options !== undefined)
    throw new DataError(
      `${path} is loaded whole, without options; loadWeights takes weights alone out of it`,
    );
  await loadCheckpoint(trainer, path);
  return { loaded: weightNames(trainer.description), missing: [], unexpected: [] };
}

function endingOf(path: string): string {
  return extname(path).toLowerCase();
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

/** @param checkpointToo whether it might have been a checkpoint, for the message */
function formatOf(path: string, checkpointToo: boolean): WeightsFormat {
  const ending = endingOf(path);
  if (Object.hasOwn(FORMATS, ending)) return FORMATS[ending]!;
  const endings = [...Object.keys(FORMATS), ...(checkpointToo ? [CHECKPOINT] : [])];
  throw new DataError(`${path} must end in ${endings.slice(0, -1).join(', ')} or ${endings.at(-1)}`);
}

function writeSingle(tensors: Tensors, name: string): Uint8Array {
  const names = Object.keys(tensors);
  const tensor = Object.hasOwn(tensors, name)
    ? tensors[name]
    : names.length === 1
      ? tensors[names[0]!]
      : undefined;
  if (tensor !== undefined) return writeNpy(tensor.data, tensor.shape);
  throw new DataError(
    `a .npy file holds one tensor: call it by one of the names ${names.join(', ')}, or write .npz or .safetensors`,
  );
}
