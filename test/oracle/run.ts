/**
 * The oracle as a program:  npm run oracle -- [DIR] [--only TOPIC] [--no-pass NAME]... [--dtype f32] [--math exact]
 * Compiles and runs every reference case of a folder (by default the copy beside this file) and compares within the
 * case's tolerance. TOPIC is a family (`ops`), a topic (`ops/loss`), or a case's name; NAME a pass or a choice of the
 * schedule to leave out, or `all`: every one of them by turns. In float32 the cases are held to 1e-4; weights whose gradient
 * is only float32's rounding are excused under Adam, named and counted (float32.ts). Exit code 1 where a case fails.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { switchable } from '../../compiler/index.ts';
import { loadCases } from './cases.ts';
import { checkCase } from './check.ts';
import { inFloat32 } from './float32.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    'no-pass': { type: 'string', multiple: true, default: [] },
    dtype: { type: 'string', default: 'f64' },
    math: { type: 'string', default: 'fast' },
  },
});
for (const [option, known] of [
  ['dtype', ['f64', 'f32']],
  ['math', ['fast', 'exact']],
] as const)
  if (!known.some((value) => value === values[option]))
    throw new Error(`--${option} is ${known.join(' or ')}, not '${values[option]}'`);
const directory = positionals[0] ?? fileURLToPath(new URL('.', import.meta.url));

const cases = loadCases(directory)
  .filter((of) => {
    const names = [of.family, of.topic, `${of.family}/${of.topic}`, of.name, `${of.family}/${of.name}`];
    return values.only === undefined || values.only.some((only) => names.includes(only));
  })
  .map((of) => (values.dtype === 'f32' ? inFloat32(of) : of));

const math = values.math === 'exact' ? ({ math: 'exact' } as const) : {};

async function checkAll(without: readonly string[]): Promise<void> {
  const count = { passed: 0, failed: 0, unsupported: 0 };
  let excused = 0;
  for (const of of cases) {
    const verdict = await checkCase(of, { without: new Set(without), ...math });
    count[verdict.kind]++;
    if (verdict.kind === 'passed' && verdict.excused !== undefined) {
      excused += verdict.excused.length;
      console.log(`excused      ${of.family}/${of.name}  ${verdict.excused.join(' ')}`);
    }
    if (verdict.kind === 'failed')
      console.log(`failed       ${of.family}/${of.name}  ${verdict.problems.slice(0, 3).join('; ')}`);
    if (verdict.kind === 'unsupported') console.log(`unsupported  ${of.family}/${of.name}  ${verdict.why}`);
  }
  const noise = excused === 0 ? '' : `, ${excused} weights excused: their gradient is only rounding`;
  const how = without.length === 0 ? '' : `  without ${without.join(', ')}`;
  console.log(
    `${count.passed} passed, ${count.failed} failed, ${count.unsupported} unsupported${noise}${how}`,
  );
  if (count.failed > 0) process.exitCode = 1;
}

const given = values['no-pass'];
for (const name of given)
  if (name !== 'all' && !switchable.includes(name))
    throw new Error(`there is no pass '${name}' to leave out`);
if (given.includes('all')) for (const name of switchable) await checkAll([name]);
else await checkAll(given);
