/**
 * The oracle as a program:  npm run oracle -- [DIR] [--only TOPIC]
 * Compiles and runs every reference case of a folder (by default the copy beside this file) and compares within the
 * case's tolerance. TOPIC is a family (`ops`), a topic (`ops/loss`), or a case's name. Exit code 1 where a case fails.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCases } from './cases.ts';
import { checkCase } from './check.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true } },
});
const directory = positionals[0] ?? fileURLToPath(new URL('.', import.meta.url));

const count = { passed: 0, failed: 0, unsupported: 0 };
for (const of of loadCases(directory)) {
  const names = [of.family, of.topic, `${of.family}/${of.topic}`, of.name, `${of.family}/${of.name}`];
  if (values.only !== undefined && !values.only.some((only) => names.includes(only))) continue;
  const verdict = await checkCase(of);
  count[verdict.kind]++;
  if (verdict.kind === 'failed')
    console.log(`failed       ${of.family}/${of.name}  ${verdict.problems.slice(0, 3).join('; ')}`);
  if (verdict.kind === 'unsupported') console.log(`unsupported  ${of.family}/${of.name}  ${verdict.why}`);
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.unsupported} unsupported`);
process.exitCode = count.failed > 0 ? 1 : 0;
