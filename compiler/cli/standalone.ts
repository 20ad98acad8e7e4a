/** The runtime's own text, to be put into a module that shall import nothing. */
import { readFileSync } from 'node:fs';

/** The files that training and prediction need, classes after those that they need. */
const FILES = [
  'types',
  'math',
  'random',
  'errors',
  'ports',
  'initialize',
  'orthogonal',
  'callback',
  'options',
  'session',
  'engine',
  'engine-of',
  'named',
  'evaluate',
  'evaluate-metrics',
  'batches',
  'weights',
  'plan',
  'fit',
  'snapshot',
  'loading',
  'report/options',
  // a module that imports nothing has no files either
  'files-browser',
  'trainer',
  'predictor',
] as const;

/** What only some modules need, by the flag. */
const EXTRAS = { checks: ['check-error', 'checks'], trace: ['trace'] } as const;

/** All of it in one module: the files one after another, without their imports and exports. */
export function runtimeText(extras: readonly (keyof typeof EXTRAS)[] = []): string {
  // The sources lie beside both compiler/cli/ and dist/compiler/cli/.
  const folders = ['../../runtime/', '../../../runtime/'];
  const texts = [...FILES, ...extras.flatMap((extra) => EXTRAS[extra])].map((name) => {
    for (const folder of folders) {
      try {
        return readFileSync(new URL(`${folder}${name}.ts`, import.meta.url), 'utf8');
      } catch {
        continue;
      }
    }
    throw new Error(`the runtime's source ${name}.ts is missing from this installation`);
  });
  return texts.map(withoutModuleSyntax).join('\n');
}

function withoutModuleSyntax(text: string): string {
  return text.replaceAll(/^import [^;]*;\n/gm, '').replaceAll(/^export (?=\w)/gm, '');
}
