/**
 * Packs a folder of reference cases into one bundle per family:  node --import tsx test/oracle/pack.ts DIR
 * The bundles stand beside this file; `verification` and other words for the generator's own use are left out.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CaseDescription, PackedCase } from './cases.ts';

const KEPT = [
  'name',
  'family',
  'topic',
  'op',
  'description',
  'formulas',
  'dims',
  'dtype',
  'hyper',
  'scalars',
  'tolerance',
  'tensors',
];

const directory = process.argv[2];
if (directory === undefined) throw new Error('which folder?');
for (const family of readdirSync(directory).filter((name) => statSync(join(directory, name)).isDirectory())) {
  const cases = readdirSync(join(directory, family))
    .toSorted()
    .map((name): PackedCase => {
      const folder = join(directory, family, name);
      const whole = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as CaseDescription;
      const kept = Object.fromEntries(Object.entries(whole).filter(([key]) => KEPT.includes(key)));
      const files = whole.tensors.map(({ file }) => [
        file,
        readFileSync(join(folder, file)).toString('base64'),
      ]);
      return { case: kept as unknown as CaseDescription, files: Object.fromEntries(files) };
    });
  const bundle = gzipSync(JSON.stringify(cases), { level: 9 });
  writeFileSync(new URL(`./${family}.json.gz`, import.meta.url), bundle);
  console.log(`${family}: ${cases.length} cases, ${bundle.length} bytes`);
}
