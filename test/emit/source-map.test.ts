/** Source maps: where the lines of emitted modules are in the model. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eachMapping, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadImport } from '../../compiler/cli/files.ts';
import { placeOf, type Source } from '../../compiler/diagnostics/source.ts';
import { wordsOf } from '../../compiler/emit/words.ts';
import {
  analyse,
  compile,
  scheduleModel,
  type CompiledModule,
  type CompileOptions,
  type SourceMap,
} from '../../compiler/index.ts';
import type { Statement } from '../../compiler/graph/types.ts';

const root = fileURLToPath(new URL('../../examples', import.meta.url));
const examples = readdirSync(root).flatMap((folder) =>
  readdirSync(`${root}/${folder}`)
    .filter((name) => name.endsWith('.dsl'))
    .map((name) => `${folder}/${name}`),
);

async function mapped(source: Source, options: CompileOptions = {}): Promise<readonly CompiledModule[]> {
  return (await compile(source, { load: loadImport, sourceMap: true, ...options })).modules;
}

interface Line {
  readonly text: string;
  readonly indent: number;
  /** `model.dsl:3:5`, or nothing. */
  readonly place: string;
}

const traceOf = (map: SourceMap | undefined): TraceMap => new TraceMap(JSON.stringify(map));

/** Each line of the module with the place of its first character that is no space. */
function linesOf({ text, map }: CompiledModule): Line[] {
  const trace = traceOf(map);
  return text.split('\n').map((line, k) => {
    const indent = line.length - line.trimStart().length;
    const { source, line: number, column } = originalPositionFor(trace, { line: k + 1, column: indent });
    const place = source === null ? '' : `${source.split('/').at(-1)}:${number}:${column + 1}`;
    return { text: line.trim(), indent, place };
  });
}

const lineOf = (place: string): string => place.split(':').slice(0, 2).join(':');

/** The first line of the function, and the place of each line of its body. */
function functionIn(lines: readonly Line[], name: string): readonly Line[] {
  const from = lines.findIndex(({ text }) => text.startsWith(`export function ${name}(`));
  return lines.slice(
    from,
    lines.findIndex(({ text, indent }, k) => k > from && text === '}' && indent === 0) + 1,
  );
}

describe('the map of a module', () => {
  const text = `model Small {
  input x[n, 6]
  input t[n, 20]
  param W[6, 30] ~ glorot_uniform
  param b[30] ~ zeros

  y[n, j] = tanh(sum[i](x[n, i] * W[i, j])
    + b[j])
  z = y |> dense(20)
  loss = mean[n](sum[j]((z[n, j] - t[n, j])^2))
  train { optimizer: adam(rate = 1e-3), batch: 4 }
}
`;
  let lines: Line[];
  const placesIn = (name: string): string[] => [
    ...new Set(functionIn(lines, name).map(({ place }) => place)),
  ];
  beforeAll(async () => {
    const [module] = await mapped({ path: 'models/small.dsl', text });
    expect(module!.map!.sources).toEqual(['models/small.dsl']);
    expect(module!.map!.sourcesContent).toEqual([text]);
    lines = linesOf(module!);
  });

  it('leads from each line of a function to the statement that it computes', () => {
    expect(placesIn('forward_y')).toEqual(['small.dsl:7:3']);
    expect(placesIn('forward_loss')).toEqual(['small.dsl:10:3']);
  });

  it('leads from the gradient to where the statement reads what it is the gradient of', () => {
    expect(placesIn('gradient_W')).toEqual(['small.dsl:7:35']);
    expect(placesIn('gradient_b')).toEqual(['small.dsl:8:7']);
    expect(placesIn('backward_dz')).toEqual(['small.dsl:10:26']);
  });

  it('leads from a layer of the library to the name where it is called, from its gradient to the end of the name', () => {
    expect(placesIn('forward_z')).toEqual(['small.dsl:9:12']);
    expect(placesIn('gradient_z_W')).toEqual(['small.dsl:9:17']);
    expect(placesIn('update_adam')).toEqual(['small.dsl:11:22']);
  });

  it('leads from calls to the lines of the model, and from what is of no statement to the model itself', () => {
    const calls = lines.filter(({ text }) => /^(forward|gradient|update)_\w+\(.*;$/.test(text));
    expect(calls.slice(0, 3).map(({ text, place }) => ({ text, place }))).toEqual([
      { text: 'forward_y(x, W, b, y, n);', place: 'small.dsl:7:3' },
      { text: 'forward_z(y, z_W, z_b, z, n);', place: 'small.dsl:9:12' },
      { text: 'forward_loss(z, t, loss, n);', place: 'small.dsl:10:3' },
    ]);
    const placeOfLine = (start: string): string | undefined =>
      lines.find((line) => line.text.startsWith(start))?.place;
    expect(placeOfLine('export function createProgram(')).toBe('small.dsl:1:1');
    expect(placeOfLine('export function createTrainer(')).toBe('small.dsl:1:7');
    expect(placeOfLine('export function contract_')).toBe('small.dsl:1:7');
    expect(placeOfLine('import ')).toBe('');
  });

  it('is another text of the same bytes each time, and the module is the same without it', async () => {
    const source = { path: 'models/small.dsl', text };
    const [first] = await mapped(source);
    expect(await mapped(source)).toEqual([first]);
    const { modules } = await compile(source);
    expect(modules).toEqual([{ name: 'Small', text: first!.text }]);
  });
});

it('names that end as parts of a gradient do, and comments, do not lead astray', async () => {
  const text = `model Column {
  input x[n, 100]
  input y[n]
  param W[100, 64] ~ glorot_uniform
  param h_1[64] ~ glorot_uniform
  param d_sum[64] ~ glorot_uniform
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  o[n] = sum[j]( // h_1 and d_sum and h
    h[n, j] * h_1[j] + d_sum[j])
  loss = mean[n]((o[n] - y[n])^2)
  train { optimizer: adam, batch: 8 }
}
`;
  const [module] = await mapped({ path: 'column.dsl', text });
  const lines = linesOf(module!);
  const placeOfFunction = (name: string) => [...new Set(functionIn(lines, name).map(({ place }) => place))];
  expect(placeOfFunction('gradient_h_1')).toEqual(['column.dsl:9:15']);
  expect(placeOfFunction('gradient_d_sum')).toEqual(['column.dsl:9:24']);
});

describe('statements that share a function', () => {
  const text = `layer twice(x[n, i]) -> y[n, i] {
  param W[i, i] ~ glorot_uniform
  y[n, j] = sum[i](x[n, i] * W[i, j])
}
model Twice {
  input x[n, 40]
  a = x |> twice
  b = a |> twice
  output c = b |> dense(40, bias = false)
}
`;

  it('are the line of the first, their calls the lines of the model, and the head has what is elsewhere', async () => {
    const [module] = await mapped({ path: 'twice.dsl', text });
    const lines = linesOf(module!);
    const calls = lines.filter((line) => /^forward_\w+\(.*;$/.test(line.text));
    expect(calls.map(({ place }) => place)).toEqual(['twice.dsl:7:12', 'twice.dsl:8:12', 'twice.dsl:9:19']);
    const head = lines.findIndex((line) => line.text.startsWith('export function forward_'));
    expect(lines[head]!.place).toBe('twice.dsl:3:3');
    const onName = originalPositionFor(traceOf(module!.map), { line: head + 1, column: 'export '.length });
    expect(onName).toMatchObject({ line: 9, column: 18 });
    expect(lines[head + 1]!.place).toBe('twice.dsl:3:3');
  });
});

it('each line of a function that computes several statements leads to its own', async () => {
  const path = `${root}/xor/xor.dsl`;
  const [module] = await mapped({ path, text: readFileSync(path, 'utf8') });
  const rows = functionIn(linesOf(module!), 'backward_rows');
  const placeOfLine = (text: string): string | undefined => rows.find((line) => line.text === text)?.place;
  expect(placeOfLine('const dz_n = (a_n - y_n) / batch;')).toBe('xor.dsl:16:21');
  expect(placeOfLine('db2_total += dz_n;')).toBe('xor.dsl:13:42');
  expect(placeOfLine('dW2_0 += h_0 * dz_n;')).toBe('xor.dsl:13:30');
  expect(placeOfLine('const dh_0 = dz_n * W2_0 * (h_0 * (1 - h_0));')).toBe('xor.dsl:12:13');
  expect(placeOfLine('dW1_00 += x_0 * dh_0;')).toBe('xor.dsl:12:38');
  expect(placeOfLine('db1[0] = db1_0;')).toBe('xor.dsl:12:50');
});

/** Beside training in float32: what has other functions. */
const variants: readonly (readonly [string, CompileOptions])[] = [
  ['digits/digits.dsl', { inference: true }],
  ['vae/vae.dsl', { dtype: 'f64', inference: true }],
  ['names/names.dsl', { without: new Set(['elementwise', 'rows', 'unroll']) }],
  ['gpt/gpt.dsl', { without: new Set(['functions', 'kernels', 'share']) }],
];
const cases = [...examples.map((path): [string, CompileOptions] => [path, {}]), ...variants];

describe.each(cases)('%s, %o', (path, options) => {
  let modules: readonly CompiledModule[];
  const models: {
    readonly model: string;
    readonly statements: readonly Statement[];
    readonly computed: ReadonlySet<string>;
  }[] = [];
  beforeAll(async () => {
    const source: Source = { path: `${root}/${path}`, text: readFileSync(`${root}/${path}`, 'utf8') };
    modules = await mapped(source, options);
    for (const analysed of analyse(source, { load: loadImport, ...options }).models) {
      const { program, model } = analysed;
      const { groups = [], schedules = [] } = options.inference === true ? {} : (model.training ?? {});
      const programs = [program, ...groups.map((group) => group.program), ...schedules];
      const { functions } = scheduleModel(analysed, options);
      models.push({
        model: placeOf(model.span),
        statements: programs.flatMap(({ statements }) => statements),
        // another name for a tensor computes nothing
        computed: new Set(functions.flatMap(({ uses = [] }) => uses.flat().map(({ tensor }) => tensor))),
      });
    }
  }, 120_000);

  it('each line of a function leads to a line that stands above it', () => {
    for (const [k, { model, statements }] of models.entries())
      expect(strayLines(linesOf(modules[k]!), statements, model)).toEqual([]);
  });

  it('each statement has a place in the module, and the library has none', () => {
    for (const [k, { model, statements, computed }] of models.entries()) {
      const found = new Set(allPlaces(modules[k]!));
      const lineIn = (statement: Statement): string => ownLines(statement).at(-1) ?? model;
      const missing = statements.filter((each) => computed.has(each.target) && !found.has(lineIn(each)));
      expect(missing.map(({ target }) => target)).toEqual([]);
      const known = new Set([model, ...statements.flatMap(ownLines)]);
      expect([...found].filter((place) => !known.has(place))).toEqual([]);
    }
  });
});

/** The lines of the calls that lead to a statement, and its own, as far as they are the user's. */
function ownLines({ origin: { span, calls } }: Statement): string[] {
  return [...calls, span].filter(({ source }) => source.library !== true).map(placeOf);
}

function allPlaces({ map }: CompiledModule): string[] {
  const places: string[] = [];
  eachMapping(traceOf(map), ({ source, originalLine }) =>
    places.push(`${source?.split('/').at(-1)}:${originalLine}`),
  );
  return places;
}

/** Mapped lines of functions under a formula that lead to none of the places above it, nor to the model as a whole. */
function strayLines(lines: readonly Line[], statements: readonly Statement[], model: string): Line[] {
  const chains = new Map(
    statements.map(({ origin: { calls, span } }) => {
      const chain = [...calls, span].map(placeOf);
      return [chain.join(), chain];
    }),
  );
  const stray: Line[] = [];
  let comment: string[] = [];
  let named: ReadonlySet<string> | undefined;
  for (const line of lines) {
    if (line.text.startsWith('//')) comment.push(line.text);
    else if (/^export function (forward|backward|gradient|update|predict|evaluate)\w*_/.test(line.text))
      named = new Set([model, ...withCalls(placesIn(comment.join(' ')), [...chains.values()])]);
    else if (line.text === '') comment = [];
    if (named !== undefined && line.place !== '' && !named.has(lineOf(line.place))) stray.push(line);
    if (line.text === '}' && line.indent === 0) named = undefined;
  }
  return stray;
}

/** `gpt.dsl:41-43 (gpt.dsl:11, 12)` as five places. */
function placesIn(comment: string): Set<string> {
  const places = new Set<string>();
  for (const [, file, list = ''] of comment.matchAll(/([\w-]+\.dsl):(\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)/g))
    for (const range of list.split(', ')) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let line = first; line <= last; line++) places.add(`${file}:${line}`);
    }
  return places;
}

/** With the layers that stand between what is called in the model and what the statement is of. */
function withCalls(named: ReadonlySet<string>, chains: readonly (readonly string[])[]): Set<string> {
  const between = chains.filter((chain) => named.has(chain[0] ?? '') && named.has(chain.at(-1) ?? ''));
  return new Set([...named, ...between.flat()]);
}

describe('the words of a text', () => {
  it.each([
    ["const a = b1['c d'] + 1e-8 * 0x1f; // e f", ['const', 'a', 'b1']],
    ['/* a\n b */ let $x = `y ${z}`;', ['let', '$x']],
    ['a.b(1.5e+3, "it\\"s // no") / c // d', ['a', 'b', 'c']],
  ])('%s', (text, words) => {
    expect(wordsOf(text).map((word) => word.text)).toEqual(words);
  });

  it('have lines and columns, counted from 0', () => {
    expect(wordsOf('a\n\n  b /* c\n */ d')).toEqual([
      { text: 'a', line: 0, column: 0 },
      { text: 'b', line: 2, column: 2 },
      { text: 'd', line: 3, column: 4 },
    ]);
  });
});
