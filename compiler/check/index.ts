/**
 * `compile check`: a proof of the emitted gradient, by four comparisons that have little in common. What is compared is the text
 * that `compile` would write, in float64, run at a random point: with central differences of its own loss, with forward mode
 * of the formulas as they were written, with the scattered form of the gradient, and with itself in float32.
 *
 * Nothing here reads a file or evaluates a text: whoever calls says how a module is loaded.
 */
import { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { AnalysedModel } from '../index.ts';
import { Check } from './check.ts';
import type { Checked, CheckOptions } from './types.ts';

export { proofs } from './examine.ts';
export { printReport } from './report.ts';
export type * from './types.ts';

/**
 * Checks the gradient of one model.
 * @param path what the emitted modules call the model's file
 * Reported: E801 (wrong), E802 (cannot be decided), E803 (data do not fit), E804 (there is none).
 */
export async function checkModel(
  analysed: AnalysedModel,
  path: string,
  options: CheckOptions,
): Promise<Checked> {
  const diagnostics = new Diagnostics();
  const report = await new Check(analysed, path, options, diagnostics).run();
  return { diagnostics: diagnostics.list, ...(report === undefined ? {} : { report }) };
}
