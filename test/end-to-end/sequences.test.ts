/** The sequence models of the examples: what counts, what is seen, and what they are compared with. */
import { describe, expect, it } from 'vitest';
import { createTrainer as createGpt } from '../../generated/gpt.ts';
import { createTrainer as createNames } from '../../generated/names.ts';
import {
  allWindows,
  ASCII,
  bigram,
  bigramLoss,
  decode,
  draw,
  encode,
  randomWindows,
  write,
  type Writer,
} from '../../examples/common/text.ts';
import { loadMobyDick } from '../../examples/gpt/data.ts';
import { loadNames, rowsOf, STEPS, SYMBOLS } from '../../examples/names/data.ts';
import { Random } from '../../runtime/index.ts';

describe('names', () => {
  const trainer = createNames({ batch: 3 });
  const rows = rowsOf(['ann', 'christopher', 'bo']);

  it('the loss is -log of the probability of the letters and the end, and of nothing else', () => {
    const { p } = trainer.predict({ seen: rows.seen });
    let sum = 0;
    for (const [row, name] of ['ann', 'christopher', 'bo'].entries()) {
      for (const [t, symbol] of [...encode(name, SYMBOLS), 0].entries())
        sum -= Math.log(p[(row * STEPS + t) * SYMBOLS.length + symbol]!);
    }
    expect(trainer.evaluate(rows)['loss']).toBeCloseTo(sum / 3, 5);
  });

  it('what stands after the end changes neither the loss nor any gradient', () => {
    const filled = { ...rows, seen: rows.seen.slice(), next: rows.next.slice() };
    for (const [row, length] of rows.length.entries()) {
      filled.seen.fill(7, row * STEPS + length, (row + 1) * STEPS);
      filled.next.fill(9, row * STEPS + length, (row + 1) * STEPS);
    }
    expect(filled.seen).not.toEqual(rows.seen);
    const loss = trainer.gradientsOnBatch(rows)['loss'];
    const gradients = trainer.getGradients();
    expect(trainer.gradientsOnBatch(filled)['loss']).toBe(loss);
    for (const [name, values] of Object.entries(trainer.getGradients()))
      expect(Math.max(...values.map((value, i) => Math.abs(value - gradients[name]![i]!))), name).toBe(0);
  });

  it('the names to test with are others than those to train on', () => {
    const { train, test } = loadNames();
    expect(new Set([...train, ...test]).size).toBe(8403);
    expect([train.length, test.length]).toEqual([7562, 841]);
  });
});

describe('gpt', () => {
  it('sees nothing that comes later', () => {
    const trainer = createGpt({ batch: 1 });
    const one = encode(
      'It was a clear steel-blue day. The firmaments of air and sea were'.slice(0, 64),
      ASCII,
    );
    const other = one.slice().fill(5, 40);
    const [p, q] = [trainer.predict({ text: one }).p, trainer.predict({ text: other }).p];
    const seen = 40 * ASCII.length;
    expect(q.subarray(0, seen)).toEqual(p.subarray(0, seen));
    expect(q.subarray(seen)).not.toEqual(p.subarray(seen));
  });

  it('is validated on the end of the book, of which it sees nothing before', () => {
    const { train, validation } = loadMobyDick();
    expect(train.length + validation.length).toBe(1191268);
    expect(decode(train.subarray(0, 20), ASCII)).toBe('CHAPTER 1. Loomings.');
    expect(decode(validation.subarray(-20), ASCII)).toContain('thousand years ago.');
  });
});

describe('text', () => {
  const codes = encode('abcabcab', 'abc');

  it('encodes and decodes', () => {
    expect(decode(encode('Ahoy,\nship!', ASCII), ASCII)).toBe('Ahoy,\nship!');
    expect(ASCII).toHaveLength(96);
    expect(() => encode('Æ', ASCII)).toThrow('"Æ" is not in the alphabet');
  });

  it('cuts windows with the character that comes next at each place', () => {
    expect(allWindows(codes, 3)).toEqual({
      text: Uint8Array.of(0, 1, 2, 0, 1, 2),
      next: Uint8Array.of(1, 2, 0, 1, 2, 0),
    });
    const { text, next } = randomWindows(codes, 4, 50, new Random(3, 'windows'));
    expect(text).toHaveLength(200);
    expect(next).toEqual(text.map((code) => (code + 1) % 3));
    expect(new Set(text.filter((_, i) => i % 4 === 0)).size).toBe(3);
  });

  it('bigram: counts, with one added to each', () => {
    const table = bigram({ text: [0, 0, 1], next: [1, 1, 0] }, 2);
    expect([...table].map(Math.exp)).toEqual([1 / 4, 3 / 4, 2 / 3, 1 / 3].map((p) => expect.closeTo(p, 12)));
    expect(bigramLoss(table, { text: [0, 1], next: [1, 1] })).toBeCloseTo(
      -(Math.log(3 / 4) + Math.log(1 / 3)) / 2,
    );
    const masked = { text: [0, 1], next: [1, 1], counts: (i: number) => i === 0 };
    expect(bigramLoss(table, masked)).toBeCloseTo(-Math.log(3 / 4));
  });

  it('draws by probability, sharper at a low temperature, the same with the same seed', () => {
    const share = (temperature: number): number => {
      const random = new Random(1, 'draw');
      return (
        Array.from({ length: 4000 }, () => draw([0.2, 0.8], temperature, random)).filter((k) => k === 1)
          .length / 4000
      );
    };
    expect(share(1)).toBeCloseTo(0.8, 1);
    expect(share(0.5)).toBeCloseTo(0.64 / 0.68, 1); // 0.8² / (0.2² + 0.8²)
    expect(share(0.01)).toBe(1);
    expect(share(1)).toBe(share(1));
  });

  it('writes on from the last characters that fit into the context', () => {
    const context = 4;
    const counting: Writer = {
      // after c comes c + 1, modulo 10, told at every place
      predict: ({ text }) => ({
        p: Float32Array.from({ length: context * 10 }, (_, i) =>
          i % 10 === (text[Math.floor(i / 10)]! + 1) % 10 ? 1 : 0,
        ),
      }),
    };
    const written = write(counting, Uint8Array.of(7, 8), 6, context, 1, new Random(1, 'sample'));
    expect([...written]).toEqual([7, 8, 9, 0, 1, 2, 3, 4]);
  });
});
