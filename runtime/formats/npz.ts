/** NumPy's `.npz` files: a zip archive with one `.npy` file for each array (`numpy.savez`, `numpy.savez_compressed`). */
import { readNpy, writeNpy } from './npy.ts';
import { checkName, failIn, quoted, type Tensors } from './tensor.ts';
import { readZip, writeZip, type ZipOptions } from './zip.ts';

const ENDING = '.npy';

/**
 * Reads a `.npz` file, compressed or not. What becomes of the element types: see `readNpy`.
 * @param source the file's name, for messages
 * @throws DataError
 */
export function readNpz(bytes: Uint8Array, source = 'the file', options: ZipOptions = {}): Tensors {
  const fail = failIn(`${source} is not a .npz file that can be read`);
  const entries = [...readZip(bytes, fail, options)].map(([entry, content]) => {
    if (!entry.endsWith(ENDING)) fail(`entry ${quoted(entry)} is no array`);
    const name = checkName(entry.slice(0, -ENDING.length), fail);
    return [name, readNpy(content, `entry ${quoted(entry)} of ${source}`)] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Writes a `.npz` file, not compressed: weights are noise to a packer. Equal tensors make equal bytes.
 * @throws DataError where a shape does not fit its numbers, or by a name that no file may have
 */
export function writeNpz(tensors: Tensors): Uint8Array {
  const fail = failIn('a .npz file');
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    checkName(name, fail);
    return [`${name}${ENDING}`, writeNpy(data, shape)] as const;
  });
  return writeZip(new Map(entries), fail);
}
