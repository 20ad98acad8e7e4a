/** `compile FILE...`: exit code 0, 1 (a model is wrong, or a file is stale), 2 (the call is wrong, or a file is). */
import { VERSION } from '../version.ts';
import { FileError, help, parseCall, UsageError } from './options.ts';
import { subcommandHelp, subcommandOf } from './subcommands.ts';

const words = process.argv.slice(2);
const subcommand = subcommandOf(words[0]);
try {
  if (subcommand !== undefined) process.exitCode = await subcommand.run(words.slice(1));
  else await compileFiles();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof FileError)) throw error;
  const called = subcommand === undefined ? 'compile' : `compile ${words[0]}`;
  const hint = error instanceof UsageError ? `See ${called} --help.\n` : '';
  process.stderr.write(`${called}: ${error.message}\n${hint}`);
  process.exitCode = 2;
}

async function compileFiles(): Promise<void> {
  const call = parseCall(words);
  if (call.kind === 'help') process.stdout.write(`${help}${subcommandHelp()}`);
  else if (call.kind === 'version') process.stdout.write(`chainrule ${VERSION}\n`);
  else {
    const { run } = await import('./run.ts');
    process.exitCode = await run(call.options);
  }
}
