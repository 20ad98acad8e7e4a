/** Predictors: where their weights come from, and what they refuse. */
import { describe, expect, it } from 'vitest';
import {
  getTensors,
  quantise,
  readNpz,
  setTensors,
  writeNpz,
  dequantise,
} from '../../runtime/formats/index.ts';
import { BUSY, moduleOf, predictorOf, rowsOf } from './support.ts';

const model = BUSY.replace('  z = h', '  aside = h |> dense(2)\n  z = h').replace(
  '+ l2(z_W',
  '+ mean(aside^2) + l2(z_W',
);
const module = await moduleOf(model);
const inference = await predictorOf(model);
const data = rowsOf(10);
const { x } = data;

async function trained() {
  const trainer = module.createTrainer();
  await trainer.fit(data);
  return trainer;
}

describe('a predictor', () => {
  it('predicts with the weights and running statistics of a trainer', async () => {
    const trainer = await trained();
    const predictor = inference.createPredictor();
    predictor.copyWeights(trainer);
    expect(predictor.predict({ x })).toEqual(trainer.predict({ x }));
    const another = inference.createPredictor({ batch: 3 });
    another.copyWeights(predictor);
    expect(another.predict({ x })).toEqual(trainer.predict({ x }));
  });

  it('takes weights by name; those that it has no use for are passed over', async () => {
    const trainer = await trained();
    const predictor = inference.createPredictor();
    predictor.setWeights(trainer.getWeights());
    const states = Object.keys(predictor.getState());
    expect(() => predictor.predict({ x })).toThrow(`${states.join(', ')} of model Busy must be set`);
    predictor.setState(Object.fromEntries(states.map((name) => [name, trainer.getState()[name]!])));
    expect(predictor.predict({ x })).toEqual(trainer.predict({ x }));
    expect(Object.keys(predictor.getWeights())).not.toContain('aside_W');
  });

  it('takes files of weights', async () => {
    const trainer = await trained();
    const predictor = inference.createPredictor();
    const bytes = writeNpz(getTensors(trainer));
    expect(setTensors(predictor, readNpz(bytes))).toMatchObject({ missing: [], unexpected: [] });
    expect(predictor.predict({ x })).toEqual(trainer.predict({ x }));
    setTensors(predictor, dequantise(readNpz(writeNpz(quantise(getTensors(trainer))))));
    const [exact, near] = [trainer.predict({ x })['p']!, predictor.predict({ x })['p']!];
    expect(near).not.toEqual(exact);
    near.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(0.02));
  });

  it('refuses what does not fit, before anything is changed', async () => {
    const predictor = inference.createPredictor();
    predictor.copyWeights(await trained());
    const before = predictor.getWeights();
    expect(() => predictor.setWeights({ z_b: [1, 2, 3], z_w: [1] })).toThrow("there is no parameter 'z_w'");
    expect(() => predictor.setWeights({ z_b: [1, 2] })).toThrow('needs 3 values, found 2');
    expect(() => predictor.setWeights({ z_b: [1, 2, NaN] })).toThrow('is NaN at element 2');
    expect(() => predictor.copyWeights({ getWeights: () => ({}), getState: () => ({}) })).toThrow(
      'to be copied',
    );
    expect(() => predictor.predict({})).toThrow("input 'x' [rows, 3] is missing");
    expect(() => inference.createPredictor({ batch: 0 })).toThrow('batch must be a whole number');
    expect(() => inference.createPredictor({ seed: 0.5 })).toThrow('seed must be a whole number');
    expect(predictor.getWeights()).toEqual(before);
  });

  it('draws by its seed', async () => {
    const noise = await predictorOf(
      'model Noise {\n input x[n]\n random e[n] ~ normal(0, 1)\n output y[n] = x[n] + e[n]\n}',
    );
    const drawn = (seed: number) => noise.createPredictor({ seed }).predict({ x: [0, 0, 0] })['y']!;
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
});
