/** The command line, as a process: what it writes, prints, and ends with. */
import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meanings, passNames, switchable, VERSION } from '../../compiler/index.ts';

const compiler = fileURLToPath(new URL('../../bin/compile.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = `model Line {
  input x[n]
  input t[n]
  param w ~ ones
  output y[n] = w * x[n]
  loss = mean[n]((y[n] - t[n])^2)
  train { optimizer: sgd(rate = 0.1), batch: 4 }
}
`;
const wrong = line.replace('w * x[n]', 'v * x[n]');

beforeAll(() => {
  writeFileSync(join(folder, 'line.dsl'), line);
  writeFileSync(join(folder, 'wrong.dsl'), wrong);
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function compile(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { FORCE_COLOR: _, NO_COLOR: __, ...plain } = process.env;
  const child = spawn(process.execPath, [compiler, ...words], {
    cwd: folder,
    env: { ...plain, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  return new Promise((done) => child.on('close', (code) => done({ code, stdout, stderr })));
}

describe('compile', () => {
  it('writes generated/NAME.ts, leaves it alone when nothing changed, and says so', async () => {
    const first = await compile(['line.dsl']);
    expect(first).toEqual({ code: 0, stdout: 'generated/line.ts\n', stderr: '' });
    const path = join(folder, 'generated/line.ts');
    const { mtimeMs } = statSync(path);
    expect((await compile(['line.dsl'])).stdout).toBe('generated/line.ts (unchanged)\n');
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(join(folder, 'generated'))).toEqual(['line.ts']);
  });

  it('--check: 0 where the file is fresh; 1 and the difference where it is stale; writes nothing', async () => {
    await compile(['line.dsl', '-o', 'checked']);
    expect((await compile(['line.dsl', '-o', 'checked', '--check'])).code).toBe(0);
    const path = join(folder, 'checked/line.ts');
    const stale = readFileSync(path, 'utf8').replace(
      'export function createTrainer',
      'export function makeOne',
    );
    writeFileSync(path, stale);
    const { code, stdout } = await compile(['line.dsl', '-o', 'checked', '--check']);
    expect(code).toBe(1);
    expect(stdout).toContain('-export function makeOne');
    expect(stdout).toContain('+export function createTrainer');
    expect(readFileSync(path, 'utf8')).toBe(stale);
  });

  it('a wrong model: the error underlined on standard error, exit code 1, nothing written', async () => {
    const { code, stdout, stderr } = await compile(['wrong.dsl', '-o', 'nowhere']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('error[E201]');
    expect(stderr).toContain('wrong.dsl:5:17');
    expect(stderr).not.toContain('\u001b[');
    expect(readdirSync(folder)).not.toContain('nowhere');
  });

  it('colours on request, and never with NO_COLOR', async () => {
    const [forced, refused] = await Promise.all([
      compile(['wrong.dsl'], { FORCE_COLOR: '1' }),
      compile(['wrong.dsl'], { FORCE_COLOR: '1', NO_COLOR: '1' }),
    ]);
    expect(forced.stderr).toContain('\u001b[');
    expect(refused.stderr).not.toContain('\u001b[');
  });

  it('--json: diagnostics and outputs as data', async () => {
    const [good, bad] = await Promise.all([
      compile(['line.dsl', '-o', 'json', '--json']),
      compile(['wrong.dsl', '--json']),
    ]);
    expect(JSON.parse(good.stdout)).toEqual([
      {
        file: 'line.dsl',
        diagnostics: [],
        outputs: [{ path: 'json/line.ts', state: 'written', stale: false }],
      },
    ]);
    const [report] = JSON.parse(bad.stdout) as [{ diagnostics: object[]; outputs: object[] }];
    expect(bad.code).toBe(1);
    expect(report.outputs).toEqual([]);
    expect(report.diagnostics[0]).toMatchObject({ code: 'E201', severity: 'error', line: 5, column: 17 });
  });

  it('--dtype f64, --stdout: the module on standard output, in float64', async () => {
    const { code, stdout } = await compile(['line.dsl', '--dtype', 'f64', '--stdout']);
    expect(code).toBe(0);
    expect(stdout).toContain("dtype: 'f64'");
    expect(stdout).not.toContain('Float32Array');
  });

  it.each([
    ['gradient', 'dw = '],
    ['dsl', 'output y[n] = w * x[n]'],
    ['latex', '\\begin{aligned}'],
    ['mermaid', 'flowchart'],
    ['dot', 'digraph'],
  ])('--emit %s prints', async (what, words) => {
    const { code, stdout } = await compile(['line.dsl', '--emit', what]);
    expect(code).toBe(0);
    expect(stdout).toContain(words);
  });

  it('--print PASS shows the program after a pass', async () => {
    const [shown, unknown, choice, absent] = await Promise.all([
      compile(['line.dsl', '--print', 'differentiate']),
      compile(['line.dsl', '--print', 'simplfy']),
      compile(['line.dsl', '--print', 'rows']),
      compile(['line.dsl', '--print', 'inference']),
    ]);
    expect(shown.stdout).toContain('dw');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/no pass 'simplfy' to print \(did you mean 'simplify'\?\).* elaborate, /);
    expect(choice.stderr).toContain('it is a choice of the schedule');
    expect(absent.stderr).toContain("the pass 'inference' does not run in this call");
  });

  it('--print PASS and --emit gradient name their files after what they print', async () => {
    const outputs = await Promise.all([
      compile(['line.dsl', '--print', 'simplify', '-o', 'printed']),
      compile(['line.dsl', '--print', 'schedule', '-o', 'printed']),
      compile(['line.dsl', '--emit', 'gradient', '-o', 'printed']),
    ]);
    expect(outputs.map(({ stdout }) => stdout.trim().replace('\\', '/'))).toEqual([
      'printed/line.simplify.dsl',
      'printed/line.schedule.txt',
      'printed/line.gradient.dsl',
    ]);
  });

  it('--print schedule shows the loops, with what is left out left out', async () => {
    const [plain, left] = await Promise.all([
      compile(['line.dsl', '--print', 'schedule', '--dtype', 'f64']),
      compile(['line.dsl', '--print', 'schedule', '--no-pass', 'rows']),
    ]);
    expect(plain.stdout).toContain('Schedule of Line: float64, bytes for n = 4.');
    expect(plain.stdout).toMatch(/^backward: \d+ steps?/m);
    expect(plain.stdout).toMatch(/^gradients: 8 bytes/m);
    expect(left.stdout).not.toMatch(/^ +rows: /m);
  });

  it('--print list names all passes and choices, and says what each does', async () => {
    const { stdout } = await compile(['--print', 'list']);
    for (const name of [...passNames, ...switchable]) {
      const [line = ''] = new RegExp(`^  ${name} .*$`, 'm').exec(stdout) ?? [];
      expect(line.slice(name.length + 2).trim(), name).toBe(meanings[name]);
    }
  });

  it('--no-pass leaves passes out; the module says so, and --check asks for the same', async () => {
    const left = ['line.dsl', '--no-pass', 'inline', '--no-pass', 'rows', '--math', 'exact', '-o', 'left'];
    await compile(left);
    const text = readFileSync(join(folder, 'left/line.ts'), 'utf8');
    expect(text).toContain(
      'compile it again, as it was with --no-pass inline --no-pass rows --math exact.\n',
    );
    expect((await compile([...left, '--check'])).code).toBe(0);
    const plain = await compile(['line.dsl', '-o', 'left', '--check']);
    expect(plain.code).toBe(1);
    expect(plain.stdout).toContain('- * Do not edit: change line.dsl and compile it again, as it was with');
    const printed = await compile(['line.dsl', '--no-pass', 'dead', '--print', 'dead']);
    expect(printed.stderr).toContain("the pass 'dead' does not run in this call");
  });

  it('--no-pass of an unknown name, or of what must be done, is refused', async () => {
    const [unknown, needed] = await Promise.all([
      compile(['line.dsl', '--no-pass', 'kernel']),
      compile(['line.dsl', '--no-pass', 'differentiate']),
    ]);
    expect([unknown.code, needed.code]).toEqual([2, 2]);
    expect(unknown.stderr).toContain(
      "there is no pass 'kernel' to leave out (did you mean 'kernels'?); those there are: stabilise, ",
    );
    expect(needed.stderr).toContain("the step 'differentiate' cannot be left out");
  });

  it('--timing: where the time goes, on standard error, or as data with --json', async () => {
    const [text, data] = await Promise.all([
      compile(['line.dsl', '-o', 'timed', '--timing']),
      compile(['line.dsl', '-o', 'timed-json', '--timing', '--json']),
    ]);
    expect(text.stdout).toBe('timed/line.ts\n');
    expect(text.stderr).toMatch(/^where the time went: line.dsl\n/);
    expect(data.stderr).toBe('');
    const [report] = JSON.parse(data.stdout) as [{ timing: { step: string; milliseconds: number }[] }];
    const steps = report.timing.map(({ step }) => step);
    const all = ['start', 'read', 'parse', 'imports', 'prelude', 'elaborate', 'simplify', 'differentiate'];
    expect(steps).toEqual(expect.arrayContaining([...all, 'schedule', 'emit', 'prettier', 'write']));
    expect(new Set(steps).size).toBe(steps.length);
    expect(report.timing.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
    expect(text.stderr).toMatch(/^  processor +[\d.]+ ms, all threads$/m);
    for (const step of [...steps, 'total'])
      expect(text.stderr).toMatch(new RegExp(`^  ${step} +[\\d.]+ ms +[\\d.]+ %$`, 'm'));
  });

  it('a wrong call: exit code 2 and what to do', async () => {
    const calls = [
      [],
      ['--dtype', 'f16', 'line.dsl'],
      ['--math', 'sloppy', 'line.dsl'],
      ['line.dsl', '--no-pass'],
      ['--bogus', 'line.dsl'],
      ['line.dsl', '--check', '--watch'],
      ['line.dsl', '--inference', '--emit', 'gradient'],
      ['line.dsl', '--checks', '--emit', 'gradient'],
      ['line.dsl', '--trace', '--emit', 'dsl'],
      ['line.dsl', '-o', ''],
      ['line.dsl', '-o', 'a', '-o', 'b'],
      ['line.dsl', './line.dsl'],
    ];
    for (const { code, stderr, stdout } of await Promise.all(calls.map((words) => compile(words)))) {
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain('See compile --help');
    }
  });

  it('a file that cannot be read or written: exit code 2 and why', async () => {
    const [missing, blocked] = await Promise.all([
      compile(['nothing.dsl']),
      compile(['line.dsl', '-o', 'line.dsl/inside']),
    ]);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toBe('compile: cannot read nothing.dsl: there is no such file\n');
    expect(blocked.code).toBe(2);
    expect(blocked.stderr).toContain('a part of its path is a file, not a folder');
  });

  it('takes folders and files by their letters: -o 007, files after --', async () => {
    expect((await compile(['-o', '007', '--', 'line.dsl'])).stdout).toBe('007/line.ts\n');
  });

  it('--checks and --trace look at values, also in a module that imports nothing', async () => {
    const words = ['line.dsl', '--checks', '--trace', '--standalone', '--stdout'];
    const { code, stdout } = await compile(words);
    expect(code).toBe(0);
    expect(stdout).toContain('class Checks {');
    expect(stdout).toContain('class Tracer<Name extends string> {');
    expect(stdout).toContain('export { getTraining, setTraining, CheckError, summarizeTrace };');
    expect(stdout).not.toMatch(/^import/m);
    expect((await compile(['line.dsl', '--standalone', '--stdout'])).stdout).not.toMatch(
      /CheckError|class Checks|class Tracer/,
    );
  });

  it('what may go wrong in training is a warning: exit code 0, and in the report of --json', async () => {
    writeFileSync(
      join(folder, 'edge.dsl'),
      'model Edge {\n  input x[n]\n  param w ~ 1\n  loss = mean[n](log(w * x[n]))\n}\n',
    );
    const { code, stdout } = await compile(['edge.dsl', '--json', '--stdout']);
    expect(code).toBe(0);
    expect(stdout).toContain('"code": "W705"');
    expect(stdout).toContain('"severity": "warning"');
  });

  it('--inference writes NAME.inference.ts, without training', async () => {
    const words = ['line.dsl', '--inference', '-o', 'inference'];
    expect((await compile(words)).stdout).toBe('inference/line.inference.ts\n');
    const text = readFileSync(join(folder, 'inference/line.inference.ts'), 'utf8');
    expect(text).toContain('export function createPredictor(');
    expect(text).not.toMatch(/loss|createTrainer/);
    expect(await compile([...words, '--check'])).toMatchObject({ code: 0, stdout: '' });
    const printed = await compile(['line.dsl', '--inference', '--print', 'inference']);
    expect(printed.stdout).toContain('output y[n] = w * x[n]');
    expect(printed.stdout).not.toContain('loss');
  });

  it('--help and --version', async () => {
    const [help, version] = await Promise.all([compile(['--help']), compile(['--version'])]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--inference');
    expect(help.stdout).toContain('--standalone');
    expect(version.stdout).toContain(VERSION);
  });

  it('--watch compiles again when the file changes, and with --timing says how long that took', async () => {
    const path = join(folder, 'watched.dsl');
    writeFileSync(path, line);
    const child = spawn(process.execPath, [compiler, 'watched.dsl', '-o', 'watched', '--watch', '--timing'], {
      cwd: folder,
    });
    let told = '';
    child.stderr.on('data', (data) => (told += data));
    const output = join(folder, 'watched/watched.ts');
    try {
      await waitFor(() => told.includes('watching watched.dsl'));
      expect(readFileSync(output, 'utf8')).toContain("name: 'Line'");
      writeFileSync(path, line.replaceAll('model Line', 'model Renamed'));
      await waitFor(() => readFileSync(output, 'utf8').includes("name: 'Renamed'"));
      await waitFor(() => told.split('watching').length === 3);
      const [cold = '', warm = ''] = told.split('watching');
      const total = (part: string): number => Number(/^ {2}total +([\d.]+) ms/m.exec(part)?.[1]);
      expect(cold).toMatch(/^ {2}start /m);
      expect(warm).toMatch(/^ {2}wait /m);
      expect(warm).not.toMatch(/^ {2}start /m);
      // ten times what is promised: the machine may be busy
      expect(total(warm)).toBeLessThan(1500);
      expect(total(cold)).toBeLessThan(10_000);
    } finally {
      child.kill();
    }
  });
});

describe('--watch', () => {
  it('loses no change that comes while another is compiled, in place or put in its place', async () => {
    const path = join(folder, 'twice-saved.dsl');
    const text = (name: string): string => line.replaceAll('model Line', `model ${name}`);
    writeFileSync(path, line);
    const child = spawn(process.execPath, [compiler, 'twice-saved.dsl', '-o', 'watched', '--watch'], {
      cwd: folder,
    });
    let told = '';
    child.stderr.on('data', (data) => (told += data));
    const output = join(folder, 'watched/twice-saved.ts');
    try {
      await waitFor(() => told.includes('watching'));
      for (const gap of [35, 45, 60, 100])
        for (const kind of ['Place', 'Copy', 'Old']) {
          writeFileSync(path, text('First'));
          // a copy keeps its own time, which is before that of the compilation
          const spare = join(folder, 'spare');
          writeFileSync(spare, text(`${kind}${gap}`));
          if (kind === 'Old') utimesSync(spare, 1e9, 1e9);
          await new Promise((done) => setTimeout(done, gap));
          if (kind === 'Place') writeFileSync(path, text(`${kind}${gap}`));
          else renameSync(spare, path);
          await waitFor(() => readFileSync(output, 'utf8').includes(`name: '${kind}${gap}'`));
        }
    } finally {
      child.kill();
    }
  });
});

describe('imports', () => {
  it('are taken relative to the importing file', async () => {
    writeFileSync(join(folder, 'twice.dsl'), 'fn twice(x) = 2 * x\n');
    writeFileSync(
      join(folder, 'uses.dsl'),
      `import "twice.dsl"\n${line.replace('w * x[n]', 'twice(w * x[n])')}`,
    );
    expect((await compile(['uses.dsl', '--stdout'])).code).toBe(0);
  });

  it('that are missing or go in a circle are errors at their place', async () => {
    writeFileSync(join(folder, 'lost.dsl'), `import "gone.dsl"\n${line}`);
    writeFileSync(join(folder, 'one.dsl'), `import "two.dsl"\n${line}`);
    writeFileSync(join(folder, 'two.dsl'), 'import "one.dsl"\nfn f(x) = x\n');
    const [lost, circle] = await Promise.all([compile(['lost.dsl']), compile(['one.dsl'])]);
    expect(lost.stderr).toContain('error[E207]');
    expect(circle.stderr).toContain('error[E208]');
    expect(circle.stderr).toContain('one.dsl → two.dsl → one.dsl');
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      if (condition()) return;
    } catch {
      // not there yet
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('waited in vain');
}
