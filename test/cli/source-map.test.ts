/** `--source-map` on the command line: which files, what they are called, when they are stale. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

const compiler = fileURLToPath(new URL('../../bin/compile.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-maps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = `model Line {
  input x[n]
  param w ~ ones
  output y[n] = w * x[n]
  loss = mean[n](y[n]^2)
  train { optimizer: sgd(rate = 0.1), batch: 4 }
}
`;
const path = (...parts: string[]): string => join(folder, ...parts);
const text = (...parts: string[]): string => readFileSync(path(...parts), 'utf8');

beforeAll(() => {
  mkdirSync(path('models #1'));
  writeFileSync(path('models #1/line.dsl'), line);
  writeFileSync(path('line.dsl'), line);
  writeFileSync(path('pair.dsl'), line.replace('Line', 'First') + line.replace('Line', 'Second'));
});

function compile(...words: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

interface Map {
  readonly file: string;
  readonly sources: string[];
  readonly sourcesContent: string[];
}

/** What the last line of a module says of its map. */
const urlIn = (module: string): string => /\n\/\/# sourceMappingURL=(\S+)\n$/.exec(module)?.[1] ?? '';

it('file: the map beside the module, which names it; sources as seen from there, with their text', () => {
  expect(compile('models #1/line.dsl', '-o', 'src/generated', '--source-map', 'file')).toEqual({
    code: 0,
    stdout: 'src/generated/line.ts\nsrc/generated/line.ts.map\n',
    stderr: '',
  });
  const module = text('src/generated/line.ts');
  expect(urlIn(module)).toBe('line.ts.map');
  const map = JSON.parse(text('src/generated/line.ts.map')) as Map;
  expect(map).toMatchObject({ version: 3, file: 'line.ts', sourcesContent: [line], names: [] });
  expect(map.sources).toEqual(['../../models%20%231/line.dsl']);
  const found = new TraceMap(JSON.stringify(map), `file://${path('src/generated/line.ts.map')}`);
  expect(decodeURIComponent(found.resolvedSources[0]!)).toBe(`file://${path('models #1/line.dsl')}`);
  const lines = module.split('\n');
  const head = lines.findIndex((each) => each.startsWith('export function forward'));
  expect(originalPositionFor(found, { line: head + 1, column: 0 }).line).toBe(4);
});

it('inline: the same map in the last line of the module, and no other file', () => {
  compile('line.dsl', '-o', 'inline', '--source-map', 'inline');
  compile('line.dsl', '-o', 'beside', '--source-map', 'file');
  compile('line.dsl', '-o', 'without');
  expect(readdirSync(path('inline'))).toEqual(['line.ts']);
  const [start, encoded = ''] = urlIn(text('inline/line.ts')).split(',');
  expect(start).toBe('data:application/json;base64');
  expect(Buffer.from(encoded, 'base64').toString()).toBe(text('beside/line.ts.map'));
  const plain = text('without/line.ts');
  expect(text('beside/line.ts')).toBe(`${plain}//# sourceMappingURL=line.ts.map\n`);
  expect(text('inline/line.ts').startsWith(plain)).toBe(true);
});

it('each model of a file has a map, and --inference and --standalone have theirs', () => {
  compile('pair.dsl', '-o', 'pair', '--source-map', 'file', '--inference', '--standalone');
  const names = ['First', 'Second'].map((model) => `pair.${model}.inference.ts`);
  expect(readdirSync(path('pair')).toSorted()).toEqual(names.flatMap((name) => [name, `${name}.map`]));
  for (const name of names) expect(urlIn(text('pair', name))).toBe(`${name}.map`);
});

it('--check: a stale map is stale', () => {
  const words = ['line.dsl', '-o', 'checked', '--source-map', 'file'];
  compile(...words);
  expect(compile(...words, '--check').code).toBe(0);
  const map = path('checked/line.ts.map');
  const fresh = readFileSync(map, 'utf8');
  writeFileSync(map, fresh.replace('"mappings":"', '"mappings":";'));
  expect(compile(...words, '--check')).toEqual({
    code: 1,
    stdout: 'checked/line.ts.map is stale\n',
    stderr: '',
  });
  rmSync(map);
  expect(compile(...words, '--check').code).toBe(1);
  expect(compile('line.dsl', '-o', 'checked', '--check').stdout).toContain(
    '-//# sourceMappingURL=line.ts.map',
  );
});

it('--json names both files', () => {
  const { stdout } = compile('line.dsl', '-o', 'named', '--source-map', 'file', '--json');
  const [report] = JSON.parse(stdout) as [{ outputs: object[] }];
  expect(report.outputs).toEqual([
    { path: join('named', 'line.ts'), state: 'written', stale: false },
    { path: join('named', 'line.ts.map'), state: 'written', stale: false },
  ]);
});

it('--stdout prints a module with its map in it', () => {
  const { stdout } = compile('line.dsl', '--stdout', '--source-map', 'inline');
  expect(urlIn(stdout)).toMatch(/^data:application\/json;base64,/);
});

it.each([
  [['--stdout', '--source-map', 'file'], '--stdout has no place for a second file: use --source-map inline'],
  [
    ['--emit', 'dot', '--source-map', 'file'],
    '--source-map is for TypeScript: it maps a module to its model',
  ],
  [
    ['--print', 'share', '--source-map', 'file'],
    '--source-map is for TypeScript: it maps a module to its model',
  ],
  [['--source-map', 'both'], "--source-map is one of file, inline, not 'both'"],
])('%j is a wrong call', (words, message) => {
  expect(compile('line.dsl', ...words)).toEqual({
    code: 2,
    stdout: '',
    stderr: `compile: ${message}\nSee compile --help.\n`,
  });
});

it('--watch writes both again', async () => {
  writeFileSync(path('watched.dsl'), line);
  const words = [compiler, 'watched.dsl', '-o', 'watched', '--watch', '--source-map', 'file'];
  const child = spawn(process.execPath, words, { cwd: folder });
  try {
    let told = '';
    child.stderr.on('data', (data) => (told += data));
    await vi.waitFor(() => expect(told).toContain('watching'), 30_000);
    writeFileSync(path('watched.dsl'), `// one line more\n${line}`);
    await vi.waitFor(() => expect(text('watched/watched.ts.map')).toContain('one line more'), 30_000);
  } finally {
    child.kill();
  }
}, 70_000);
