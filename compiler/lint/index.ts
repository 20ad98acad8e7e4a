/**
 * Warnings of what is likely to go wrong when a model is trained, before it is: W705 to W709. They look at the program in its stable
 * form, before it is differentiated, so that nothing is said of what the compiler mends itself.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Program } from '../graph/types.ts';
import { warnOfEdges } from './edges.ts';
import { warnOfLosses } from './losses.ts';
import { warnOfStarts } from './starts.ts';
import { warnOfSymmetry } from './symmetry.ts';

/** @param trains there is a `train` block: first values matter only where training begins with them */
export function lint(program: Program, trains: boolean, diagnostics: Diagnostics): void {
  if (program.loss === undefined) return;
  warnOfEdges(program, trains, diagnostics);
  warnOfLosses(program, diagnostics);
  if (!trains) return;
  warnOfStarts(program, diagnostics);
  warnOfSymmetry(program, diagnostics);
}
