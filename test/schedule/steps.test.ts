/** What a step of a recurrence alone reads is stored for one step at a time; what anything else reads, for all of them. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { evaluateSize } from '../../compiler/schedule/integers.ts';
import { memoryOf } from '../../compiler/schedule/memory.ts';
import type { LoopProgram } from '../../compiler/schedule/types.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function programOf(body: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${body}\n}` });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message }) => message)).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

const loopsOf = (program: Program, ...without: string[]): LoopProgram =>
  schedule(program, { dtype: 'f64', batch: 'n', without: new Set(['unroll', ...without]) });

/** The tensors of which one step is stored: their buffer has fewer axes than they. */
const ofOneStep = (program: Program, ...without: string[]): string[] =>
  [...loopsOf(program, ...without).buffers.values()]
    .filter(({ tensor, axes }) => axes.length < (program.tensors.get(tensor)?.axes.length ?? 0))
    .map(({ tensor }) => tensor);

const extents = { n: 3 };

function expectTheNumbersOfTheInterpreter(program: Program): void {
  const tensors = randomTensors(program, 5, extents);
  for (const without of [
    [],
    ['unroll'],
    ['steps', 'unroll'],
    ['unroll', 'kernels'],
    ['unroll', 'elementwise'],
  ])
    for (const compared of compareWithInterpreter(program, tensors, extents, { without: new Set(without) }))
      expect(worstDifference(compared), `${compared.name} without ${without.join()}`).toBeLessThan(1e-12);
}

const head = 'input x[n, 6, 3]\nparam U[3, 3] ~ ones\n';
/** `s` is read twice at its own step, so that it is not a part of `h`. */
const s = 's[n, t, o] = sum[p]((h[n, t - 1, p] else 0) * U[p, o])';
const h = 'h[n, t, o] = tanh(s[n, t, o]) * s[n, t, 2 - o] + x[n, t, o]';
const local = `scan t {\n${s}\n${h}\n}\noutput h`;

describe('one step is stored', () => {
  it.each([
    ['of a sum that two reads of its step want', `${head}${local}`, ['s']],
    [
      'of each of several',
      `${head}scan t {\n${s}\na[n, t, o] = sum[p](s[n, t, p] * U[o, p])\nh[n, t, o] = a[n, t, o] * a[n, t, 2 - o] + s[n, t, o] + x[n, t, o]\n}\noutput h`,
      ['s', 'a'],
    ],
    [
      'in a recurrence from the end',
      `${head}scan t reversed {\n${s.replace('t - 1', 't + 1')}\n${h}\n}\noutput h`,
      ['s'],
    ],
    [
      'where the batch itself is the steps',
      'input x[n, 3]\nparam U[3, 3] ~ ones\nscan n {\ns[n, o] = sum[p]((h[n - 1, p] else 0) * U[p, o])\nh[n, o] = tanh(s[n, o]) * s[n, 2 - o] + x[n, o]\n}\noutput h',
      ['s'],
    ],
    [
      'where the steps come last',
      'input x[n, 3, 6]\nparam U[3, 3] ~ ones\nscan t {\ns[n, o, t] = sum[p]((h[n, p, t - 1] else 0) * U[p, o])\nh[n, o, t] = tanh(s[n, o, t]) * s[n, 2 - o, t] + x[n, o, t]\n}\noutput h',
      ['s'],
    ],
    [
      'of integers that are an index',
      'input x[n, 6, 3]\nparam E[3, 3] ~ ones\nscan t {\nk[n, t] = argmax[j](h[n, t - 1, j] else 0)\nh[n, t, o] = tanh(E[k[n, t], o]) + E[o, k[n, t]] * x[n, t, o]\n}\noutput h',
      ['k'],
    ],
  ])('%s', (_, body, stored) => {
    const program = programOf(body);
    expect(ofOneStep(program)).toEqual(stored);
    expect(ofOneStep(program, 'steps')).toEqual([]);
    expectTheNumbersOfTheInterpreter(program);
  });

  it('of the gates of an LSTM before their functions, forward, and of the gradient that only its step wants, backward', () => {
    const program = programOf(`
      input x[n, 6, 4]
      y = x |> lstm(5)
      loss = sum[n, t, o](y[n, t, o] * y[n, t, o] * (t + o))`);
    const stored = ofOneStep(program);
    expect(stored.length).toBeGreaterThan(1);
    expect(
      stored.some((name) =>
        program.statements.some((each) => each.target === name && each.phase === 'backward'),
      ),
    ).toBe(true);
    expectTheNumbersOfTheInterpreter(program);
  });
});

describe('all steps are stored of what is read', () => {
  it.each([
    ['by a later step', `scan t {\n${s}\n${h} + (s[n, t - 1, o] else 0)\n}\noutput h`],
    ['by an output', `${local}\noutput s`],
    ['after the recurrence', `${local}\noutput z[n, o] = sum[t](s[n, t, o] * t)`],
    ['at one step, after it', `${local}\noutput z[n, o] = s[n, 5, o]`],
    [
      'by another recurrence',
      `${local}\nscan t {\ng[n, t, o] = (g[n, t - 1, o] else 0) * s[n, t, o] + s[n, t, 2 - o]\n}\noutput g`,
    ],
    [
      'by one from the end',
      `${local}\nscan t reversed {\ng[n, t, o] = (g[n, t + 1, o] else 0) * s[n, t, o] + s[n, t, 2 - o]\n}\noutput g`,
    ],
    ['by the backward pass', `${local}\nloss = sum[n, t, o](h[n, t, o] * t)`],
  ])('%s', (_, body) => {
    const program = programOf(head + body);
    expect(ofOneStep(program)).not.toContain('s');
    expect(loopsOf(program).buffers.get('s')?.axes).toEqual(['n', 6, 3]);
    expectTheNumbersOfTheInterpreter(program);
  });

  it('and of what is scattered', () => {
    const program = programOf(`
      input x[n, 6, 3]
      input bin[n, 6, 3]: 4
      scan t {
        s[n, t, bin[n, t, i]: 4] += x[n, t, i] + (h[n, t - 1, i] else 0) for n, t, i
        h[n, t, o: 3] = s[n, t, o] * s[n, t, o + 1]
      }
      output h`);
    expect(loopsOf(program).buffers.get('s')?.axes).toEqual(['n', 6, 4]);
    expectTheNumbersOfTheInterpreter(program);
  });
});

/** The numbers of the workspace that a tensor takes, for a batch of 3. */
function placeOf({ buffers }: LoopProgram, tensor: string): readonly [number, number] {
  const buffer = buffers.get(tensor);
  if (!buffer) throw new Error(`no ${tensor}`);
  const at = evaluateSize(buffer.offset, new Map(Object.entries(extents)));
  return [at, at + evaluateSize(buffer.size, new Map(Object.entries(extents)))];
}

describe('in memory', () => {
  it('one step is not written over an operand of its own size, which later steps read', () => {
    const program = programOf(`
      input x[n, 6, 3]
      param U[3, 3] ~ ones
      v[n, o] = exp(sum[i](x[n, 0, i] * U[i, o]))
      scan t {
        s[n, t: 6, o] = exp(v[n, o]) * (h[n, t - 1, o] else 1)
        h[n, t: 6, o] = tanh(s[n, t, o]) * s[n, t, 2 - o]
      }
      output h`);
    expect(ofOneStep(program)).toEqual(['s']);
    const loops = loopsOf(program);
    const [[from, to], [otherFrom, otherTo]] = [placeOf(loops, 's'), placeOf(loops, 'v')];
    expect(to <= otherFrom || otherTo <= from).toBe(true);
    expectTheNumbersOfTheInterpreter(program);
  });

  it('the steps that are not stored are counted nowhere', () => {
    const program = programOf(`${head}${local}`);
    const [one, all] = [memoryOf(loopsOf(program), 3), memoryOf(loopsOf(program, 'steps'), 3)];
    const step = 3 * 3 * 8;
    expect(all.bytes - one.bytes).toBe(5 * step);
    expect(all.least - one.least).toBe(5 * step);
    expect(one.bytes).toBe(one.least);
  });
});
