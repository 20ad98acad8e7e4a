/** The workspace: no statement for what moves nothing, results over operands that die, hardly more than what is alive. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Loader } from '../../compiler/index.ts';
import { choices } from '../../compiler/schedule/choices.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { memoryOf } from '../../compiler/schedule/memory.ts';
import type { MemoryReport } from '../../compiler/schedule/memory.ts';
import type { LoopProgram } from '../../compiler/schedule/types.ts';
import { loadCases } from '../oracle/cases.ts';
import { Unsupported } from '../oracle/programs/writer.ts';
import { programOf } from '../oracle/programs/index.ts';
import { trainedCase } from '../oracle/programs/trained.ts';
import { randomTensors } from '../property/programs.ts';
import { transformer } from '../support/deep.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function modelsOf(path: string, text: string) {
  const load: Loader = (from) => {
    const file = join(dirname(path), from);
    return { path: file, text: readFileSync(file, 'utf8') };
  };
  const { diagnostics, models } = analyse({ path, text }, { load });
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  return models;
}

function loopsOf(text: string, without: readonly string[] = []): LoopProgram {
  const [model] = modelsOf('model.dsl', `model M {\n${text}\n}`);
  if (model === undefined) throw new Error('no model');
  return schedule(model.program, { dtype: 'f32', batch: 'n', without: new Set(without) });
}

/** The memory of each model of a text, for the batch that it is trained with. */
function memoryOfText(path: string, text: string): MemoryReport[] {
  return modelsOf(path, text).map(({ model, program }) => {
    const batch = model.batch === undefined ? {} : { batch: model.batch };
    return memoryOf(schedule(program, { dtype: 'f32', ...batch }), 32);
  });
}

/**
 * A loss is a double, which lies in an array of its own, and constants lie apart from what grows with the batch: of so few
 * numbers as in a tiny program that is a large part.
 */
const tiny = 256;

function expectTight({ bytes, least, ratio }: MemoryReport, name: string): void {
  if (least < tiny) expect(bytes - least, name).toBeLessThanOrEqual(48);
  else expect(ratio, name).toBeLessThanOrEqual(1.3);
}

/** Family -> the programs of its cases that the language can say, each once: text -> name. */
function referenceTexts(): Map<string, Map<string, string>> {
  const families = new Map<string, Map<string, string>>();
  for (const of of loadCases(new URL('../oracle/', import.meta.url).pathname)) {
    const texts = families.get(of.family) ?? new Map<string, string>();
    try {
      texts.set(trainedCase(of)?.training.text ?? programOf(of).text, of.name);
      families.set(of.family, texts);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  }
  return families;
}

describe('a tensor with three open axes', () => {
  const text = (last: string): string =>
    `input x[n]\nparam w[3] ~ ones\ns[n, i] = tanh(x[n] * w[i])\nd[a, i, b, c] = s[a, i] * s[b, i] * exp(s[c, i])\n${last}`;

  it('has no place, which is said at the statement that needs it: here for the cotangent of d', () => {
    const source = `model M {\n${text('H[n, i] = d[n, i, n, n]\nloss = mean(H^2)')}\n}`;
    const { diagnostics } = analyse({ path: 'model.dsl', text: source });
    expect(
      diagnostics.map(({ code, span }) => `${code} ${source.slice(span.start, span.start + 14)}`),
    ).toEqual(['E305 H[n, i] = d[n,']);
  });

  it('needs none where it is put into what reads it', () => {
    const loops = loopsOf(text('output H[n, i] = d[n, i, n, n]'));
    expect([...loops.buffers.keys()]).not.toContain('d');
  });
});

describe('the workspace is at most 1.3 times what is alive at one moment', () => {
  const root = new URL('../../examples/', import.meta.url).pathname;
  const files = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, name)).map((file) => join(root, name, file)))
    .filter((file) => file.endsWith('.dsl'));

  it.each(files.map((file) => [file.slice(root.length), file]))('%s', (name, file) => {
    for (const report of memoryOfText(file, readFileSync(file, 'utf8'))) expectTight(report, name);
  });

  it('a deep transformer', () => {
    const text = transformer({ blocks: 6, width: 32, heads: 4, steps: 16, words: 40 });
    for (const report of memoryOfText('deep.dsl', text)) expectTight(report, 'deep');
  });

  const references = referenceTexts();

  it.each([...references])('the reference cases of %s', (_, texts) => {
    for (const [text, name] of texts)
      for (const report of memoryOfText(`${name}.dsl`, text)) expectTight(report, name);
  });

  it('of more than 300 reference cases', () => {
    expect([...references.values()].reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(300);
  });
});

describe('what moves nothing', () => {
  const computed = ({ functions }: LoopProgram): string[] =>
    functions.flatMap(({ computes }) => computes.map(({ target }) => target));

  it('is no statement: a reshape and the tensor share their place', () => {
    const loops = loopsOf(`
      input x[n, 4, 4, 2]
      param W[32, 5] ~ ones
      a[n, i, j, c] = exp(x[n, i, j, c])
      flat[n, k: 32] = a[n, k / 8, mod(k / 2, 4), mod(k, 2)]
      output y[n, m] = sum[k](flat[n, k] * W[k, m])
      output z[n] = sum[i, j, c](a[n, i, j, c])`);
    expect(computed(loops)).not.toContain('flat');
    expect(loops.buffers.get('flat')).toMatchObject({ sameAs: 'a', offset: loops.buffers.get('a')?.offset });
  });

  it('takes the array of an input or a parameter itself', () => {
    const loops = loopsOf(`
      input x[n, 4, 4]
      param w[4, 2] ~ ones
      flat[n, k: 16] = x[n, k / 4, mod(k, 4)]
      v[k: 8] = w[k / 2, mod(k, 2)]
      output y[n, j] = sum[k](exp(flat[n, k]) * v[mod(j, 8)] * cos(k + j)) + v[j]`);
    expect(computed(loops)).not.toContain('flat');
    expect(loops.buffers.has('flat')).toBe(false);
    expect(loops.predict.flatMap(({ buffers }) => buffers)).toContain('x');
  });

  it.each([
    ['a transpose', 't[n, k: 16] = a[n, mod(k, 4), k / 4]'],
    ['a part', 't[n, k: 8] = a[n, k / 4, mod(k, 4)]'],
    ['a shift', 't[n, k: 16] = a[n, k / 4, mod(k + 1, 4)]'],
  ])('%s is a statement', (_, statement) => {
    const loops = loopsOf(`
      input x[n, 4, 4]
      a[n, i, j] = exp(x[n, i, j])
      ${statement}
      output y[n, k] = sum[m](t[n, m] * t[n, k]) + sum[i, j](a[n, i, j])`);
    expect(loops.buffers.get('t')?.sameAs).toBeUndefined();
  });
});

describe('a result', () => {
  const place = (loops: LoopProgram, tensor: string) => loops.buffers.get(tensor)?.offset;
  const head = `
    input x[n, 8]
    param W[8, 8] ~ ones
    a[n, j] = sum[i](x[n, i] * W[i, j])
    b[n, j] = sum[i](a[n, i] * W[j, i])
    last[n] = sum[i, j](b[n, j] * a[n, i] * (i < j))`;
  const tail = '\n output y[n, j] = sum[i](c[n, i] * W[i, j]) * last[n]';

  it.each([
    ['elementwise, over an operand that dies there', 'c[n, j] = sin(a[n, j]) * exp(b[n, j])', true],
    ['by rows, over what the values of the row are made of', 'c[n, j] = softmax[j](a[n, j] * b[n, j])', true],
    ['not where an operand is read elsewhere', 'c[n, j] = sin(a[n, 7 - j]) * exp(b[n, 7 - j])', false],
  ])('is written %s', (_, statement, isOver) => {
    const text = `${head}\n ${statement} ${tail}`;
    const [over, apart] = [loopsOf(text), loopsOf(text, ['overwriting'])];
    const operands = (loops: LoopProgram) => [place(loops, 'a'), place(loops, 'b')];
    expect(operands(over).some((each) => isDeepStrictEqual(each, place(over, 'c')))).toBe(isOver);
    expect(operands(apart)).not.toContainEqual(place(apart, 'c'));
  });
});

describe('left out', () => {
  const text = `model M {
    input x[n, 4, 4, 1]
    input label[n]: 3
    a = x |> conv2d(3, size = 3, pad = 1) |> relu |> max_pool2d(2)
    b[n, k: 12] = tanh(a[n, k / 6, mod(k / 3, 2), mod(k, 3)])
    z = b |> layer_norm |> dense(3)
    output p[n, k] = softmax[k](z[n, k])
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  }`;

  it.each([[], ...Object.keys(choices).map((name) => [name]), Object.keys(choices)])(
    '%s: the same numbers',
    (...without) => {
      const [model] = modelsOf('model.dsl', text);
      if (model === undefined) throw new Error('no model');
      const extents = { n: 3 };
      const tensors = randomTensors(model.program, 1, extents);
      const options = { without: new Set(without) };
      for (const compared of compareWithInterpreter(model.program, tensors, extents, options))
        expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
    },
  );
});
