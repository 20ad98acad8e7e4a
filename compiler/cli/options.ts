/** The command line's words, checked. */
import { parseArgs } from 'node:util';

export const emissions = ['ts', 'dsl', 'gradient', 'latex', 'mermaid', 'dot'] as const;
export type Emission = (typeof emissions)[number];

/** Where a source map goes: beside the module, or into it. */
export const sourceMapKinds = ['file', 'inline'] as const;
export type SourceMapKind = (typeof sourceMapKinds)[number];

export interface CliOptions {
  readonly files: readonly string[];
  readonly output?: string;
  readonly dtype: 'f32' | 'f64';
  readonly emit: Emission;
  readonly print?: string;
  /** Names of `switchable`, checked by whoever knows them. */
  readonly without: readonly string[];
  readonly math?: 'exact';
  readonly timing: boolean;
  readonly checks: boolean;
  readonly trace: boolean;
  readonly inference: boolean;
  readonly standalone: boolean;
  readonly sourceMap?: SourceMapKind;
  readonly check: boolean;
  readonly watch: boolean;
  readonly stdout: boolean;
  readonly json: boolean;
}

/** The call is wrong: exit code 2. */
export class UsageError extends Error {}

/** The call is right, but a file cannot be read or written: exit code 2. */
export class FileError extends Error {}

export const help = `Usage: compile FILE... [options]

Compiles models to TypeScript that trains them.

  -o, --output DIR   folder to write to (default: generated, for TypeScript)
      --dtype TYPE   element type of all real arrays: f32 (default) or f64
      --emit WHAT    what to make: ${emissions.join(', ')} (default: ts)
      --print PASS   print the program after a pass, in the language; schedule: its loops, buffers and work;
                     list: what passes there are
      --no-pass NAME leave out a pass or a choice of the schedule, to ask whether it is to blame (repeatable)
      --math KIND    exact: no approximation of exp, tanh and their kin; fast (default): where float32 allows
      --timing       print where the time of the compilation goes, on standard error
      --checks       stop at the first value that is NaN, infinite or too large, and say which and why
      --trace        hand the tensors that the model names, and their cotangents, to a listener (onTrace)
      --inference    what predicts alone: no gradient, no loss, no optimizer (NAME.inference.ts)
      --standalone   put the runtime into the module: no imports at all
      --source-map KIND  breakpoints and stack traces land in the model: file (NAME.ts.map beside the module) or
                     inline (in the module)
      --check        write nothing; exit with 1 and the difference where a file is stale
      --watch        compile again whenever a file changes
      --stdout       print instead of writing
      --json         report as JSON on standard output
  -h, --help         show this
  -v, --version      show the version

Exit codes: 0, 1 (a model is wrong, or a file is stale), 2 (the call is wrong, or a file cannot be read or written).

  compile model.dsl -o src/generated
`;

const flags = { type: 'boolean', default: false } as const;
const words = {
  output: { type: 'string', short: 'o', multiple: true },
  dtype: { type: 'string', default: 'f32' },
  emit: { type: 'string', default: 'ts' },
  print: { type: 'string', multiple: true },
  'no-pass': { type: 'string', multiple: true },
  math: { type: 'string', default: 'fast' },
  timing: flags,
  checks: flags,
  trace: flags,
  inference: flags,
  standalone: flags,
  'source-map': { type: 'string', multiple: true },
  check: flags,
  watch: flags,
  stdout: flags,
  json: flags,
  help: { ...flags, short: 'h' },
  version: { ...flags, short: 'v' },
} as const;

export type Call =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'compile'; readonly options: CliOptions };

/** What the words ask for. @throws UsageError */
export function parseCall(given: readonly string[]): Call {
  const { values, positionals: files } = parse(given);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };

  const output = once('output', values.output);
  const print = once('print', values.print);
  if (files.length === 0 && print !== 'list') throw new UsageError('which file? compile FILE...');
  if (values.check && values.watch) throw new UsageError('--check and --watch exclude each other');
  if (values.check && (values.stdout || print !== undefined)) {
    throw new UsageError('--check compares files: it prints no program');
  }
  if ((values.checks || values.trace) && values.emit !== 'ts')
    throw new UsageError('--checks and --trace make TypeScript: they do not go with another --emit');
  if (values.inference && values.emit === 'gradient')
    throw new UsageError('--inference leaves the gradient out: --emit gradient has nothing to print');
  const { checks, trace, inference, standalone, check, watch, stdout, json, timing } = values;
  const sourceMap = once('source-map', values['source-map']);
  if (sourceMap !== undefined && (values.emit !== 'ts' || print !== undefined))
    throw new UsageError('--source-map is for TypeScript: it maps a module to its model');
  if (sourceMap === 'file' && stdout)
    throw new UsageError('--stdout has no place for a second file: use --source-map inline');
  const math = choice('math', values.math, ['fast', 'exact']);
  const options: CliOptions = {
    files,
    ...(output === undefined ? {} : { output }),
    dtype: choice('dtype', values.dtype, ['f32', 'f64']),
    emit: choice('emit', values.emit, emissions),
    ...(print === undefined ? {} : { print }),
    without: values['no-pass'] ?? [],
    ...(math === 'fast' ? {} : { math }),
    timing,
    checks,
    trace,
    inference,
    standalone,
    ...(sourceMap === undefined ? {} : { sourceMap: choice('source-map', sourceMap, sourceMapKinds) }),
    check,
    watch,
    stdout,
    json,
  };
  return { kind: 'compile', options };
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

function once(name: string, values: readonly string[] = []): string | undefined {
  if (values.length > 1) throw new UsageError(`--${name} was given more than once`);
  if (values[0] === '') throw new UsageError(`--${name} needs a value`);
  return values[0];
}
