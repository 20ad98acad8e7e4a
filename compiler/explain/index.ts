/**
 * A model explained: the graph, every statement with its formula, derivative and chain-rule step, what the passes did to it,
 * and the TypeScript that came out. Text in, data out; html.ts and markdown.ts set it as a page.
 */
import {
  analyse,
  emittedFunctions,
  scheduleModel,
  VERSION,
  type AnalysedModel,
  type Diagnostic,
  type Source,
} from '../index.ts';
import type { CompileOptions } from '../index.ts';
import { formatSections } from '../emit/format.ts';
import { latexPrinter, type LatexPrinter } from '../emit/latex.ts';
import { EmittedCode } from './code.ts';
import { Explainer } from './statements.ts';
import type { Explanation } from './types.ts';

export type { Explanation } from './types.ts';

export type ExplainOptions = Pick<CompileOptions, 'dtype' | 'load' | 'without' | 'math'>;

export interface Explained {
  readonly diagnostics: readonly Diagnostic[];
  /** One a model; empty where there are errors. */
  readonly explanations: readonly Explanation[];
}

/** Every model of a file. Never throws on a user's mistake: it is reported. */
export async function explain(source: Source, options: ExplainOptions = {}): Promise<Explained> {
  const { diagnostics, models } = analyse(source, options);
  const latex = await latexPrinter();
  const explanations: Explanation[] = [];
  for (const model of models) explanations.push(await explainModel(model, source, latex, options));
  return { diagnostics, explanations };
}

async function explainModel(
  analysed: AnalysedModel,
  source: Source,
  latex: LatexPrinter,
  options: ExplainOptions,
): Promise<Explanation> {
  const loops = scheduleModel(analysed, options);
  const functions = emittedFunctions(analysed, loops, source.path, options);
  const formatted = await formatSections(functions.map(({ text }) => text));
  const code = new EmittedCode(functions, formatted, loops);
  return new Explainer(analysed, source, latex, code).explanation(VERSION);
}
