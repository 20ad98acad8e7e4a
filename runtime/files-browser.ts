/** What `save`, `load` and `report` do where there is no file system, and in a module that imports nothing. */
import { DataError } from './errors.ts';

export async function saveFile(_trainer: unknown, file: string | URL, _options?: unknown): Promise<never> {
  throw new DataError(
    `${file} is out of reach, there are no files here: take bytes, by 'chainrule/formats', or a report's text, by 'chainrule/report' (in Node: 'chainrule/node')`,
  );
}

export const loadFile = saveFile;
export const saveReport = saveFile;
