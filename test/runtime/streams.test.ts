/** Evaluation and prediction a batch of a stream at a time. */
import { describe, expect, it } from 'vitest';
import { DataError, evaluateStream, predictStream } from 'chainrule/runtime';
import { batches } from 'chainrule/data';
import { moduleOf } from './support.ts';

const LINE = `model Line {
  input x[n, 2]
  input t[n]
  output y[n] = sum[i](x[n, i] * w[i])
  loss        = mean[n]((y[n] - t[n])^2)
  metric far  = mean[n](abs(y[n] - t[n]) > 1)
  train { optimizer: sgd(rate = 0.1), batch: 4 }
}`.replace('  output', '  param w[2] ~ [1, -2]\n  output');

const ROWS = 11;
const data = {
  x: Float64Array.from({ length: 2 * ROWS }, (_, i) => Math.sin(i)),
  t: Float64Array.from({ length: ROWS }, (_, i) => Math.cos(i)),
};
const part = (from: number, to: number): typeof data => ({
  x: data.x.slice(2 * from, 2 * to),
  t: data.t.slice(from, to),
});

describe('a stream', () => {
  it.each([
    ['of small batches', [0, 3, 4, 8, 11]],
    ['of batches larger than the trainer takes', [0, 10, 11]],
  ])('%s has the results and outputs of its rows', async (_, cuts) => {
    const trainer = (await moduleOf(LINE)).createTrainer();
    const stream = cuts.slice(1).map((to, k) => part(cuts[k]!, to));
    const whole = trainer.evaluate(data);
    const results = await evaluateStream(trainer, stream);
    expect(Object.keys(results)).toEqual(['loss', 'far']);
    for (const [name, value] of Object.entries(whole)) expect(results[name]).toBeCloseTo(value, 12);
    const outputs: number[] = [];
    for await (const each of predictStream(trainer, stream)) outputs.push(...each['y']!);
    expect(outputs).toEqual([...trainer.predict(data)['y']!]);
  });

  it('may be a function, as for fit', async () => {
    const trainer = (await moduleOf(LINE)).createTrainer();
    const rows = Array.from({ length: ROWS }, (_, row) => part(row, row + 1));
    const stream = (): ReturnType<typeof batches> => batches(rows, 4);
    const { loss } = await evaluateStream(trainer, stream);
    expect(loss).toBeCloseTo(trainer.evaluate(data)['loss']!, 12);
  });

  it('that is wrong says in which batch', async () => {
    const trainer = (await moduleOf(LINE)).createTrainer();
    const wrong = [part(0, 3), { x: Float64Array.of(1, NaN), t: Float64Array.of(1) }];
    await expect(evaluateStream(trainer, wrong)).rejects.toThrow(/^batch 1: input 'x' .*NaN/);
    await expect(evaluateStream(trainer, [])).rejects.toThrow(new DataError('the stream has no batch'));
    await expect(evaluateStream(trainer, data as never)).rejects.toThrow('a stream must be an iterable');
    await expect(evaluateStream(trainer, (() => data) as never)).rejects.toThrow(
      new DataError('a stream must be an iterable of batches or a function that makes one, found Object'),
    );
    await expect(predictStream(trainer, wrong).next()).resolves.toMatchObject({ done: false });
  });

  it('given where arrays belong is said to be one', async () => {
    const trainer = (await moduleOf(LINE)).createTrainer();
    const words = 'data must be an object with an array for each input, found an iterable';
    expect(() => trainer.evaluate([data] as never)).toThrow(new DataError(words));
    expect(() => trainer.predict([data] as never)).toThrow(new DataError(words));
  });
});
