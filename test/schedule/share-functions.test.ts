import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import type { LoopProgram } from '../../compiler/schedule/types.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function programOf(text: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${text}\n}` });
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  return models[0]!.program;
}

/** Small enough to be written out in one function: that is left out here. */
const loopsOf = (text: string): LoopProgram =>
  schedule(programOf(text), { dtype: 'f32', batch: 'n', without: new Set(['unroll']) });

/** Equal transformer blocks, one after the other. */
function deep(blocks: number): string {
  const layers = Array.from(
    { length: blocks },
    (_, k) => `h${k + 1} = ${k === 0 ? 'x' : `h${k}`} |> transformer_block(heads = 2)`,
  );
  return `
    input x[n, 3, 4]
    ${layers.join('\n    ')}
    output y = h${blocks} |> dense(2)
    loss = mean(y^2)`;
}

/** What the list calls, in its order. */
const callsOf = (loops: LoopProgram, list: 'forward' | 'backward', name: string): (readonly string[])[] =>
  loops[list].filter((step) => step.function === name).map((step) => step.buffers);

const tower = `
  input x[n, 6]
  a = x |> dense(6) |> tanh
  b = a |> dense(6) |> tanh
  c = b |> dense(5) |> tanh
  output c
  loss = mean(c^2)`;

describe('equal layers share one function', () => {
  const loops = loopsOf(tower);

  it('which is called with the tensors of each layer', () => {
    const [name = ''] = loops.forward.map((step) => step.function);
    expect(callsOf(loops, 'forward', name)).toEqual([
      ['x', 'a_W', 'a_b', 'a'],
      ['a', 'b_W', 'b_b', 'b'],
    ]);
  });

  it('but not with those of other sizes', () => {
    const [, second, third] = loops.forward.map((step) => step.function);
    expect(third).not.toBe(second);
  });

  it.each([2, 3])('computes what the interpreter computes: %i blocks of a transformer', (blocks) => {
    const program = programOf(deep(blocks));
    const extents = { n: 2 };
    for (const compared of compareWithInterpreter(program, randomTensors(program, 1, extents), extents))
      expect(worstDifference(compared), compared.name).toBeLessThan(1e-10);
  });

  it('2 blocks have as many functions as 3 and 5', () => {
    const [two, three, five] = [2, 3, 5].map((blocks) => loopsOf(deep(blocks)).functions.length);
    expect([three, five]).toEqual([two, two]);
  });

  it('a call hands in as many tensors as the function takes, each of its kind', () => {
    const loops = loopsOf(deep(3));
    const functions = new Map(loops.functions.map((each) => [each.name, each]));
    for (const step of [...loops.forward, ...loops.backward]) {
      const { buffers } = functions.get(step.function)!;
      expect(step.buffers.map((tensor) => loops.buffers.get(tensor)?.element)).toEqual(
        buffers.map(({ element }) => element),
      );
    }
  });
});

describe('what a shared function calls its tensors', () => {
  const loops = loopsOf(deep(3));
  const parametersOf = (name: string): string[] | undefined =>
    loops.functions.find((each) => each.name === name)?.buffers.map((buffer) => buffer.name);

  it('drops the layer, and says x where no name fits all calls', () => {
    expect(parametersOf('forward_layer_norm_y')).toEqual(['x', 'm', 'v', 'g', 'b', 'y']);
  });

  it('a cotangent is a d before the name', () => {
    expect(parametersOf('gradient_layer_norm_g')).toEqual(['dy', 'x', 'm', 'v', 'dg']);
  });

  it('never takes the name of an index of its formulas', () => {
    for (const { buffers, computes } of loops.functions) {
      const indices = new Set(computes.flatMap((statement) => statement.indices.map(({ name }) => name)));
      expect(buffers.filter(({ name }) => indices.has(name))).toEqual([]);
    }
  });

  it('a function that is called once, for short names, keeps them', () => {
    const [first] = loopsOf(`
      input x[n, 3]
      param W_hidden[3, 4] ~ zeros
      output z_hidden[n, j] = sum[i](x[n, i] * W_hidden[i, j])`).functions;
    expect(first?.name).toBe('forward_z_hidden');
    expect(first?.buffers.map((buffer) => buffer.name)).toEqual(['x', 'W_hidden', 'z_hidden']);
  });
});

describe('loops one after the other', () => {
  it('share what they know of the batch', () => {
    const [dense] = loopsOf(`
      input x[n, 5, 40]
      output y = x |> dense(30)`).functions.slice(-1);
    const constants = dense?.body.filter(({ kind }) => kind === 'integer_constant') ?? [];
    expect(dense?.body.filter(({ kind }) => kind === 'for')).toHaveLength(1);
    expect(constants).toHaveLength(1);
  });
});
