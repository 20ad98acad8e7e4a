/**
 * The way from a trainer to files, in Node, taken only when it is used. In a page `#files` is a clear error instead
 * (package.json, `imports`), so that no page carries code for files.
 */
import type { LoadOptions, LoadReport } from './loading.ts';
import type { ReportOptions, ReportSource } from './report/options.ts';
import type { TrainingSnapshot } from './snapshot.ts';
import type { WeightsHolder } from './tensors.ts';

/** What files need of a trainer. */
export interface FileHolder extends WeightsHolder {
  getTraining(): TrainingSnapshot;
  setTraining(snapshot: TrainingSnapshot): void;
}

export async function saveFile(trainer: FileHolder, file: string | URL): Promise<void> {
  // training may go on while the module is loaded
  const snapshot = trainer.getTraining();
  const files = await import('./node/files.ts');
  return files.saveFile({ description: trainer.description, getTraining: () => snapshot }, file);
}

export async function loadFile(
  trainer: FileHolder,
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
