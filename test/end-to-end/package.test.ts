/** The package as a user meets it: packed, installed in a TypeScript project elsewhere, compiled with, trained with. */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packInto } from '../support/packed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const user = mkdtempSync(join(tmpdir(), 'chainrule-user-'));
const run = (command: string, ...words: string[]): string =>
  execFileSync(command, words, { cwd: user, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  const tarball = packInto(user);
  writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true, "type": "module" }');
  run('npm', 'install', tarball, '--no-audit', '--no-fund', '--prefer-offline');
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

  it('saves and loads files', () => {
    writeFileSync(
      join(user, 'src/files.ts'),
      `import { readNpz } from 'chainrule/formats';
import { loadWeights, saveCheckpoint, type LoadReport } from 'chainrule/node';
import { createTrainer } from './generated/model.js';

const trainer = createTrainer({ seed: 1 });
await trainer.save('weights.npz');
await saveCheckpoint(trainer, 'training.ckpt');
const other = createTrainer({ seed: 2 });
const report: LoadReport = await loadWeights(other, 'weights.npz', { map: {} });
await other.load('training.ckpt');
console.log(JSON.stringify([report.loaded, typeof readNpz, other.getWeights()['W1'], trainer.getWeights()['W1']]));
`,
    );
    run(process.execPath, tsc);
    const [loaded, kind, found, expected] = JSON.parse(run(process.execPath, 'out/files.js')) as unknown[];
    expect([loaded, kind]).toEqual([['W1', 'b1', 'W2', 'b2'], 'function']);
    expect(found).toEqual(expected);
  });

  it('makes a bundle for pages that has no code for files in it', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { createTrainer } from './out/generated/model.js';
await createTrainer().save('w.npz').catch((error) => console.log(error.name + ': ' + error.message));`,
        resolveDir: user,
      },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const text = outputFiles[0]!.text;
    expect(text).not.toMatch(/node:|fflate|inflate/);
    writeFileSync(join(user, 'page.mjs'), text);
    expect(run(process.execPath, 'page.mjs')).toMatch(
      /^DataError: w.npz is out of reach, there are no files here/,
    );
  });

  it('makes a module that imports nothing', () => {
    run('npx', '--no-install', 'compile', 'model.dsl', '--standalone', '-o', 'alone/src');
    mkdirSync(join(user, 'alone'), { recursive: true });
    writeFileSync(
      join(user, 'alone/src/main.ts'),
      `import { createTrainer, getTraining, setTraining } from './model.js';
const trainer = createTrainer();
console.log(trainer.trainOnBatch({ x: [0, 1], y: [1] })['loss']);
const other = createTrainer({ seed: 2 });
setTraining(other, getTraining(trainer));
console.log(other.step, String(other.getWeights()['W1']) === String(trainer.getWeights()['W1']));
trainer.save('w.npz').catch((error: Error) => console.log(error.message));
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
    const [loss, copied, refusal] = run(process.execPath, 'alone/out/main.js').split('\n');
    expect(Number(loss)).toBeGreaterThan(0.3);
    expect(copied).toBe('1 true');
    expect(refusal).toMatch(/^w.npz is out of reach, there are no files here/);
  });
});
