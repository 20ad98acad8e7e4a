/** Files of the command line: read, looked up for imports, written whole or not at all. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Source } from '../diagnostics/source.ts';

/** The text of a file, or why there is none. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { problem: reason(error) };
  }
}

/** An imported file, its path taken relative to the file that imports it. */
export function loadImport(path: string, importer: Source): Source | undefined {
  const found = isAbsolute(path) ? path : join(dirname(importer.path), path);
  const file = readText(found);
  return 'text' in file ? { path: found, text: file.text } : undefined;
}

/**
 * Writes a file by way of a temporary one beside it, so that whoever reads meanwhile sees the old text or the new.
 * @returns false where the file already held this text and was left alone
 */
export function writeWhole(path: string, text: string): boolean {
  const old = readText(path);
  if ('text' in old && old.text === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return true;
}

/** What went wrong with a file, in words. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'a part of its path is a file, not a folder';
  return error instanceof Error ? error.message : String(error);
}
