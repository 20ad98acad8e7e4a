/** Weights in one byte a number: how far off, how large, and what is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, dequantise, quantise, type Tensors } from '../../runtime/formats/index.ts';
import { DataError } from '../../runtime/index.ts';

const matrix = (data: readonly number[], channels: number): Tensors => ({
  W: { shape: [data.length / channels, channels], data: Float32Array.from(data) },
});

describe('quantise', () => {
  it('writes -127 .. 127 and a scale for each output channel', () => {
    const { W, 'W.scale': scale } = quantise(matrix([1, -4, 0.5, 2], 2));
    expect(W).toEqual({ shape: [2, 2], data: Int8Array.of(127, -127, 64, 64) });
    expect(scale).toEqual({ shape: [2], data: Float32Array.of(1 / 127, 4 / 127) });
  });

  it('writes one scale for a tensor where that is asked for', () => {
    const { W, 'W.scale': scale } = quantise(matrix([1, -4, 0.5, 2], 2), { scales: 'tensor' });
    expect(W!.data).toEqual(Int8Array.of(32, -127, 16, 64));
    expect(scale).toEqual({ shape: [], data: Float32Array.of(4 / 127) });
  });

  it('is never farther off than half a scale, and keeps 0', () => {
    // not so small that a scale is denormal
    const number = fc
      .float({ noNaN: true, min: -1000, max: 1000 })
      .map((value) => (Math.abs(value) < 1e-30 ? 0 : value));
    const values = fc.array(number, {
      minLength: 6,
      maxLength: 6,
    });
    fc.assert(
      fc.property(values, fc.constantFrom('channel', 'tensor'), (data, scales) => {
        const stored = quantise(matrix(data, 3), { scales });
        const back = dequantise(stored)['W']!.data;
        const scale = stored['W.scale']!.data;
        data.forEach((value, i) => {
          const half = scale[i % scale.length]! / 2;
          expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(half * (1 + 1e-5));
          if (value === 0) expect(back[i]).toBe(0);
        });
      }),
    );
  });

  it('leaves vectors, integers and what is not named as it is', () => {
    const tensors: Tensors = {
      ...matrix([1, 2, 3, 4], 2),
      V: { shape: [1, 2], data: Float64Array.of(1, 2) },
      b: { shape: [2], data: Float32Array.of(1, 2) },
      k: { shape: [1, 1], data: Int32Array.of(3) },
    };
    expect(Object.keys(quantise(tensors))).toEqual(['W', 'W.scale', 'V', 'V.scale', 'b', 'k']);
    const named = quantise(tensors, { parameters: ['V', 'b'] });
    expect(Object.keys(named)).toEqual(['W', 'V', 'V.scale', 'b', 'b.scale', 'k']);
    expect(named['W']).toBe(tensors['W']);
    expect(bytesOf(tensors)).toBe(16 + 16 + 8 + 4);
    expect(bytesOf(quantise(tensors))).toBe(4 + 8 + 2 + 8 + 8 + 4);
    expect(Object.keys(dequantise(named))).toEqual(Object.keys(tensors));
  });

  it('refuses what it cannot do', () => {
    expect(() => quantise(matrix([1, NaN], 1))).toThrow("tensor 'W' is NaN at element 1");
    expect(() => quantise(matrix([1], 1), { parameters: 'U*' })).toThrow("no parameter is called 'U*'");
    expect(() => quantise(matrix([1], 1), { scales: 'row' as 'channel' })).toThrow('scales must be');
    const { W } = quantise(matrix([1, 2], 2));
    const taken = { ...matrix([1], 1), 'W.scale': { shape: [1], data: Float32Array.of(7) } };
    expect(() => quantise(taken)).toThrow(
      new DataError("tensor 'W.scale' is in the way of the scales of 'W'; rename it, or leave 'W' out"),
    );
    expect(quantise(taken, { parameters: 'W.scale' })['W.scale.scale']).toBeDefined();
    expect(() => dequantise({ W: W! })).toThrow("there is no 'W.scale'");
    const scale = { shape: [3], data: Float32Array.of(1, 1, 1) };
    expect(() => dequantise({ W: W!, 'W.scale': scale })).toThrow('2 channels, which 3 scales do not fit');
  });
});
