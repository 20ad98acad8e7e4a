/**
 * The way from a trainer to files, taken only when it is used: `#files` is the file system in Node and a clear error in
 * a page (package.json, `imports`), so that no page carries code for files.
 */
import type { LoadOptions, LoadReport } from './loading.ts';
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
  const files = await import('#files');
  return files.saveFile({ description: trainer.description, getTraining: () => snapshot }, file);
}

export async function loadFile(
  trainer: FileHolder,
  file: string | URL,
  options?: LoadOptions,
): Promise<LoadReport> {
  const files = await import('#files');
  return files.loadFile(trainer, file, options);
}
