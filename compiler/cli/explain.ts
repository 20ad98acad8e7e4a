/** `compile explain FILE...`: a page for each model. Exit code 0, 1 (a model is wrong), 2 (the call is wrong, or a file is). */
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { explain, type Explanation } from '../explain/index.ts';
import { renderDiagnostics, type Source } from '../index.ts';
import { wantsColor } from './color.ts';
import { loadImport, readText, reason, writeWhole } from './files.ts';
import { checkLeftOut } from './list.ts';
import { FileError, UsageError } from './options.ts';

const help = `Usage: compile explain FILE... [options]

Writes a page that explains a model: its graph, and for each statement its formula, its local derivative, the step of the chain
rule, what the compiler did to it and why, and the TypeScript that came out. The page needs no network.

  -o, --output DIR   folder to write to (default: the current one)
      --format KIND  html (default): NAME.explain.html; markdown: NAME.explain.md, with LaTeX
      --dtype TYPE   element type of all real arrays in the TypeScript: f32 (default) or f64
      --no-pass NAME leave out a pass or a choice of the schedule (repeatable)
      --stdout       print instead of writing
  -h, --help         show this

Exit codes: 0, 1 (a model is wrong), 2 (the call is wrong, or a file cannot be read or written).
`;

const words = {
  output: { type: 'string', short: 'o' },
  format: { type: 'string', default: 'html' },
  dtype: { type: 'string', default: 'f32' },
  'no-pass': { type: 'string', multiple: true },
  stdout: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Loaded when it is asked for: MathML and layouts are heavy. */
const formats: Readonly<
  Record<'html' | 'markdown', { extension: string; render: (explanation: Explanation) => Promise<string> }>
> = {
  html: {
    extension: '.explain.html',
    render: async (explanation) => (await import('../explain/html.ts')).renderHtml(explanation),
  },
  markdown: {
    extension: '.explain.md',
    render: async (explanation) => (await import('../explain/markdown.ts')).renderMarkdown(explanation),
  },
};

interface Call {
  readonly files: readonly string[];
  readonly output: string;
  readonly format: keyof typeof formats;
  readonly dtype: 'f32' | 'f64';
  readonly without: readonly string[];
  readonly stdout: boolean;
}

/** @throws UsageError, FileError */
export async function explainFiles(given: readonly string[]): Promise<number> {
  const call = parseCall(given);
  if (call === undefined) {
    process.stdout.write(help);
    return 0;
  }
  checkLeftOut(call.without);
  refuseSameNames(call.files);
  let failed = false;
  for (const path of call.files) failed = (await explainFile(path, call)) || failed;
  return failed ? 1 : 0;
}

/** @returns true where the model is wrong */
async function explainFile(path: string, call: Call): Promise<boolean> {
  const file = readText(path);
  if ('problem' in file) throw new FileError(`cannot read ${path}: ${file.problem}`);
  const source: Source = { path, text: file.text };
  const { diagnostics, explanations } = await explain(source, {
    load: loadImport,
    dtype: call.dtype,
    without: new Set(call.without),
  });
  const { extension, render } = formats[call.format];
  for (const explanation of explanations) {
    const stem = basename(path, extname(path));
    const name = explanations.length === 1 ? stem : `${stem}.${explanation.model}`;
    deliver(join(call.output, `${name}${extension}`), await render(explanation), call);
  }
  if (diagnostics.length > 0)
    process.stderr.write(`${renderDiagnostics(diagnostics, { color: wantsColor(process.stderr) })}\n`);
  return diagnostics.some(({ severity }) => severity === 'error');
}

function deliver(path: string, text: string, { stdout }: Call): void {
  if (stdout) {
    process.stdout.write(text);
    return;
  }
  try {
    const written = writeWhole(path, text);
    process.stdout.write(`${path}${written ? '' : ' (unchanged)'}\n`);
  } catch (error) {
    throw new FileError(`cannot write ${path}: ${reason(error)}`);
  }
}

/** The second of two pages of one name would overwrite the first. */
function refuseSameNames(files: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const file of files) {
    const stem = basename(file, extname(file));
    const other = seen.get(stem);
    if (other !== undefined)
      throw new UsageError(
        `${other} and ${file} would be written to one page; explain them into different folders`,
      );
    seen.set(stem, file);
  }
}

/** What the words ask for; undefined for help. @throws UsageError */
function parseCall(given: readonly string[]): Call | undefined {
  const { values, positionals: files } = parse(given);
  if (values.help) return undefined;
  if (files.length === 0) throw new UsageError('which file? compile explain FILE...');
  if (values.output === '') throw new UsageError('--output needs a value');
  return {
    files,
    output: values.output ?? '.',
    format: choice('format', values.format, ['html', 'markdown']),
    dtype: choice('dtype', values.dtype, ['f32', 'f64']),
    without: values['no-pass'] ?? [],
    stdout: values.stdout,
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({ args: [...given], options: words, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
}

function choice<T extends string>(name: string, value: string, among: readonly T[]): T {
  const found = among.find((each) => each === value);
  if (found === undefined) throw new UsageError(`--${name} is one of ${among.join(', ')}, not '${value}'`);
  return found;
}
