/**
 * The library's layers with windows, and embeddings, of any size, stride, padding and dilation: strides that do not divide,
 * windows wider than their step and gaps between them, windows in the padding alone, axes of one element. The gradient by
 * the input and by the parameters agrees with finite differences and with its scattered form, and the emitted code with
 * the interpreter: at ties, too, and where tokens repeat.
 */
import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Program } from '../../compiler/graph/types.ts';
import { expectRightGradient, programOfLayer } from '../prelude/support.ts';
import { coarse, expectEmitted, expectInvertedIsScattered } from './emit.ts';
import { randomTensors } from './programs.ts';

const number = (min: number, max: number) => fc.integer({ min, max });

/** A window along both axes, and what a picture [2, h, w, channels] is like. */
const windows = fc.record({
  h: number(1, 6),
  w: number(1, 4),
  size: number(1, 4),
  stride: number(1, 4),
  pad: number(0, 3),
  dilation: number(1, 2),
  channels: number(1, 2),
  filters: number(1, 2),
  flag: fc.boolean(),
});

type Window = typeof windows extends fc.Arbitrary<infer T> ? T : never;

interface Case {
  readonly name: string;
  /** Sequences have the height of the picture. */
  readonly isPicture: boolean;
  /** undefined: there is no such layer. */
  readonly call: (window: Window) => string | undefined;
}

const fits = (extent: number, { size, stride, pad, dilation }: Window, dilated = dilation): boolean =>
  Math.floor((extent + 2 * pad - dilated * (size - 1) - 1) / stride) >= 0;

const pooling = (window: Window, isPicture: boolean): boolean =>
  window.pad < window.size && fits(window.h, window, 1) && (!isPicture || fits(window.w, window, 1));

const cases: readonly Case[] = [
  {
    name: 'conv1d',
    isPicture: false,
    call: (window) => {
      const { size, stride, pad, dilation, channels, filters, flag } = window;
      if (!fits(window.h, window)) return undefined;
      const groups = channels === 2 && filters === 2 && flag ? 2 : 1;
      return `conv1d(${filters}, ${size}, stride = ${stride}, pad = ${pad}, dilation = ${dilation}, groups = ${groups})`;
    },
  },
  {
    name: 'causal conv1d',
    isPicture: false,
    call: ({ size, stride, dilation, filters, flag }) =>
      `conv1d(${filters}, ${size}, stride = ${stride}, dilation = ${dilation}, causal = true, bias = ${flag})`,
  },
  {
    name: 'conv2d',
    isPicture: true,
    call: (window) => {
      const { size, stride, pad, dilation, filters } = window;
      if (!fits(window.h, window) || !fits(window.w, window)) return undefined;
      return `conv2d(${filters}, ${size}, stride = ${stride}, pad = ${pad}, dilation = ${dilation})`;
    },
  },
  {
    name: 'depthwise_conv2d',
    isPicture: true,
    call: (window) => {
      const { size, stride, pad, dilation, filters } = window;
      if (!fits(window.h, window) || !fits(window.w, window)) return undefined;
      return `depthwise_conv2d(${size}, stride = ${stride}, pad = ${pad}, dilation = ${dilation}, multiplier = ${filters})`;
    },
  },
  {
    name: 'conv_transpose2d',
    isPicture: true,
    call: ({ h, w, size, stride, pad, dilation, filters, flag }) => {
      const more = flag ? stride - 1 : 0;
      const made = (extent: number): number =>
        (extent - 1) * stride - 2 * pad + dilation * (size - 1) + more + 1;
      if (made(h) < 1 || made(w) < 1) return undefined;
      return `conv_transpose2d(${filters}, ${size}, stride = ${stride}, pad = ${pad}, dilation = ${dilation}, more = ${more})`;
    },
  },
  ...['max_pool1d', 'max_pool2d', 'avg_pool1d', 'avg_pool2d'].map((name): Case => {
    const isPicture = name.endsWith('2d');
    return {
      name,
      isPicture,
      call: (window) => {
        const { size, stride, pad, flag } = window;
        const counted = name.startsWith('avg') ? `, count_pad = ${flag}` : '';
        return pooling(window, isPicture)
          ? `${name}(${size}, stride = ${stride}, pad = ${pad}${counted})`
          : undefined;
      },
    };
  }),
];

function expectAllAgree(program: Program, seed: number): void {
  expectRightGradient(program);
  const tensors = randomTensors(program, seed);
  const tied = coarse(program, tensors);
  expectInvertedIsScattered(program, tied);
  expectEmitted(program, tensors);
  expectEmitted(program, tied);
}

/** Windows may lie in the padding, all of them: then nothing depends on x. */
const touches = ({ h, w, size, stride, pad, dilation }: Window): boolean =>
  [h, w].every((extent) =>
    Array.from(
      { length: 12 * size },
      (_, k) => stride * Math.floor(k / size) + dilation * (k % size) - pad,
    ).some((place) => place >= 0 && place < extent),
  );

describe('the gradient of a layer with windows is right, inverted, scattered, optimised and emitted', () => {
  it.each(cases)('$name', ({ isPicture, call }) => {
    fc.assert(
      fc.property(windows, fc.nat(1000), (window, seed) => {
        const text = touches(window) ? call(window) : undefined;
        fc.pre(text !== undefined);
        const { h, w, channels } = window;
        const axes = [2, h, ...(isPicture ? [w] : []), channels];
        expectAllAgree(programOfLayer(`param x[${axes.join(', ')}] ~ zeros`, `x |> ${text}`).program, seed);
      }),
      { numRuns: 10 },
    );
  });

  it('embedding, with tokens that repeat and one that is padding', () => {
    const embeddings = fc.record({
      count: number(1, 4),
      units: number(1, 3),
      tokens: number(1, 6),
      padding: number(-1, 3),
    });
    fc.assert(
      fc.property(embeddings, fc.nat(1000), ({ count, units, tokens, padding }, seed) => {
        fc.pre(padding < count && !(padding === 0 && count === 1));
        const around = `input token[2, ${tokens}]: ${count}`;
        const call = `token |> embedding(${count}, ${units}, padding = ${padding})`;
        expectAllAgree(programOfLayer(around, call).program, seed);
      }),
      { numRuns: 15 },
    );
  });
});
