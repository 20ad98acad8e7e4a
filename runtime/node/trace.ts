/** Traces in files, for Node. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { summarizeTrace, type TraceEvent } from '../trace.ts';
import { pathOf, prepareFolder, type FilePath } from './disk.ts';

export interface TraceToOptions {
  /** Only every so many steps, the first among them; each step by default. */
  readonly every?: number;
}

/**
 * A listener for `onTrace` that writes a line of JSON for every event, its summary (mean, deviation, min, max, share of zeros,
 * norm). An old file is replaced. Each line is there as soon as the tensor has been computed.
 * @throws Error of Node where the file cannot be written
 */
export function traceTo(file: FilePath, { every = 1 }: TraceToOptions = {}): (event: TraceEvent) => void {
  if (!Number.isInteger(every) || every < 1)
    throw new RangeError(`every must be a whole number from 1, found ${every}`);
  const path = resolve(pathOf(file));
  prepareFolder(path);
  writeFileSync(path, '');
  return (event) => {
    if ((event.step - 1) % every === 0) appendFileSync(path, `${JSON.stringify(summarizeTrace(event))}\n`);
  };
}
