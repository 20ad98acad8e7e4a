/** `compile FILE...`: exit code 0, 1 (a model is wrong, or a file is stale), 2 (the call is wrong, or a file is). */
import { VERSION } from '../version.ts';
import { FileError, help, parseCall, UsageError } from './options.ts';

try {
  const call = parseCall(process.argv.slice(2));
  if (call.kind === 'help') process.stdout.write(help);
  else if (call.kind === 'version') process.stdout.write(`chainrule ${VERSION}\n`);
  else {
    const { run } = await import('./run.ts');
    process.exitCode = await run(call.options);
  }
} catch (error) {
  if (!(error instanceof UsageError || error instanceof FileError)) throw error;
  const hint = error instanceof UsageError ? 'See compile --help.\n' : '';
  process.stderr.write(`compile: ${error.message}\n${hint}`);
  process.exitCode = 2;
}
