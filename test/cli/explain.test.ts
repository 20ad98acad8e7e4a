/** `compile explain`, as a process: what it writes, prints, and ends with. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const compiler = fileURLToPath(new URL('../../bin/compile.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-explain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = `model Line {
  input x[n]
  input t[n]
  param w ~ ones
  output y[n] = w * x[n]
  loss = mean[n]((y[n] - t[n])^2)
}
`;

beforeAll(() => {
  writeFileSync(join(folder, 'line.dsl'), line);
  writeFileSync(join(folder, 'wrong.dsl'), line.replace('w * x[n]', 'v * x[n]'));
  writeFileSync(join(folder, 'pair.dsl'), `${line}${line.replace('Line', 'Other')}`);
});

function explain(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [compiler, 'explain', ...words], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  return new Promise((done) => child.on('close', (code) => done({ code, stdout, stderr })));
}

describe('compile explain', () => {
  it('writes NAME.explain.html, leaves it alone when nothing changed, and says so', async () => {
    expect(await explain('line.dsl')).toEqual({ code: 0, stdout: 'line.explain.html\n', stderr: '' });
    expect(readFileSync(join(folder, 'line.explain.html'), 'utf8')).toMatch(
      /^<!doctype html>[^]*<math[^]*<\/html>\n$/,
    );
    expect((await explain('line.dsl')).stdout).toBe('line.explain.html (unchanged)\n');
  });

  it('writes Markdown with LaTeX, one file a model, to the folder that is named', async () => {
    const { code, stdout } = await explain('pair.dsl', '--format', 'markdown', '-o', 'pages');
    expect(code).toBe(0);
    expect(stdout).toBe(
      `${join('pages', 'pair.Line.explain.md')}\n${join('pages', 'pair.Other.explain.md')}\n`,
    );
    expect(readFileSync(join(folder, 'pages/pair.Line.explain.md'), 'utf8')).toContain(
      '```math\n\\frac{\\partial y_{n}}{\\partial w} = x_{n}\n```',
    );
  });

  it('prints with --stdout, in the type of --dtype', async () => {
    const { code, stdout } = await explain('line.dsl', '--stdout', '--format', 'markdown', '--dtype', 'f64');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Line, explained\n/);
    expect(stdout).toContain('Float64Array');
    expect(stdout).not.toContain('Float32Array');
  });

  it('reports a wrong model as compile does: exit code 1, and no page', async () => {
    const { code, stdout, stderr } = await explain('wrong.dsl');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('wrong.dsl:5:17');
    expect(existsSync(join(folder, 'wrong.explain.html'))).toBe(false);
  });

  it('explains itself', async () => {
    const { code, stdout } = await explain('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: compile explain FILE\.\.\. \[options\]\n/);
  });

  it.each([
    [['line.dsl', '--format', 'pdf'], "--format is one of html, markdown, not 'pdf'"],
    [[], 'which file? compile explain FILE...'],
    [['line.dsl', '--watch'], "Unknown option '--watch'"],
    [['line.dsl', join('pages', 'line.dsl')], 'would be written to one page'],
    [['line.dsl', '--no-pass', 'nest2'], "there is no pass 'nest2' to leave out"],
    [['none.dsl'], 'cannot read none.dsl: there is no such file'],
  ])('%j: exit code 2', async (words, message) => {
    const { code, stderr } = await explain(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(`compile explain: `);
    expect(stderr).toContain(message);
  });
});
