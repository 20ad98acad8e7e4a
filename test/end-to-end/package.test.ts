/** The package as a user meets it: packed, installed in a TypeScript project elsewhere, compiled with, trained with. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const user = mkdtempSync(join(tmpdir(), 'chainrule-user-'));
const run = (command: string, ...words: string[]): string =>
  execFileSync(command, words, { cwd: user, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  execFileSync('npm', ['pack', '--pack-destination', user], { cwd: root, stdio: 'pipe' });
  const tarball = readdirSync(user).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true, "type": "module" }');
  run('npm', 'install', `./${tarball}`, '--no-audit', '--no-fund', '--prefer-offline');
  cpSync(join(root, 'examples/xor/xor.dsl'), join(user, 'model.dsl'));
}, 180_000);
afterAll(() => rmSync(user, { recursive: true, force: true }));

describe('the packed package, in a project elsewhere', () => {
  it('compiles, type-checks under the strictest settings, and trains', () => {
    run('npx', '--no-install', 'compile', 'model.dsl', '-o', 'src/generated');
    writeFileSync(
      join(user, 'src/main.ts'),
      `import { createTrainer } from './generated/model.js';

const data = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 1, 1, 0] };
const trainer = createTrainer({ seed: 1 });
const { history } = await trainer.fit(data);
const output: Float32Array = trainer.predict({ x: data.x }).a;
console.log(JSON.stringify({ first: history['loss']?.[0], output: Array.from(output, Math.round) }));
`,
    );
    writeFileSync(
      join(user, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'DOM'],
          module: 'NodeNext',
          strict: true,
          noUncheckedIndexedAccess: true,
          exactOptionalPropertyTypes: true,
          noUnusedLocals: true,
          noUnusedParameters: true,
          noImplicitReturns: true,
          noPropertyAccessFromIndexSignature: true,
          verbatimModuleSyntax: true,
          erasableSyntaxOnly: true,
          isolatedModules: true,
          types: [],
          rootDir: 'src',
          outDir: 'out',
        },
        include: ['src'],
      }),
    );
    run(process.execPath, tsc);
    const { first, output } = JSON.parse(run(process.execPath, 'out/main.js')) as {
      first: number;
      output: number[];
    };
    expect(first).toBeGreaterThan(0.5);
    expect(output).toEqual([0, 1, 1, 0]);
  });

  it('reads data and computes metrics', () => {
    writeFileSync(join(user, 'table.csv'), 'a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n');
    writeFileSync(
      join(user, 'src/main.ts'),
      `import { fitStandardiser, split } from 'chainrule/data';
import { auc } from 'chainrule/metrics';
import { readCsvFile } from 'chainrule/node';

const { data, rows } = readCsvFile('table.csv', { reals: { x: ['a', 'b'] }, categories: { kind: 'kind' } });
const { train, test } = split(data, rows, { train: 0.5, test: 0.5, stratify: 'kind', seed: 1 });
const x: Float32Array = fitStandardiser(train.x, 2).apply(test.x);
const kind: Int32Array = test.kind;
console.log(JSON.stringify({ length: x.length, kinds: [...kind].sort(), area: auc([0.1, 0.9], [0, 1]) }));
`,
    );
    run(process.execPath, tsc);
    expect(JSON.parse(run(process.execPath, 'out/main.js'))).toEqual({ length: 4, kinds: [0, 1], area: 1 });
  });

  it('makes a module that imports nothing', () => {
    run('npx', '--no-install', 'compile', 'model.dsl', '--standalone', '-o', 'alone/src');
    mkdirSync(join(user, 'alone'), { recursive: true });
    writeFileSync(
      join(user, 'alone/src/main.ts'),
      `import { createTrainer } from './model.js';
console.log(createTrainer().trainOnBatch({ x: [0, 1], y: [1] })['loss']);
`,
    );
    run(
      process.execPath,
      tsc,
      '--strict',
      '--noUncheckedIndexedAccess',
      '--target',
      'ES2022',
      '--module',
      'NodeNext',
      '--lib',
      'ES2023,DOM',
      '--types',
      '',
      '--outDir',
      'alone/out',
      'alone/src/main.ts',
      '--ignoreConfig',
    );
    rmSync(join(user, 'node_modules'), { recursive: true, force: true });
    expect(Number(run(process.execPath, 'alone/out/main.js'))).toBeGreaterThan(0.3);
  });
});
