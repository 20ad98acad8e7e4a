/** What is printed is the language: it parses, elaborates and means the same. */
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate, expandDerivatives, hasDerivatives } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Source } from '../../compiler/diagnostics/source.ts';
import { emitGradient } from '../../compiler/emit/dsl.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { analyse, textbookGradient } from '../../compiler/index.ts';
import { elaborate } from '../../compiler/model/index.ts';
import { prepare } from '../../compiler/rewrite/index.ts';
import { parse } from '../../compiler/syntax/index.ts';
import { batchExtents, programs, randomTensors } from './programs.ts';

/**
 * The program of a text that must have no mistakes, but that a parameter may not matter: a random program may read it only
 * where a condition is never true.
 */
function programOf(text: string): Program {
  const diagnostics = new Diagnostics();
  const file = parse({ path: 'printed.dsl', text }, diagnostics);
  const [model] = elaborate(file, { imports: new Map(), prelude: [] }, diagnostics);
  const errors = diagnostics.list.filter(({ severity, code }) => severity === 'error' && code !== 'E601');
  expect(
    errors.map(({ code, message, span }) => `${code} ${message}: ${text.slice(span.start, span.end)}`),
    text,
  ).toEqual([]);
  if (model === undefined) throw new Error('no model');
  return model.program;
}

/** Only statements have values: derivatives as terms are put in as the compiler does it. */
function withValues(program: Program): Program {
  let current = program;
  while (hasDerivatives(current)) current = expandDerivatives(prepare(current), new Diagnostics());
  return current;
}

/** Every tensor that both programs compute is the same to 1e-12, relative to its size. */
function expectSame(program: Program, printed: Program, names: readonly string[], seed: number): void {
  const tensors = randomTensors(program, seed);
  const [before, after] = [program, printed].map((of) =>
    interpret(withValues(of), { tensors, extents: batchExtents }),
  );
  for (const name of names) {
    const [expected = [], found = []] = [before?.get(name), after?.get(name)];
    expect(found.length, name).toBe(expected.length);
    for (const [place, value] of expected.entries()) {
      const difference = Math.abs(value - (found[place] ?? NaN));
      expect(Object.is(value, found[place]) || difference <= 1e-12 * Math.max(1, Math.abs(value)), name).toBe(
        true,
      );
    }
  }
}

describe('random programs', () => {
  it.each([
    ['with a batch', { scans: false }],
    ['of fixed sizes, with recurrences', { batch: false }],
    ['with epilogues', { optimised: true, scans: false }],
  ])('%s read back as what they were', (_, options) => {
    fc.assert(
      fc.property(programs({ ...options, batchFirst: true }), fc.nat(1000), (program, seed) => {
        expectSame(program, programOf(printProgram(program)), ['loss'], seed);
      }),
      { numRuns: 25, verbose: 0 },
    );
  });
});

describe('the gradient of a random program', () => {
  it.each(['inverted', 'scatter'] as const)('reads back as what it was: %s', (form) => {
    fc.assert(
      fc.property(programs({ batchFirst: true }), fc.nat(1000), (program, seed) => {
        const gradient = differentiate(program, new Diagnostics(), { form });
        const names = [...gradient.gradients.values()];
        expectSame(gradient, programOf(emitGradient(gradient)), names, seed);
      }),
      { numRuns: 25, verbose: 0 },
    );
  });
});

/** Sequences over few symbols, and two heads of attention. */
function brief(text: string): string {
  return text
    .replace(/\b(96|27)\b/g, '5')
    .replace(
      /\b(heads|steps|width) = (4|14|16)\b/g,
      (_, name: string) => `${name} = ${name === 'heads' ? 2 : 4}`,
    );
}

const root = fileURLToPath(new URL('../../examples/', import.meta.url));
const examples = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.dsl'),
);

/** The same with few places on an axis: the interpreter is slow. A picture keeps what two convolutions and poolings need. */
function shrunk(text: string): string {
  return text
    .replace(/\b(784|768|256|128|120|84|64|100)\b/g, '6')
    .replace(/\b28\b/g, '12')
    .replace(/\b8, 8\b/g, '4, 4')
    .replace(/\((6|16|32)(?=[,)])/g, (_, filters: string) => (filters === '32' ? '(3' : '(2'));
}

describe.each(examples)('%s', (path) => {
  const source = (file: string): Source => ({
    path: file,
    text: shrunk(brief(readFileSync(`${root}${file}`, 'utf8'))),
  });
  const { models, diagnostics } = analyse(source(path), {
    load: (file, importer) => source(posix.join(posix.dirname(importer.path), file)),
  });

  it('compiles', () => {
    expect(diagnostics).toEqual([]);
    expect(models.length).toBeGreaterThan(0);
  });

  it.each(models)('reads back as what it was, before and after every pass', ({ model, program, stages }) => {
    const { loss = '', outputs, metrics } = model.program;
    const names = [loss, ...outputs, ...metrics];
    expectSame(model.program, programOf(printProgram(model.program)), names, 1);
    for (const stage of stages) {
      if (stage.program.gradients.size > 0) continue;
      expectSame(model.program, programOf(printProgram(stage.program)), names, 1);
    }
    if (loss !== '') expect(program.gradients.size).toBeGreaterThan(0);
  });

  it.each(models.filter(({ gradient }) => gradient.gradients.size > 0))(
    'has a gradient that compiles by itself',
    (model) => {
      const { program, gradient } = model;
      for (const each of [program, gradient, textbookGradient(model)]) {
        const names = [each.loss ?? '', ...each.outputs, ...each.gradients.values()];
        expectSame(each, programOf(emitGradient(each)), names, 2);
      }
    },
  );
});

describe('a recurrence that reads its own tensor at several places', () => {
  it('tells the extents that its own text does not show', () => {
    const text = `model L {
  input x[n, 5, 3]
  input h0[n, 2]
  input c0[n, 2]
  d = lstm_from(x, h0, c0)
  loss = mean(d)
}`;
    const { models } = analyse({ path: 'L.dsl', text });
    const programs = models.flatMap(({ model, gradient, program }) => [model.program, gradient, program]);
    expect(programs).toHaveLength(3);
    for (const each of programs)
      expectSame(each, programOf(printProgram(each)), ['loss', ...each.gradients.values()], 3);
  });
});

describe('a state whose next value is in the loss', () => {
  it('has a gradient that compiles by itself: only next values have a prime', () => {
    const text = `model M {
      input x[n, 3]
      state m[3] ~ zeros
      state top ~ zeros
      param w[3] ~ zeros
      m'[i] = exp(w[i]) / sum[j](exp(w[j])) + prod[n](x[n, i] * w[i]) + m[i]
      top'  = max[n, i](x[n, i] * w[i])
      loss  = log(sum[i](exp(m'[i]))) + top'^2
    }`;
    const { models } = analyse({ path: 'm.dsl', text });
    expect(models).toHaveLength(1);
    for (const { program, gradient } of models)
      for (const each of [program, gradient])
        expectSame(each, programOf(emitGradient(each)), [...each.gradients.values()], 3);
  });
});
