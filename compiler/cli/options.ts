/** The command line's words, checked. */
import { cac } from 'cac';

export const emissions = ['ts', 'dsl', 'gradient', 'latex', 'mermaid', 'dot'] as const;
export type Emission = (typeof emissions)[number];

export interface CliOptions {
  readonly files: readonly string[];
  readonly output?: string;
  readonly dtype: 'f32' | 'f64';
  readonly emit: Emission;
  readonly print?: string;
  readonly standalone: boolean;
  readonly check: boolean;
  readonly watch: boolean;
  readonly stdout: boolean;
  readonly json: boolean;
}

/** The call is wrong: exit code 2. */
export class UsageError extends Error {}

/** What the words ask for; undefined where they only asked for help or the version, which has been printed. */
export function parseCall(words: readonly string[], version: string): CliOptions | undefined {
  const program = cac('compile');
  let options: CliOptions | undefined;
  program
    .command('[...files]', 'Compile models to TypeScript that trains them')
    .option('-o, --output <dir>', 'Folder to write to (default: generated, for TypeScript)')
    .option('--dtype <type>', 'Element type of all real arrays: f32 or f64', { default: 'f32' })
    .option('--emit <what>', `What to make: ${emissions.join(', ')}`, { default: 'ts' })
    .option('--print <pass>', 'Print the program after a pass, in the language ("list" names the passes)')
    .option('--standalone', 'Put the runtime into the module: no imports at all')
    .option('--check', 'Write nothing; exit with 1 and the difference where a file is stale')
    .option('--watch', 'Compile again whenever a file changes')
    .option('--stdout', 'Print instead of writing')
    .option('--json', 'Report as JSON on standard output')
    .example('compile model.dsl -o src/generated')
    .action((files: string[], given: Record<string, unknown>) => {
      options = checkOptions(files, given);
    });
  program.help();
  program.version(version);
  try {
    const { options: parsed } = program.parse(['node', 'compile', ...words], { run: false });
    if (parsed['help'] === true || parsed['version'] === true) return undefined;
    program.runMatchedCommand();
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(error instanceof Error ? error.message : String(error));
  }
  return options;
}

function checkOptions(files: readonly string[], given: Record<string, unknown>): CliOptions {
  const choice = <T extends string>(name: string, among: readonly T[]): T => {
    const value = String(given[name]);
    if (among.includes(value as T)) return value as T;
    throw new UsageError(`--${name} is one of ${among.join(', ')}, not '${value}'`);
  };
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value)) throw new UsageError(`--${name} was given more than once`);
    return String(value);
  };
  if (files.length === 0 && given['print'] !== 'list') throw new UsageError('which file? compile FILE...');
  const emit = choice('emit', emissions);
  const output = text('output');
  const print = text('print');
  const flags = {
    standalone: given['standalone'] === true,
    check: given['check'] === true,
    watch: given['watch'] === true,
    stdout: given['stdout'] === true,
    json: given['json'] === true,
  };
  if (flags.check && flags.watch) throw new UsageError('--check and --watch exclude each other');
  if (flags.check && (flags.stdout || print !== undefined))
    throw new UsageError('--check compares files: it prints no program');
  return {
    files,
    ...(output === undefined ? {} : { output }),
    dtype: choice('dtype', ['f32', 'f64']),
    emit,
    ...(print === undefined ? {} : { print }),
    ...flags,
  };
}
