/**
 * A training in one file, to go on later as if it had never stopped. The file is a zip archive that `numpy.load` opens:
 * `training.json` holds all of the snapshot but its arrays, and each array is an entry `weights/NAME.npy`,
 * `state/NAME.npy`, `history/NAME.npy`, ... in its own precision, so that every bit comes back.
 */
import type { Json, SnapshotArray, TrainingSnapshot } from '../snapshot.ts';
import { isRecord, parseJson } from './json.ts';
import { readNpy, writeNpy } from './npy.ts';
import { checkName, checkShape, failIn, quoted, type Fail } from './tensor.ts';
import { readZip, writeZip, type ZipOptions } from './zip.ts';

const FORMAT = 'chainrule training';
const VERSION = 1;
const MANIFEST = 'training.json';
const DEEPEST = 16;
const ENDING = '.npy';

/** Equal trainings make equal bytes. @throws DataError where it could not be read again */
export function writeCheckpoint(snapshot: TrainingSnapshot): Uint8Array {
  const fail = failIn('a checkpoint');
  const { arrays, ...rest } = snapshot;
  const manifest = new TextEncoder().encode(`${JSON.stringify(rest, null, 2)}\n`);
  // what could not be read is not written
  readManifest(manifest, fail);
  const entries = new Map<string, Uint8Array>([[MANIFEST, manifest]]);
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    checkName(name, fail);
    checkShape({ shape, data }, failIn(`array ${quoted(name)}`));
    entries.set(`${name}${ENDING}`, writeNpy(data, shape));
  }
  return writeZip(entries, fail);
}

/**
 * Reads a checkpoint. Whether its arrays are those of a model is for `setTraining` to say.
 * @param source the file's name, for messages
 * @throws DataError
 */
export function readCheckpoint(
  bytes: Uint8Array,
  source = 'the file',
  options: ZipOptions = {},
): TrainingSnapshot {
  const fail = failIn(`${source} is not a checkpoint that can be read`);
  const arrays: [string, SnapshotArray][] = [];
  let manifest: Manifest | undefined;
  for (const [entry, content] of readZip(bytes, fail, options)) {
    if (entry === MANIFEST) manifest = readManifest(content, fail);
    else if (!entry.endsWith(ENDING)) fail(`entry ${quoted(entry)} is no array`);
    else {
      const { shape, data } = readNpy(content, `entry ${quoted(entry)} of ${source}`);
      if (!(data instanceof Float32Array || data instanceof Float64Array))
        return fail(`entry ${quoted(entry)} holds integers`);
      arrays.push([checkName(entry.slice(0, -ENDING.length), fail), { shape, data }]);
    }
  }
  if (manifest === undefined) return fail(`it has no ${MANIFEST}`);
  return { ...manifest, arrays: Object.fromEntries(arrays) };
}

type Manifest = Omit<TrainingSnapshot, 'arrays'>;

function readManifest(bytes: Uint8Array, fail: Fail): Manifest {
  const value = parseJson(bytes, DEEPEST, (what) => fail(`in ${MANIFEST}, ${what}`));
  if (!isRecord(value) || value['format'] !== FORMAT) return fail(`${MANIFEST} is of another format`);
  if (value['version'] !== VERSION)
    return fail(`its version is ${JSON.stringify(value['version'])}; this program reads version ${VERSION}`);
  const whole = (name: string, least: number): number => {
    const number = value[name];
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least) return number;
    return fail(`${name} in ${MANIFEST} is no whole number${least === 0 ? ' from 0' : ''}`);
  };
  const { model, dtype, rateFactor } = value;
  if (typeof model !== 'string') return fail(`${MANIFEST} has no model`);
  if (dtype !== 'f32' && dtype !== 'f64') return fail(`dtype in ${MANIFEST} is neither f32 nor f64`);
  if (typeof rateFactor !== 'number') return fail(`rateFactor in ${MANIFEST} is no number`);
  return {
    format: FORMAT,
    version: VERSION,
    model,
    dtype,
    seed: whole('seed', Number.MIN_SAFE_INTEGER),
    step: whole('step', 0),
    epoch: whole('epoch', 0),
    rateFactor,
    // what was parsed is JSON
    fit: (value['fit'] ?? null) as Json,
    callbacks: (value['callbacks'] ?? []) as Json,
  };
}
