/**
 * The way from a trainer to files, in Node, taken only when it is used. In a page `#files` is a clear error instead
 * (package.json, `imports`), so that no page carries code for files.
 */
import type { Learner } from './callback.ts';
import type { LoadOptions, LoadReport } from './loading.ts';
import type { ReportOptions, ReportSource } from './report/options.ts';
import { getTraining } from './snapshot.ts';

export async function saveFile(trainer: Learner, file: string | URL): Promise<void> {
  // training may go on while the module is loaded
  const snapshot = getTraining(trainer);
  const files = await import('./node/files.ts');
  return files.saveFile(trainer.description, snapshot, file);
}

export async function loadFile(
  trainer: Learner,
  file: string | URL,
  options?: LoadOptions,
): Promise<LoadReport> {
  const files = await import('./node/files.ts');
  return files.loadFile(trainer, file, options);
}

export async function saveReport<Inputs>(
  trainer: ReportSource<Inputs>,
  file: string | URL,
  options?: ReportOptions<Inputs>,
): Promise<void> {
  const files = await import('./node/files.ts');
  return files.saveReport(trainer, file, options);
}
