/** `compile FILE...`: exit code 0, 1 (the model is wrong, or a file is stale), 2 (the call is wrong). */
import { VERSION } from '../version.ts';
import { parseCall, UsageError } from './options.ts';

try {
  const options = parseCall(process.argv.slice(2), VERSION);
  if (options !== undefined) {
    const { run } = await import('./run.ts');
    process.exitCode = await run(options);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`compile: ${error.message}\nSee compile --help.\n`);
  process.exitCode = 2;
}
