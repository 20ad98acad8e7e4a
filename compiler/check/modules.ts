/** The modules of a check: the model's own in both types, and those of the programs that it is held against. */
import { expandProgram } from '../graph/own-functions.ts';
import type { Program } from '../graph/types.ts';
import { passNames, sectionsOf, type AnalysedModel } from '../index.ts';
import type { CheckOptions, LoadedModule } from './types.ts';

export type ModuleMaker = (analysed: AnalysedModel, dtype: 'f32' | 'f64') => Promise<LoadedModule>;

/** Emits, without prettier, and loads. */
export function moduleMaker(path: string, options: CheckOptions): ModuleMaker {
  const { load, standalone, without } = options;
  return async (analysed, dtype) => {
    const sections = sectionsOf(
      analysed,
      { path, hash: '' },
      {
        dtype,
        ...(standalone === undefined ? {} : { standalone }),
        ...(without === undefined ? {} : { without }),
      },
    );
    return load(`${sections.map(({ text }) => text).join('\n\n')}\n`);
  };
}

/** Another program in the place of a model's, to be run but not trained. */
export function withProgram({ model }: AnalysedModel, given: Program): AnalysedModel {
  const { training: _, ...untrained } = model;
  const program = expandProgram(given);
  return { model: { ...untrained, program }, stages: [], gradient: program, program };
}

/** All passes by name: left out, a program is computed as it was written. */
export const everyPass: ReadonlySet<string> = new Set(passNames);
