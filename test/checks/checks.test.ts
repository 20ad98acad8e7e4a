import { describe, expect, it } from 'vitest';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { loadPredictor } from '../support/load.ts';
import { checkedTrainer, errorOf, textOf } from './support.ts';

const logarithm = `
model Rates {
  input x[n, 2]
  param w[2] ~ ones
  a[n] = sum[i](x[n, i] * w[i])
  output h[n] = log(a[n])
  loss = mean[n](h[n]^2)
  train { optimizer: sgd(rate = 0.1), batch: 4 }
}`;

describe('a value of the forward pass that is not a number', () => {
  it('is named with its statement, index, operands, place and step', async () => {
    const trainer = await checkedTrainer(logarithm, {}, { without: new Set(['unroll']) });
    trainer.trainOnBatch({ x: [1, 2, 3, 4] });
    const error = await errorOf(() => trainer.trainOnBatch({ x: [1, 1, 2, 2, 1, -3] }));
    expect(error.message).toMatch(
      /^h\[n = 2\] = log\(a\[2\]\) is NaN at model\.dsl:6:10; a\[2\] = -\d\.\d+; in step 2, forward$/,
    );
    expect(error).toMatchObject({
      name: 'CheckError',
      tensor: 'h',
      index: { n: 2 },
      value: NaN,
      statement: 'h[n] = log(a[n])',
      place: 'model.dsl:6:10',
      step: 2,
      phase: 'forward',
    });
  });

  it('leaves the trainer as it was, so that it goes on', async () => {
    const trainer = await checkedTrainer(logarithm);
    trainer.trainOnBatch({ x: [1, 2, 3, 4] });
    const before = trainer.getWeights();
    await errorOf(() => trainer.trainOnBatch({ x: [-1, -1] }));
    expect(trainer.getWeights()).toEqual(before);
    expect(trainer.step).toBe(1);
    trainer.trainOnBatch({ x: [1, 2] });
    expect(trainer.step).toBe(2);
  });

  it('is found in evaluate and predict, too', async () => {
    const trainer = await checkedTrainer(logarithm);
    expect((await errorOf(() => trainer.predict({ x: [-1, -1] }))).phase).toBe('predict');
    expect((await errorOf(() => trainer.evaluate({ x: [-1, -1] }))).message).toContain('a[0] = -2');
    expect(trainer.predict({ x: [1, 0] })['h']).toEqual(Float32Array.of(0));
  });

  it('is of evaluate, not of training, where a fit looks at the rows for validation', async () => {
    const trainer = await checkedTrainer(logarithm);
    const fitting = trainer.fit({ x: [1, 0, 1, 1] }, { epochs: 1, validationData: { x: [-1, -1] } });
    expect((await errorOf(() => fitting)).phase).toBe('evaluate');
  });

  it('takes the history of the finished epochs along', async () => {
    const trainer = await checkedTrainer(logarithm);
    const error = await errorOf(() =>
      trainer.fit(
        { x: [1, 0, 1, 1] },
        {
          epochs: 3,
          onEpoch: ({ epoch }) => {
            if (epoch === 2) trainer.setWeights({ w: [-1, -1] });
          },
        },
      ),
    );
    expect(error.history).toMatchObject({
      epochs: [1, 2],
      history: { loss: [expect.any(Number), expect.any(Number)] },
    });
    expect(error.step).toBe(3);
  });

  it('within an expression that is not stored is found by its operands', async () => {
    const inlined = logarithm
      .replace('  output h', '  h')
      .replace('mean[n](h[n]^2)', 'mean[n](exp(h[n] * 2) + h[n])');
    const trainer = await checkedTrainer(inlined);
    const error = await errorOf(() => trainer.trainOnBatch({ x: [1, 1, -2, 1] }));
    expect(error.message).toContain('a[1] = -1');
    expect(error.value).toBeNaN();
  });

  it('in a sum is the first term that is not a number, or else the largest', async () => {
    const model = `
model Sums {
  input x[n, 3]
  param w[3] ~ ones
  l[n, i] = log(x[n, i])
  output y[n] = sum[i](l[n, i] * w[i])
  loss = mean[n](y[n]^2)
  train { optimizer: sgd }
}`;
    const trainer = await checkedTrainer(model, { limit: 100 }, { without: new Set(['unroll']) });
    expect((await errorOf(() => trainer.predict({ x: [1, 2, 3, 4, -1, -2] }))).message).toBe(
      'l[n = 1, i = 1] = log(x[1, 1]) is NaN at model.dsl:5:3; x[1, 1] = -1; in predict',
    );
    trainer.setWeights({ w: [3, 40, -8] });
    const e = Math.E;
    expect((await errorOf(() => trainer.predict({ x: [1, 2, 1, e, e * e * e, e] }))).message).toBe(
      'y[n = 1] = sum[i](l[1, i] * w[i]) is 115, beyond the limit of 100 at model.dsl:6:10; ' +
        'l[1, 1] = 3, w[1] = 40; in predict',
    );
  });
});

describe('a statement that was put into another one', () => {
  it('is the one that is reported: a logarithm in a sum of sums', async () => {
    const trainer = await checkedTrainer(`
model Likelihood {
  input x[n, 3, 2]
  param w[2] ~ ones
  a[n, t, j] = x[n, t, j] * w[j]
  l[n, t, j] = log(a[n, t, j])
  s[n, j] = sum[t](l[n, t, j])
  o[n] = mean[j](s[n, j])
  loss = mean[n](o[n]^2)
  train { optimizer: sgd }
}`);
    const error = await errorOf(() => trainer.trainOnBatch({ x: [1, 1, 1, 1, 1, 1, 1, 1, 1, -2, 1, 1] }));
    expect(error.message).toBe(
      'l[n = 1, t = 1, j = 1] = log(a[1, 1, 1]) is NaN at model.dsl:6:3; a[1, 1, 1] = -2; in step 1, forward',
    );
  });

  it('of the backward pass, too: the slope of a root at 0', async () => {
    const trainer = await checkedTrainer(`
model Slope {
  input x[n, 3]
  param w[3] ~ ones
  h[n, j] = x[n, j] * w[j]
  k[n, j] = h[n, j]^0.5
  o[n] = sum[j](k[n, j])
  loss = mean[n]((o[n] - 1)^2)
  train { optimizer: sgd }
}`);
    const error = await errorOf(() => trainer.trainOnBatch({ x: [1, 2, 3, 1, 1, 1, 0, 2, 1] }));
    expect(error).toMatchObject({ tensor: 'dh', index: { n: 2, j: 0 }, value: Infinity, phase: 'backward' });
    expect(error.place).toBe('model.dsl:6:3');
    expect(error.operands).toContainEqual({ name: 'h[2, 0]', value: 0 });
  });
});

describe('a limit of Infinity', () => {
  it('still reports what is infinite, in values and in updates', async () => {
    const trainer = await checkedTrainer(
      `
model Quotient {
  input x[n]
  param w ~ ones
  output q[n] = 1 / (x[n] * w)
  loss = mean[n](tanh(q[n]))
  train { optimizer: sgd(rate = inf) }
}`,
      { limit: Infinity },
    );
    expect((await errorOf(() => trainer.predict({ x: [1, 0] }))).message).toMatch(
      /^q\[n = 1\] = .* is Infinity/,
    );
    expect(trainer.predict({ x: [1e-20] })['q']).toEqual(Float32Array.of(1e20));
    expect((await errorOf(() => trainer.trainOnBatch({ x: [1] }))).phase).toBe('update');
  });
});

describe('a cotangent', () => {
  it('that overflows is found where it does', async () => {
    const trainer = await checkedTrainer(`
model Root {
  input x[n]
  param w ~ 0
  u[n] = w * x[n]
  output h[n] = sqrt(u[n])
  loss = mean[n](h[n])
  train { optimizer: sgd }
}`);
    const error = await errorOf(() => trainer.trainOnBatch({ x: [1, 4] }));
    expect(error.phase).toBe('backward');
    expect(error.value).toBe(Infinity);
    expect(error.operands).toContainEqual({ name: 'h[0]', value: 0 });
  });
});

describe('an update', () => {
  const careless = (statement: string): string => `
optimizer careless(rate = 0.1) {
  state m ~ zeros
  m' = m + g
  p' = ${statement}
}
model Line {
  input x[n, 2]
  param w[2] ~ ones
  loss = mean[n](sum[i](x[n, i] * w[i]))
  train { optimizer: careless }
}`;

  it('that makes a parameter infinite is undone, and says what it was made of', async () => {
    const trainer = await checkedTrainer(careless("p - rate * g / sqrt(m'^2)"));
    trainer.trainOnBatch({ x: [1, 1] });
    const before = trainer.getWeights();
    const error = await errorOf(() => trainer.trainOnBatch({ x: [2, -1] }));
    expect(error).toMatchObject({ phase: 'update', tensor: 'w', step: 2, value: Infinity, index: { i: 1 } });
    expect(error.operands).toEqual([
      { name: 'w[1]', value: before['w']![1] },
      { name: 'dw[1]', value: -1 },
      { name: "w.m'[1]", value: 0 },
    ]);
    expect(error.statement).toBe("p' = p - rate * g / sqrt(m'^2)");
    expect(error.place).toBe('model.dsl:5:3');
    expect(trainer.getWeights()).toEqual(before);
    expect(trainer.step).toBe(1);
  });

  it('that makes a state infinite is told by the statement of that state, with its value before', async () => {
    const text = careless("p - rate * m'").replace("m' = m + g", "m' = 1 / (m + g - 1)");
    const error = await errorOf(async () => (await checkedTrainer(text)).trainOnBatch({ x: [2, 1] }));
    expect(error.message).toBe(
      'w.m[i = 1] = 1 / (m + g - 1) is Infinity at model.dsl:4:3; w.m[1] = 0, dw[1] = 1; in step 1, update',
    );
  });

  it('of a matrix has the formula as it is written, whatever the place in memory', async () => {
    const text = careless("p - rate * g / sqrt(m')")
      .replace('w[2]', 'w[2, 3]')
      .replace('w[i]', 'w[i, j]')
      .replace('sum[i]', 'sum[i, j]');
    const error = await errorOf(async () => (await checkedTrainer(text)).trainOnBatch({ x: [2, -1] }));
    expect(error.message).toBe(
      "w[i = 1, j = 0] = p - rate * g / sqrt(m') is NaN at model.dsl:5:3; " +
        "w[1, 0] = 1, dw[1, 0] = -1, w.m'[1, 0] = -1; in step 1, update",
    );
  });

  it('that makes a parameter explode is reported by the limit, which may be changed between steps', async () => {
    const options = { limit: 1e12 };
    const trainer = await checkedTrainer(careless('p - 1e4 * g'), options);
    trainer.trainOnBatch({ x: [1, 0] });
    options.limit = 1e3;
    const error = await errorOf(() => trainer.trainOnBatch({ x: [0, 1] }));
    expect(error.message).toContain('beyond the limit of 1000');
    options.limit = Infinity;
    trainer.trainOnBatch({ x: [0, 1] });
    expect(trainer.step).toBe(2);
  });
});

describe('a recurrence', () => {
  const recurrent = (direction: string, before: string): string => `
model Steps {
  dim T = 4
  input x[n, T]
  param w ~ 1
  scan t${direction} {
    a[n, t] = w * x[n, t] + (h[n, ${before}] else 0)
    h[n, t] = log(a[n, t])
  }
  output h
  loss = mean[n, t](h[n, t]^2)
  train { optimizer: sgd }
}`;

  it('is reported at its first wrong step, whatever comes first in memory', async () => {
    const trainer = await checkedTrainer(recurrent('', 't - 1'));
    const e = Math.E;
    const error = await errorOf(() => trainer.predict({ x: [e, e, e, -9, e, -9, e, e] }));
    expect(error.index).toEqual({ n: 1, t: 1 });
    expect(error.tensor === 'h' || error.tensor === 'a').toBe(true);
    expect(error.message).toContain('[1, 1] = -');
  });

  it('that runs backwards begins with its last step', async () => {
    const trainer = await checkedTrainer(recurrent(' reversed', 't + 1'));
    const e = Math.E;
    const error = await errorOf(() => trainer.predict({ x: [-9, e, e, e, e, e, -9, e] }));
    expect(error.index).toEqual({ n: 1, t: 2 });
  });
});

describe('what is meant to be infinite', () => {
  const masked = (mask: string): string => `
model Masked {
  dim T = 3
  input x[n, T]
  param w ~ 1
  s[n, i: T, j: T] = w * x[n, i] * x[n, j]
  m[n, i, j] = ${mask}
  output p[n, i, j] = softmax[j](m[n, i, j])
  output m
  loss = mean[n, i, j](p[n, i, j]^2)
  train { optimizer: sgd }
}`;

  it.each(['j <= i ? s[n, i, j] : -inf', 's[n, i, j] + (j <= i ? 0 : -inf)', 's[n, i, j] + (j > i) * -1e15'])(
    '%s is not reported',
    async (mask) => {
      const trainer = await checkedTrainer(masked(mask));
      trainer.trainOnBatch({ x: [1, 2, 3] });
      expect(trainer.step).toBe(1);
    },
  );

  it('does not hide what is NaN, or infinite elsewhere', async () => {
    const trainer = await checkedTrainer(masked('j <= i ? s[n, i, j] : -inf'));
    const error = await errorOf(() => trainer.predict({ x: [1, 2, 1e25] }));
    expect(error).toMatchObject({ tensor: 's', index: { n: 0, i: 2, j: 0 }, place: 'model.dsl:6:3' });
    expect(error.message).toContain('beyond the limit of 1000000000000');
    expect(error.message).toContain('x[0, 2] = 1e+25');
  });
});

describe('modules of other kinds', () => {
  it('scatters: the terms that meet in the element', async () => {
    const trainer = await checkedTrainer(`
model Scatter {
  input token[n]: 5
  input x[n]
  param w ~ 1
  counts[token[n]: 5] += w * x[n] for n
  output counts
  loss = sum(counts^2)
  train { optimizer: sgd }
}`);
    const error = await errorOf(() => trainer.predict({ token: [1, 2, 1, 4], x: [1, 1, 1e13, 1] }));
    expect(error.index).toEqual({ i0: 1 });
    expect(error.operands).toContainEqual({ name: 'x[2]', value: Math.fround(1e13) });
  });

  it('float64, and one that imports nothing', async () => {
    const double = await checkedTrainer(logarithm, {}, { dtype: 'f64' });
    expect((await errorOf(() => double.predict({ x: [-1, -1] }))).operands[0]!.value).toBe(-2);
    const alone = await textOf(logarithm, { checks: true, standalone: runtimeText(['checks']) });
    expect(alone).not.toMatch(/^import/m);
    expect(alone).toContain('class Checks ');
  });

  it('for inference', async () => {
    const text = await textOf(logarithm, { checks: true, inference: true });
    const predictor = loadPredictor(text).createPredictor();
    predictor.setWeights({ w: [1, 1] });
    expect((await errorOf(() => predictor.predict({ x: [-1, -1] }))).message).toBe(
      'h[n = 0] = log(sum[i](x[0, i] * w[i])) is NaN at model.dsl:6:10; sum = -2, x[0, 0] = -1, w[0] = 1; in predict',
    );
  });

  it('unrolled, as tiny models are', async () => {
    const trainer = await checkedTrainer(logarithm);
    expect((await errorOf(() => trainer.trainOnBatch({ x: [1, 1, -2, 1] }))).operands).toContainEqual({
      name: 'a[1]',
      value: -1,
    });
  });
});

describe('without the flag', () => {
  it('no byte of the module is another', async () => {
    expect(await textOf(logarithm, { checks: false })).toBe(await textOf(logarithm));
    expect(await textOf(logarithm)).not.toMatch(/check/i);
  });
});
