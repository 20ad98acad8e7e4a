/** Whole files, read and replaced. */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../errors.ts';

export type FilePath = string | URL;

/** @throws DataError where it is no path */
export function pathOf(file: FilePath): string {
  if (typeof file === 'string' && file !== '') return file;
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file);
  throw new DataError(`a file must be a path or a file: URL, found ${JSON.stringify(file)}`);
}

const GREATEST_READ = 2 ** 30;

/** @throws DataError where there is no such file, or it is something else than a file, or it is cut while it is read */
export function readWhole(path: string): Promise<Uint8Array> {
  return explained(path, 'read', async () => {
    const handle = await open(path, 'r');
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new Error('it is no file');
      const bytes = new Uint8Array(status.size);
      for (let done = 0; done < bytes.length;) {
        const length = Math.min(GREATEST_READ, bytes.length - done);
        const { bytesRead } = await handle.read(bytes, done, length);
        if (bytesRead === 0) throw new Error('it became shorter meanwhile');
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  });
}

/**
 * Puts `bytes` in the place of the file, or leaves it as it is. They go to a temporary file beside it, are forced to the
 * disk, and take its name in one step: whoever is killed meanwhile leaves the old or the new file whole, and at worst a
 * `.NAME.XXXXXXXX.tmp` beside it.
 * @throws DataError where the folder cannot be written to
 */
export function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  return explained(path, 'written', async () => {
    // what a link points to is replaced, not the link
    const target = await realpath(path).catch(() => path);
    const folder = dirname(target);
    // neither other threads and processes, nor what one of them has left behind, may meet it
    const temporary = join(folder, `.${basename(target)}.${randomUUID().slice(0, 8)}.tmp`);
    try {
      const handle = await open(temporary, 'wx');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
  });
}

/** The new name is safe from a power cut only when the folder is on the disk, too; some systems cannot do that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Makes the folder of a file, where there is none, and looks whether files can be made in it.
 * @throws DataError where they cannot be, or where a folder has the name of the file
 */
export function prepareFolder(path: string, folder = dirname(path)): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw cannotBe(path, 'written', error);
  }
}

/** One after the other: mkdir's own `recursive` does not come to an end where the system refuses, as in /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // another process may have made it meanwhile
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

function cannotBe(path: string, done: string, error: unknown): DataError {
  const reason = error instanceof Error ? error.message : String(error);
  return new DataError(`${path} cannot be ${done}: ${reason}`, { cause: error });
}

async function explained<T>(path: string, done: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw cannotBe(path, done, error);
  }
}
