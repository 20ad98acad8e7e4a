/** `compile check`, as a process: what it prints, and what it ends with. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../runtime/formats/npz.ts';

const compiler = fileURLToPath(new URL('../../bin/compile.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files: Readonly<Record<string, string | Uint8Array>> = {
  'line.dsl': `model Line {
  input x[n, 2]
  input kind[n]: 3
  param w[2] ~ ones
  loss = mean[n]((sum[i](w[i] * x[n, i]) - kind[n])^2)
}
`,
  'no-loss.dsl': 'model None {\n  input x[n]\n  output y[n] = 2 * x[n]\n}\n',
  'rows.csv': 'kind,x[0],x[1]\n0,0.5,1\n2,0.25,-1\n1,2,3\n',
  'gap.csv': 'kind,x[0]\n0,1\n1,2\n',
  'rows.json': '{ "x": [[0.5, 1], [0.25, -1]], "kind": [0, 2] }',
  'wrong.json': '{ "x": [[0.5, 1], [0.25]], "king": [0, 7] }',
  'columns.json': '{ "x": [[0.5, 1, 2, 3], [0.25, -1, 2, 3]], "kind": [0, 1, 2, 0] }',
  'columns.npz': writeNpz({
    x: { shape: [4, 1], data: Float64Array.of(1, 2, 3, 4) },
    kind: { shape: [2], data: Int32Array.of(1, 0) },
  }),
  'range.json': '{ "x": [[0.5, 1]], "kind": [7] }',
  'words.json': '{ "x": ["a"], "kind": [1] }',
  'rows.npz': writeNpz({
    x: { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) },
    kind: { shape: [2], data: Int32Array.of(1, 0) },
  }),
};
beforeAll(() => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function check(...words: readonly string[]): Promise<Ended> {
  const { FORCE_COLOR: _, ...environment } = process.env;
  const child = spawn(process.execPath, [compiler, 'check', ...words], { cwd: folder, env: environment });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  return new Promise((done) => child.on('close', (code) => done({ code, stdout, stderr })));
}

describe('compile check', () => {
  it('prints a row for each parameter and ends with 0', async () => {
    const { code, stdout, stderr } = await check('line.dsl');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Line: random data, normal, 37 rows, 3 directions a parameter, seed 1, loss /);
    expect(stdout).toMatch(/^ {2}w +\[2\] .* ok$/m);
    expect(stdout).toMatch(/Line: the gradient is right \(1 parameter, 2 numbers\)\n$/);
    expect(code).toBe(0);
  });

  it.each([
    ['rows.csv', 3],
    ['rows.json', 2],
    ['rows.npz', 2],
  ] as const)('takes data from %s', async (name, rows) => {
    const { code, stdout } = await check('line.dsl', '--data', name, '--json');
    expect(code).toBe(0);
    const [{ reports }] = JSON.parse(stdout) as [{ reports: { rows: number; data: string; ok: boolean }[] }];
    expect(reports).toMatchObject([{ rows, data: `the first rows of ${name}`, ok: true }]);
  });

  it('reports every mistake of the data at its input: exit code 1', async () => {
    const { code, stderr } = await check('line.dsl', '--data', 'wrong.json');
    expect(code).toBe(1);
    expect(stderr).toContain('error[E803]: wrong.json: x[1] has 1 number, x[0] has 2 numbers');
    expect(stderr).toContain("error[E803]: wrong.json: input 'kind' is missing");
    expect(stderr).toContain("error[E803]: wrong.json: there is no input 'king'");
    expect(stderr).toContain("hint: did you mean 'kind'?");
    const range = await check('line.dsl', '--data', 'range.json');
    expect(range.code).toBe(1);
    expect(range.stderr).toContain('must hold whole numbers from 0 to 2; found 7');
    const words = await check('line.dsl', '--data', 'words.json');
    expect(words.code).toBe(1);
    expect(words.stderr).toContain(`words.json: 'x' holds "a", which is no number`);
  });

  it('does not take numbers that are laid out otherwise than the input', async () => {
    const nested = await check('line.dsl', '--data', 'columns.json');
    expect(nested.code).toBe(1);
    expect(nested.stderr).toContain("error[E803]: columns.json: input 'x' has the shape [2, 4]");
    expect(nested.stderr).toContain('hint: give an array named x with the shape [rows, 2]');
    const table = await check('line.dsl', '--data', 'gap.csv');
    expect(table.stderr).toContain("error[E803]: gap.csv: input 'x' has the shape [2, 1]");
    const tensor = await check('line.dsl', '--data', 'columns.npz');
    expect(tensor.stderr).toContain("error[E803]: columns.npz: input 'x' has the shape [4, 1]");
  });

  it('has nothing to check without a loss: exit code 1', async () => {
    const { code, stderr } = await check('no-loss.dsl');
    expect(code).toBe(1);
    expect(stderr).toContain('error[E804]: model None has no loss, so there is no gradient to check');
  });

  it('ends with 2 where the call is wrong', async () => {
    const calls = [
      [],
      ['missing.dsl'],
      ['line.dsl', '--rows', 'x'],
      ['line.dsl', '--data', 'rows.xls'],
      ['line.dsl', '--data', 'none.csv'],
    ];
    const ended = await Promise.all(calls.map((words) => check(...words)));
    expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(ended.map(({ stderr }) => stderr.split('\n')[0])).toEqual([
      'compile check: which file? compile check FILE...',
      'compile check: cannot read missing.dsl: there is no such file',
      "compile check: --rows is a whole number from 1, not 'x'",
      "compile check: --data reads .csv, .json, .npz, .safetensors, not 'rows.xls'",
      'compile check: cannot read none.csv: there is no such file',
    ]);
  });

  it('explains itself', async () => {
    const { code, stdout } = await check('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: compile check FILE... [options]');
  });
});
