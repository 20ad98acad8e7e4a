/** Stack traces and breakpoints of emitted modules land in the model: in Node and in Chromium, as debuggers look them up. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../examples/page/serve.ts';
import { hasChromium, launch } from '../support/chromium.ts';
import { Debugger, type Frame } from '../support/debugger.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-source-map-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = `// A layer of the user's own.
layer squash(x[n, i], units) -> y[n, units] {
  h = x |> dense(units)
  y[n, o] = h[n, o] / (1 + abs(h[n, o]))
}
`;
const model = `import "parts/own.dsl"

model Small {
  input x[n, 6]
  input t[n, 3]
  param W[40, 40] ~ glorot_uniform

  a = x |> squash(40)
  b = a |> squash(40)
  c[n, j] = tanh(sum[i](b[n, i] * W[i, j]))
  output y = c |> dense(3)

  loss = mean[n](sum[k]((y[n, k] - t[n, k])^2))
  train { optimizer: adam(rate = 1e-3), batch: 4 }
}
`;
/** What a user writes: a step of training. The page calls \`run\`, and so do the tests. */
const main = `import { createProgram } from './generated/model.ts';

function step(program: ReturnType<typeof createProgram>): void {
  program.forward(4, 0, 0);
  program.backward(4);
  program.update(0, 1);
}

export function run(): void {
  step(createProgram(4));
}

/** What is handed to a worker is gone from here: the next function that clears such an array throws. */
export function runWithout(name: 'gradients' | 'outputs'): void {
  const program = createProgram(4);
  const array = name === 'outputs' ? program.outputs['y']! : program.gradients;
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  step(program);
}
`;

const out = (...parts: string[]): string => join(folder, ...parts);
const compiler = join(root, 'bin/compile.js');
const compile = (...words: string[]): Buffer =>
  execFileSync(process.execPath, [compiler, ...words], { cwd: folder });

/** As a user bundles it, with a map of the bundle. */
async function bundle(entry: string, outfile: string, more: BuildOptions = {}): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    sourcemap: true,
    alias: { 'chainrule/runtime': join(root, 'runtime/index.ts') },
    conditions: ['chainrule-source'],
    logLevel: 'error',
    ...more,
  });
}

beforeAll(async () => {
  mkdirSync(out('parts'));
  writeFileSync(out('parts/own.dsl'), own);
  writeFileSync(out('model.dsl'), model);
  writeFileSync(out('main.ts'), main);
  compile('model.dsl', '--source-map', 'file');
  compile('model.dsl', '--source-map', 'inline', '--standalone', '-o', 'inline/generated');
  writeFileSync(out('inline/main.ts'), main);
  // bundled, from a map beside the module; and file by file with the types stripped, from a map in it
  await bundle(out('main.ts'), out('bundled/main.js'));
  for (const name of ['main', 'generated/model'])
    await bundle(out('inline', `${name}.ts`), out('stripped', `${name}.js`), {
      bundle: false,
      sourcemap: 'inline',
      alias: {},
    });
  const stripped = readFileSync(out('stripped/main.js'), 'utf8');
  writeFileSync(out('stripped/main.js'), stripped.replace('./generated/model.ts', './generated/model.js'));
  writeFileSync(out('package.json'), '{ "type": "module" }');
  await bundle(join(root, 'test/support/debugged.ts'), out('debugged.js'), {
    platform: 'node',
    sourcemap: false,
  });
}, 60_000);

const ways = ['bundled', 'stripped'] as const;

/** The lines of a stack trace that name functions of the model or of the program. */
function traceOf(module: string, call: string, ...options: string[]): string[] {
  writeFileSync(out('throws.js'), `import { runWithout } from './${module}';\n${call}\n`);
  const words = [...options, out('throws.js')];
  const { stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  return stderr.split('\n').flatMap((line) => {
    const [, name, place] = /^\s+at (?:Object\.)?(\w+) \(.*[/\\]([\w.]+:\d+:\d+)\)/.exec(line) ?? [];
    return name === undefined || place === undefined ? [] : [`${name} ${place}`];
  });
}

it('the page about debugging shows what digits do', () => {
  const page = readFileSync(join(root, 'docs/DEBUGGING.md'), 'utf8');
  const [, promised = ''] = /<!-- stack trace of examples\/digits -->\s+```\n([^]*?)```/.exec(page) ?? [];
  const digits = join(root, 'examples/digits/digits.dsl');
  compile(digits, '-o', 'digits', '--standalone', '--source-map', 'inline');
  writeFileSync(
    out('digits/throws.ts'),
    `import { createProgram } from './digits.ts';
    const program = createProgram(2);
    const { gradients } = program;
    structuredClone(gradients.buffer, { transfer: [gradients.buffer as ArrayBuffer] });
    program.backward(2);`,
  );
  const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', out('digits/throws.ts')], {
    cwd: root,
    encoding: 'utf8',
  });
  const shown = stderr
    .replaceAll(/\([^()]*[/\\]([\w.]+:)/g, '($1')
    .replace(digits, 'examples/digits/digits.dsl');
  expect(promised).toContain('digits.dsl:');
  expect(shown).toContain(promised);
});

it('tsx, which strips types as a module is loaded, reads a map that is in the module', () => {
  expect(traceOf('inline/main.ts', "runWithout('outputs');", '--import', 'tsx').slice(0, 2)).toEqual([
    'forward_a_h own.dsl:3:12',
    'forward model.dsl:8:12',
  ]);
});

it('tsx does not look for a map in a file', () => {
  compile('model.dsl', '--source-map', 'file', '--standalone', '-o', 'beside/generated');
  writeFileSync(out('beside/main.ts'), main);
  const [first] = traceOf('beside/main.ts', "runWithout('outputs');", '--import', 'tsx');
  expect(first).toMatch(/^forward_a_h model\.ts:/);
});

describe.each(ways)('in Node, %s', (way) => {
  it('an error in the forward pass names the layer, the line of the model and the program', () => {
    expect(traceOf(`${way}/main.js`, "runWithout('outputs');", '--enable-source-maps').slice(0, 3)).toEqual([
      'forward_a_h own.dsl:3:12',
      'forward model.dsl:8:12',
      expect.stringMatching(/^step main\.ts:4:/),
    ]);
  });

  it('an error in the gradient names the statement that it is the gradient of', () => {
    expect(traceOf(`${way}/main.js`, "runWithout('gradients');", '--enable-source-maps').slice(0, 3)).toEqual(
      [
        'gradient_y_W model.dsl:11:24',
        'backward model.dsl:11:19',
        expect.stringMatching(/^step main\.ts:5:/),
      ],
    );
  });

  it('a breakpoint stops where the line is computed, with the stack of the model', () => {
    const stops = stopsIn(way, 'own.dsl:4', 'model.dsl:10', 'model.dsl:14');
    expect(stops).toEqual([
      ['forward_y own.dsl:4', 'forward model.dsl:8', 'step main.ts:4'],
      ['forward_y own.dsl:4', 'forward model.dsl:9', 'step main.ts:4'],
      ['forward_c model.dsl:10', 'forward model.dsl:10', 'step main.ts:4'],
      ['update_adam model.dsl:14', 'update model.dsl:14', 'step main.ts:6'],
    ]);
  });

  it('a breakpoint on a line that calls a layer stops at the call', () => {
    expect(stopsIn(way, 'model.dsl:9')).toEqual([['forward model.dsl:9', 'step main.ts:4']]);
  });

  it.each([
    ['model.dsl:3', 'createProgram model.dsl:3'],
    ['model.dsl:11', 'forward_y2 model.dsl:11'],
    ['model.dsl:11:24', 'gradient_y_b model.dsl:11'],
    ['model.dsl:13:10', 'backward_dy model.dsl:13'],
    ['model.dsl:14', 'update_adam model.dsl:14'],
  ])('a breakpoint at %s stops in %s', (breakpoint, first) => {
    expect(stopsIn(way, breakpoint)[0]![0]).toBe(first);
  });

  it('a breakpoint on the column of a name stops in the gradient by it', () => {
    const column = 1 + model.split('\n')[9]!.indexOf('W[i, j]');
    expect(stopsIn(way, `model.dsl:10:${column}`)[0]).toEqual([
      'gradient_W model.dsl:10',
      'backward model.dsl:10',
      'step main.ts:5',
    ]);
  });
});

const shown = (stop: readonly Frame[]): string[] =>
  stop.filter(({ place }) => place !== '').map((frame) => `${frame.function} ${frame.place}`);

/** Where the program stops in Node, innermost function first, up to the step of training. */
function stopsIn(way: (typeof ways)[number], ...breakpoints: string[]): string[][] {
  const words = [out('debugged.js'), out(way, 'main.js'), ...breakpoints];
  const printed = execFileSync(process.execPath, words, { encoding: 'utf8' });
  const { set, stops } = JSON.parse(printed) as { set: number[]; stops: Frame[][] };
  expect(set).toEqual(breakpoints.map(() => 1));
  return stops.map((stop) => shown(stop).filter((frame) => !/^( |run )/.test(frame)));
}

describe.skipIf(!hasChromium)('in Chromium', () => {
  let server: Server;
  beforeAll(async () => {
    const files = new Map<string, Uint8Array>();
    for (const name of ['main.js', 'main.js.map']) files.set(name, readFileSync(out('bundled', name)));
    const texts = {
      'index.html': '<!doctype html><script type="module" src="start.js"></script>',
      'start.js': 'import { run } from "./main.js"; globalThis.run = run;',
    };
    for (const [name, text] of Object.entries(texts)) files.set(name, new TextEncoder().encode(text));
    server = await serve(files, 0);
  });
  afterAll(() => server.close());

  it('a breakpoint on a line of the model stops there, and the debugger can show the model', async () => {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const session = await page.context().newCDPSession(page);
      const read: string[] = [];
      const debug = new Debugger(
        {
          send: (method, params = {}) => session.send(method as 'Debugger.enable', params as never),
          on: (event, listener) => void session.on(event as 'Debugger.paused', listener as never),
        },
        async (url) => {
          const text = await (await fetch(url)).text();
          read.push(text);
          return text;
        },
      );
      await debug.start();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await expect.poll(() => page.evaluate('typeof run')).toBe('function');
      expect(await debug.setBreakpoint('model.dsl', 10)).toBe(1);
      expect(await debug.setBreakpoint('own.dsl', 4)).toBe(1);
      await page.evaluate('run()');
      expect(debug.stops.map((stop) => shown(stop).slice(0, 3))).toEqual([
        ['forward_y own.dsl:4', 'forward model.dsl:8', 'step main.ts:4'],
        ['forward_y own.dsl:4', 'forward model.dsl:9', 'step main.ts:4'],
        ['forward_c model.dsl:10', 'forward model.dsl:10', 'step main.ts:4'],
      ]);
      const { sources, sourcesContent } = JSON.parse(read[0]!) as {
        sources: string[];
        sourcesContent: string[];
      };
      const contentOf = (name: string): string | undefined =>
        sourcesContent[sources.findIndex((source) => source.endsWith(name))];
      expect(contentOf('model.dsl')).toBe(model);
      expect(contentOf('parts/own.dsl')).toBe(own);
    } finally {
      await browser.close();
    }
  }, 60_000);
});
