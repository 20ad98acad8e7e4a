import { describe, expect, it } from 'vitest';
import { Random, threefry2x32 } from '../../runtime/random.ts';

describe('Threefry-2x32, 20 rounds', () => {
  // Known-answer vectors of the Random123 distribution (kat_vectors).
  it.each([
    { counter: [0, 0], key: [0, 0], want: [0x6b200159, 0x99ba4efe] },
    { counter: [0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], want: [0x1cb996fc, 0xbb002be7] },
    { counter: [0x243f6a88, 0x85a308d3], key: [0x13198a2e, 0x03707344], want: [0xc4923a9c, 0x483df7a0] },
  ])('encrypts $counter under $key as published', ({ counter, key, want }) => {
    const into = new Uint32Array(2);
    threefry2x32(key[0]!, key[1]!, counter[0]!, counter[1]!, into);
    expect([...into]).toEqual(want);
  });
});

function draw(seed: number, stream: string): number[] {
  const random = new Random(seed, stream);
  return Array.from({ length: 5 }, () => random.uniform());
}

describe('Random', () => {
  it('repeats itself for the same seed and stream, and only then', () => {
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
  });

  it('draws uniformly from [0, 1) and normally with mean 0 and variance 1', () => {
    const random = new Random(3, 'moments');
    const count = 20000;
    let uniform = 0;
    let normal = 0;
    let square = 0;
    for (let i = 0; i < count; i++) {
      const u = random.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      uniform += u / count;
      const x = random.normal();
      normal += x / count;
      square += (x * x) / count;
    }
    expect(uniform).toBeCloseTo(0.5, 1.5);
    expect(normal).toBeCloseTo(0, 1.5);
    expect(square).toBeCloseTo(1, 1);
  });

  it('shuffles to a permutation', () => {
    const order = Uint32Array.from({ length: 100 }, (_, i) => i);
    new Random(7, 'shuffle').shuffle(order);
    expect([...order]).not.toEqual([...order].toSorted((a, b) => a - b));
    expect(new Set(order).size).toBe(100);
  });
});
