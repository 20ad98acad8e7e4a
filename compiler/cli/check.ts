/** `compile check FILE...`: is the emitted gradient right? Exit code 0, 1 (it is not, or the model or data are wrong), 2. */
import { parseArgs } from 'node:util';
import { checkModel, printReport, type CheckReport } from '../check/index.ts';
import { Diagnostics, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { analyse, renderDiagnostics, toJson, type AnalysedModel, type Source } from '../index.ts';
import { DataError, readData } from './check-data.ts';
import { wantsColor } from './color.ts';
import { loadImport, readText } from './files.ts';
import { checkLeftOut } from './list.ts';
import { loadModule } from './load.ts';
import { FileError, UsageError } from './options.ts';
import { runtimeText } from './standalone.ts';

const help = `Usage: compile check FILE... [options]

Proves the gradient that compile emits, in float64, at a random point: against central differences of the emitted loss, against
forward mode of the formulas as written, against the scattered form, and against float32. Prints a row for each parameter.

      --data FILE       use these data: .csv, .json, .npz or .safetensors, named as the inputs (default: random)
      --rows N          rows of the batch (default: 5, of a large model 2; of given data up to 16)
      --directions N    random directions for each parameter (default: 3, of a large model 1)
      --seed N          decides data, parameters, directions and draws (default: 1)
      --no-pass NAME    leave out a pass or a choice of the schedule, to ask whether it is to blame (repeatable)
      --json            report as JSON on standard output
  -h, --help            show this

Exit codes: 0, 1 (a gradient is wrong or not decided, or the model or the data are), 2 (the call is wrong, or a file is).
`;

const words = {
  data: { type: 'string' },
  rows: { type: 'string' },
  directions: { type: 'string' },
  seed: { type: 'string' },
  'no-pass': { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface Call {
  readonly files: readonly string[];
  readonly data?: string;
  readonly rows?: number;
  readonly directions?: number;
  readonly seed?: number;
  readonly without: readonly string[];
  readonly json: boolean;
}

/** @throws UsageError, FileError */
export async function check(given: readonly string[]): Promise<number> {
  const call = parseCall(given);
  if (call === undefined) {
    process.stdout.write(help);
    return 0;
  }
  checkLeftOut(call.without);
  let failed = false;
  const results: object[] = [];
  for (const path of call.files) {
    const { diagnostics, reports } = await checkFile(path, call);
    failed ||= diagnostics.some(({ severity }) => severity === 'error');
    if (call.json) results.push({ file: path, diagnostics: toJson(diagnostics), reports });
    else {
      if (reports.length > 0) process.stdout.write(reports.map(printReport).join('\n'));
      const text = renderDiagnostics(diagnostics, { color: wantsColor(process.stderr) });
      if (text !== '') process.stderr.write(`${text}\n`);
    }
  }
  if (call.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  return failed ? 1 : 0;
}

interface FileResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly reports: readonly CheckReport[];
}

async function checkFile(path: string, call: Call): Promise<FileResult> {
  const file = readText(path);
  if ('problem' in file) throw new FileError(`cannot read ${path}: ${file.problem}`);
  const source: Source = { path, text: file.text };
  const without = new Set(call.without);
  const { diagnostics, models } = analyse(source, { load: loadImport, without });
  const all: Diagnostic[] = [...diagnostics];
  const reports: CheckReport[] = [];
  const [first] = models;
  if (first === undefined) return { diagnostics: all, reports };
  const data = dataOf(call, first, all);
  if (data === 'wrong') return { diagnostics: all, reports };
  // of several models those without a gradient are there for something else
  const trained = models.filter(({ program }) => program.gradients.size > 0);
  for (const analysed of trained.length > 0 ? trained : models) {
    const { seed, rows, directions } = call;
    const { report, diagnostics: found } = await checkModel(analysed, path, {
      load: loadModule,
      standalone: runtimeText(),
      without,
      ...(data === undefined ? {} : { data }),
      ...(seed === undefined ? {} : { seed }),
      ...(rows === undefined ? {} : { rows }),
      ...(directions === undefined ? {} : { directions }),
    });
    all.push(...found);
    if (report !== undefined) reports.push(report);
  }
  return { diagnostics: all, reports };
}

/** The data of --data; what is wrong with the file is reported at the first tensor of the model. */
function dataOf(
  { data: path }: Call,
  { program }: AnalysedModel,
  all: Diagnostic[],
): ReturnType<typeof readData> | undefined | 'wrong' {
  if (path === undefined) return undefined;
  try {
    return readData(path);
  } catch (error) {
    const [place] = program.tensors.values();
    if (!(error instanceof DataError) || place === undefined) throw error;
    const diagnostics = new Diagnostics();
    const hint = 'one array for each input, named as the input: see docs/CHECKING.md';
    diagnostics.error('E803', place.span, error.message, { hint });
    all.push(...diagnostics.list);
    return 'wrong';
  }
}

/** Undefined: --help. */
function parseCall(given: readonly string[]): Call | undefined {
  const { values, positionals: files } = parse(given);
  if (values.help) return undefined;
  if (files.length === 0) throw new UsageError('which file? compile check FILE...');
  const rows = count('rows', values.rows, 1);
  const directions = count('directions', values.directions, 1);
  const seed = count('seed', values.seed, 0);
  return {
    files,
    without: values['no-pass'] ?? [],
    json: values.json,
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(rows === undefined ? {} : { rows }),
    ...(directions === undefined ? {} : { directions }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({ args: [...given], options: words, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
}

function count(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`--${name} is a whole number from ${least}, not '${value}'`);
}
