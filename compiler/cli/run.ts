/** What a call of the command line does: compile each file, then write, check, print or watch. */
import { statSync, watch } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import {
  analyse,
  compile,
  renderDiagnostics,
  scheduleModel,
  textbookGradient,
  toJson,
  type AnalysedModel,
  type Diagnostic,
  type Source,
} from '../index.ts';
import { wantsColor } from './color.ts';
import { loadImport, readText, reason, writeWhole } from './files.ts';
import { checkLeftOut, checkPrinted, passList } from './list.ts';
import { FileError, UsageError, type CliOptions, type Emission } from './options.ts';
import { withMap, type Product } from './source-map.ts';
import { printTiming, Timing } from './timing.ts';

interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  readonly products: readonly Product[];
  /** Files that were imported, for --watch. */
  readonly imported: readonly string[];
}

const extensions: Readonly<Record<Emission, string>> = {
  ts: '.ts',
  dsl: '.dsl',
  gradient: '.gradient.dsl',
  latex: '.tex',
  mermaid: '.mmd',
  dot: '.dot',
};

/** `.gradient.dsl`; of a printed stage `.stabilise.dsl`. */
function extensionOf({ emit, print }: CliOptions): string {
  if (print === undefined) return extensions[emit];
  return print === 'schedule' ? '.schedule.txt' : `.${print}.dsl`;
}

export async function run(options: CliOptions): Promise<number> {
  checkLeftOut(options.without);
  if (options.print !== undefined) checkPrinted(options.print);
  // The clock of `performance` starts with the process.
  const begun = Date.now();
  const { failed, read } = await runOnce(options, { since: 0, step: 'start' });
  if (options.watch) await watchFiles(options, read, begun);
  return failed ? 1 : 0;
}

/** Compiles again, after every change of a file that was read, until the process is told to end. */
async function watchFiles(options: CliOptions, files: readonly string[], first: number): Promise<never> {
  let read = files;
  let begun = first;
  for (;;) {
    process.stderr.write(`watching ${read.length === 1 ? read[0] : `${read.length} files`}\n`);
    const since = await nextChange(read, begun);
    begun = Date.now();
    try {
      ({ read } = await runOnce(options, { since, step: 'wait' }));
    } catch (error) {
      // A file in the middle of being saved may be gone for a moment.
      if (!(error instanceof FileError)) throw error;
      process.stderr.write(`${error.message}\n`);
    }
  }
}

/** Milliseconds that the times of files may be behind those of the process. Less than a change waits, or it were seen twice. */
const CLOCK = 20;

/**
 * Editors replace files, so the folders are watched; what happens within 30 ms is one change.
 * @param begun when the last compilation began, in milliseconds since 1970
 * @returns when the change was seen, on the clock of `performance.now()`
 */
function nextChange(files: readonly string[], begun: number): Promise<number> {
  const names = new Set(files.map((file) => resolve(file)));
  return new Promise((done) => {
    const changed = (): void => {
      for (const watcher of watchers) watcher.close();
      const seen = performance.now();
      setTimeout(() => done(seen), 30);
    };
    const watchers = [...new Set([...names].map((file) => dirname(file)))].map((folder) =>
      watch(folder, (_, name) => {
        if (name !== null && names.has(join(folder, name))) changed();
      }),
    );
    // nobody was looking while the last change was compiled; of what is put in place of a file only `ctime` is as new
    const isNewer = (file: string): boolean => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats !== undefined && Math.max(stats.mtimeMs, stats.ctimeMs) > begun - CLOCK;
    };
    if ([...names].some(isNewer)) changed();
  });
}

interface RunResult {
  readonly failed: boolean;
  /** Every file that was read. */
  readonly read: readonly string[];
}

/** What had been done, and since when, before the first file is read. */
interface Before {
  readonly since: number;
  readonly step: string;
}

async function runOnce(options: CliOptions, before: Before): Promise<RunResult> {
  if (options.print === 'list') {
    process.stdout.write(passList());
    return { failed: false, read: [] };
  }
  refuseSameNames(options.files);
  let failed = false;
  const read: string[] = [];
  const reports: object[] = [];
  const timings: Timing[] = [];
  for (const path of options.files) {
    const timing = new Timing(timings.length === 0 ? before.since : performance.now());
    if (timings.length === 0) timing.ended(before.step);
    timings.push(timing);
    const outcome = await compileFile(path, options, timing.ended);
    const written: Delivery[] = [];
    for (const product of outcome.products) written.push(await deliver(product, options));
    timing.ended('write');
    read.push(path, ...outcome.imported);
    failed ||=
      outcome.diagnostics.some(({ severity }) => severity === 'error') || written.some(({ stale }) => stale);
    if (options.json) {
      reports.push({
        file: path,
        diagnostics: toJson(outcome.diagnostics),
        outputs: written,
        ...(options.timing ? { timing: timing.steps, processor: timing.processor } : {}),
      });
    } else if (outcome.diagnostics.length > 0) {
      process.stderr.write(
        `${renderDiagnostics(outcome.diagnostics, { color: wantsColor(process.stderr) })}\n`,
      );
    }
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  else if (options.timing) {
    const what = options.files.length === 1 ? options.files[0] : `${options.files.length} files`;
    process.stderr.write(printTiming(`where the time went: ${what}`, timings));
  }
  return { failed, read };
}

const stemOf = (path: string): string => basename(path, extname(path));

/** Two files whose products would have one name: the second would overwrite the first. */
function refuseSameNames(files: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const file of files) {
    const other = seen.get(stemOf(file));
    if (other !== undefined) {
      throw new UsageError(
        `${other} and ${file} would be written to one file; compile them to different folders`,
      );
    }
    seen.set(stemOf(file), file);
  }
}

async function compileFile(
  path: string,
  options: CliOptions,
  ended: (step: string) => void,
): Promise<Outcome> {
  const file = readText(path);
  ended('read');
  if ('problem' in file) throw new FileError(`cannot read ${path}: ${file.problem}`);
  const source: Source = { path, text: file.text };
  const imported: string[] = [];
  const load = (name: string, importer: Source): Source | undefined => {
    const found = loadImport(name, importer);
    if (found !== undefined) imported.push(found.path);
    return found;
  };
  const stem = stemOf(path);
  const common = {
    load,
    inference: options.inference,
    without: new Set(options.without),
    trace: options.trace,
    ended,
  };
  if (options.emit === 'ts' && options.print === undefined) {
    const observers = (['checks', 'trace'] as const).filter((flag) => options[flag]);
    const standalone = options.standalone
      ? (await import('./standalone.ts')).runtimeText(observers)
      : undefined;
    const { diagnostics, modules } = await compile(source, {
      ...common,
      dtype: options.dtype,
      checks: options.checks,
      ...(options.math === undefined ? {} : { math: options.math }),
      ...(standalone === undefined ? {} : { standalone }),
      sourceMap: options.sourceMap !== undefined,
    });
    const products = modules.flatMap(({ name, text, map }): Product[] => {
      const extension = options.inference ? '.inference.ts' : '.ts';
      const file = productName(stem, name, modules.length, extension);
      return map === undefined || options.sourceMap === undefined
        ? [{ name: file, text }]
        : withMap({ file, text, map, folder: folderOf(options), kind: options.sourceMap });
    });
    return { diagnostics, products, imported };
  }
  const { diagnostics, models } = analyse(source, common);
  const products: Product[] = [];
  for (const analysed of models) {
    const name = productName(stem, analysed.model.name, models.length, extensionOf(options));
    products.push({ name, text: await print(analysed, options) });
  }
  return { diagnostics, products, imported };
}

/** Where modules go. */
const folderOf = ({ output = 'generated' }: CliOptions): string => output;

/** `digits.ts`, `digits.inference.ts`; `pair.First.ts` and `pair.Second.ts` where a file has several models. */
function productName(stem: string, model: string, models: number, extension: string): string {
  return models === 1 ? `${stem}${extension}` : `${stem}.${model}${extension}`;
}

async function print(analysed: AnalysedModel, options: CliOptions): Promise<string> {
  const { printProgram } = await import('../graph/print.ts');
  if (options.print === 'schedule') {
    const { printSchedule } = await import('../schedule/print.ts');
    const { dtype } = options;
    const loops = scheduleModel(analysed, { dtype, without: new Set(options.without) });
    return printSchedule(loops, analysed.program, analysed.model.training?.batch ?? 1);
  }
  if (options.print !== undefined) {
    const named = analysed.stages.filter(({ pass }) => pass === options.print);
    const last = named.at(-1);
    if (last === undefined) throw new UsageError(`the pass '${options.print}' does not run in this call`);
    return printProgram(last.program, { places: true });
  }
  switch (options.emit) {
    case 'gradient':
      return (await import('../emit/dsl.ts')).emitGradient(
        textbookGradient(analysed, { without: new Set(options.without) }),
      );
    case 'latex':
      return (await import('../emit/latex.ts')).emitLatex(analysed.program);
    case 'mermaid':
      return (await import('../emit/mermaid.ts')).emitMermaid(analysed.program);
    case 'dot':
      return (await import('../emit/dot.ts')).emitDot(analysed.program);
    case 'dsl':
    case 'ts':
      return printProgram(analysed.model.program, { places: true });
  }
}

interface Delivery {
  readonly path?: string;
  readonly text?: string;
  readonly state: 'written' | 'unchanged' | 'printed' | 'stale' | 'fresh';
  readonly stale: boolean;
}

/** Programs and pictures go to standard output unless a folder is named; modules go to a folder unless --stdout. */
async function deliver(product: Product, options: CliOptions): Promise<Delivery> {
  const toFile = options.output !== undefined || (options.emit === 'ts' && options.print === undefined);
  if (options.stdout || !toFile) {
    if (!options.json) process.stdout.write(product.text.endsWith('\n') ? product.text : `${product.text}\n`);
    return { state: 'printed', stale: false, ...(options.json ? { text: product.text } : {}) };
  }
  const path = join(folderOf(options), product.name);
  if (options.check) return checkFresh(path, product, options);
  try {
    const written = writeWhole(path, product.text);
    if (!options.json) process.stdout.write(`${path}${written ? '' : ' (unchanged)'}\n`);
    return { path, state: written ? 'written' : 'unchanged', stale: false };
  } catch (error) {
    throw new FileError(`cannot write ${path}: ${reason(error)}`);
  }
}

async function checkFresh(path: string, product: Product, options: CliOptions): Promise<Delivery> {
  const { text } = product;
  const old = readText(path);
  const found = 'text' in old ? old.text : '';
  if (found === text) return { path, state: 'fresh', stale: false };
  if (!options.json && product.isMap === true) process.stdout.write(`${path} is stale\n`);
  else if (!options.json) {
    const { createTwoFilesPatch } = await import('diff');
    process.stdout.write(
      createTwoFilesPatch(path, path, found, text, 'as it stands', 'as compiled', { context: 2 }),
    );
  }
  return { path, state: 'stale', stale: true };
}
