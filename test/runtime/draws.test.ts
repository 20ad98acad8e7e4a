/** What models draw: by counter, so that nothing depends on what was drawn before. */
import { describe, expect, it } from 'vitest';
import { drawBernoulli, drawNormal, drawUniform, streamOf, threefry2x32 } from '../../runtime/random.ts';

/** Seed 1, tensor u, step 0; from an implementation of Threefry-2x32-20 in Python. */
const KNOWN = {
  uniform: [3002319, 13634561, 9021282, 8640214],
  normal: [0.7118753203883925, -1.7130401764934846, -1.1090019647728242, -0.10480990214031982],
};

const uniforms = (first: number, count: number, seed = 1, name = 'u', step = 0): number[] => {
  const into = new Float64Array(count);
  drawUniform(into, first, count, seed, name, step, 0, 1);
  return [...into];
};

/** The words of element `place`, by the generator that the published vectors are checked for. */
function wordOf(place: number, seed: number, name: string, step: number): number {
  const pair = new Uint32Array(2);
  threefry2x32(seed, streamOf(name), Math.floor(place / 2), step, pair);
  return pair[place % 2]!;
}

describe('uniform numbers', () => {
  it('are 24 bits of Threefry at (place / 2, step) under (seed, stream)', () => {
    const wanted = Array.from({ length: 9 }, (_, place) => (wordOf(place, 7, 'eps', 3) >>> 8) / 2 ** 24);
    expect(uniforms(0, 9, 7, 'eps', 3)).toEqual(wanted);
  });

  it('have known values', () => {
    expect(uniforms(0, 4, 1, 'u', 0).map((value) => value * 2 ** 24)).toEqual(KNOWN.uniform);
  });

  it('are the same in float32', () => {
    const into = new Float32Array(1000);
    drawUniform(into, 0, 1000, 5, 'u', 2, 0, 1);
    expect([...into]).toEqual(uniforms(0, 1000, 5, 'u', 2));
    expect(into.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it.each([1, 2, 511, 512, 513])('of a part that begins at %i are those of the whole', (first) => {
    const whole = uniforms(0, 1600);
    expect(uniforms(first, 1000)).toEqual(whole.slice(first, first + 1000));
    expect(uniforms(first, 1)).toEqual(whole.slice(first, first + 1));
  });

  it('differ by seed, by tensor and by step', () => {
    const draws = [uniforms(0, 8), uniforms(0, 8, 2), uniforms(0, 8, 1, 'v'), uniforms(0, 8, 1, 'u', 1)];
    expect(new Set(draws.flat()).size).toBe(32);
  });

  it('fill only what is asked for, from low to high', () => {
    const into = new Float64Array(8).fill(9);
    drawUniform(into, 0, 5, 1, 'u', 0, -3, -1);
    expect([...into.subarray(5)]).toEqual([9, 9, 9]);
    expect([...into.subarray(0, 5)]).toEqual(uniforms(0, 5).map((value) => -3 + 2 * value));
  });
});

describe('Bernoulli numbers', () => {
  it('are 1 with their probability', () => {
    const into = new Float32Array(20000);
    for (const probability of [0, 0.1, 0.5, 0.9, 1]) {
      drawBernoulli(into, 0, into.length, 3, 'keep', 0, probability);
      const mean = into.reduce((sum, value) => sum + value, 0) / into.length;
      // four standard deviations
      expect(Math.abs(mean - probability)).toBeLessThanOrEqual(
        4 * Math.sqrt((probability * (1 - probability)) / into.length),
      );
      expect(into.every((value) => value === 0 || value === 1)).toBe(true);
    }
  });

  it('of a part are those of the whole', () => {
    const [whole, part] = [new Float32Array(700), new Float32Array(600)];
    drawBernoulli(whole, 0, 700, 1, 'keep', 4, 0.5);
    drawBernoulli(part, 77, 600, 1, 'keep', 4, 0.5);
    expect([...part]).toEqual([...whole.subarray(77, 677)]);
  });
});

describe('normal numbers', () => {
  it('have mean, deviation and fourth moment of the distribution', () => {
    const into = new Float64Array(40000);
    drawNormal(into, 0, into.length, 2, 'eps', 0, 1, 2);
    const moment = (power: number): number =>
      into.reduce((sum, value) => sum + ((value - 1) / 2) ** power, 0) / into.length;
    expect(moment(1)).toBeCloseTo(0, 1.5);
    expect(moment(2)).toBeCloseTo(1, 1.5);
    expect(moment(3)).toBeCloseTo(0, 1);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
    const neighbours = into.reduce(
      (sum, value, i) => sum + (i % 2 ? (value - 1) * (into[i - 1]! - 1) : 0),
      0,
    );
    expect(Math.abs(neighbours / into.length)).toBeLessThan(0.1);
  });

  it('have known values: the radius of one word, the angle of the next', () => {
    const into = new Float64Array(4);
    drawNormal(into, 0, 4, 1, 'u', 0, 0, 1);
    const [a, b] = [wordOf(0, 1, 'u', 0), wordOf(1, 1, 'u', 0)];
    const radius = Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32));
    expect(into[0]).toBeCloseTo(radius * Math.cos((2 * Math.PI * b) / 2 ** 32), 14);
    expect(into[1]).toBeCloseTo(radius * Math.sin((2 * Math.PI * b) / 2 ** 32), 14);
    for (const [place, value] of KNOWN.normal.entries()) expect(into[place]).toBeCloseTo(value, 12);
  });

  it.each([1, 2, 333])('of a part that begins at %i are those of the whole', (first) => {
    const [whole, part] = [new Float64Array(1200), new Float64Array(801)];
    drawNormal(whole, 0, 1200, 1, 'eps', 4, 0, 1);
    drawNormal(part, first, 801, 1, 'eps', 4, 0, 1);
    expect([...part]).toEqual([...whole.subarray(first, first + 801)]);
  });
});
