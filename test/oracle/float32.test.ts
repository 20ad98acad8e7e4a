/** The reference cases in float32: some of every family, and the rule for gradients that are only rounding. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadCases, type OracleCase, type OracleTensor } from './cases.ts';
import { checkCase, compileCase } from './check.ts';
import { BesideFloat64, inFloat32, isNormalised, ROUNDING, roundingIn } from './float32.ts';

const TOPICS = [
  'ops/activation',
  'ops/elementwise',
  'ops/linalg',
  'ops/select',
  'layers/pool',
  'layers/norm',
  'layers/embedding',
  'layers/attention',
  'models/tabular',
];

/** Cases beside those of the topics. */
const CASES = [
  'loss_ce_logits_index_mean',
  'loss_bce_logits_extreme',
  'reduce_logsumexp_axis_1_keep',
  'conv2d_stride2_pad1',
  'lstm_last',
  'gru_masked_lengths',
  'mlp_adam',
  'mlp_clip_norm_sgd',
  'lenet_tanh_avgpool',
];

const cases = loadCases(fileURLToPath(new URL('.', import.meta.url)));
const named = (name: string): OracleCase => {
  const found = cases.find((of) => of.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return inFloat32(found);
};

/** The case with one value of a tensor changed, in both precisions. */
function changed(of: OracleCase, [role, name, step]: [string, string, number], at: number, by: number) {
  const read = (tensor: OracleTensor): Float64Array =>
    Float64Array.from(of.read(tensor), (value, i) =>
      tensor.role === role && tensor.name === name && tensor.step === step && i === at ? value + by : value,
    );
  return { ...of, read, ...(of.exact === undefined ? {} : { exact: { ...of.exact, read } }) };
}

describe('reference cases in float32', () => {
  it.each(TOPICS)('%s', async (topic) => {
    const chosen = cases.filter((of) => `${of.family}/${of.topic}` === topic);
    expect(chosen.length).toBeGreaterThan(0);
    for (const of of chosen) expect((await checkCase(inFloat32(of))).kind, of.name).toBe('passed');
  });

  it.each(CASES)('%s', async (name) => {
    expect(await checkCase(named(name))).toEqual({ kind: 'passed' });
  });
});

describe('a gradient that is only rounding', () => {
  const digits = named('softmax_digits');

  it('is excused where its terms cancel', async () => {
    expect(await checkCase(digits)).toEqual({ kind: 'passed', excused: ['W_[481]'] });
  });

  it("is excused for the biases of attention's keys, which shift all scores of a row alike, and for nothing else", async () => {
    const verdict = await checkCase(named('gpt_tied_recipe'));
    const excused = verdict.kind === 'passed' ? (verdict.excused ?? []) : [];
    expect(excused.length, JSON.stringify(verdict)).toBeGreaterThan(0);
    // Of 18 biases, the first 6 are the queries', the last 6 the values'.
    for (const name of excused) expect(name).toMatch(/^h[01]_qkv_b_\[([6-9]|10|11)\]$/);
  });

  it('is not excused without a float64 run to say so', async () => {
    const { exact: _, ...alone } = digits;
    expect((await checkCase(alone)).kind).toBe('failed');
  });

  it('excuses no wrong value: neither of its own weight nor of another', async () => {
    for (const at of [481, 482])
      expect((await checkCase(changed(digits, ['after', 'W', 1], at, 1e-3))).kind, `W[${at}]`).toBe('failed');
  });

  it('is so in both precisions', () => {
    const small = ROUNDING / 2;
    expect(roundingIn([1, 0, 0, small, 2 * ROUNDING], [1, 0, 2 * ROUNDING, small, 0])).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(roundingIn([1, 0], [1, NaN])).toEqual([false, false]);
  });

  it('is excused for few weights only', async () => {
    const text = `model Cancelled {
      input x[n]
      param b[3] ~ zeros
      loss = sum[n](x[n] * (b[0] - b[1])) + (b[2] - 1)^2
      train { optimizer: adam(rate = 0.1) }
    }`;
    const create = async (dtype: 'float32' | 'float64') =>
      (await compileCase({ name: 'cancelled', dtype }, text)).createTrainer({ batch: 3 });
    const trainer = await create('float32');
    const beside = new BesideFloat64(digits, trainer, await create('float64'));
    const inputs = { x: [0.7, -0.6, -0.1] };
    expect(beside.problem()).toBeUndefined();
    trainer.gradientsOnBatch(inputs);
    beside.train(inputs, 0.1);
    expect([...beside.excused]).toEqual(['b[0]', 'b[1]']);
    expect(beside.problem()).toBe('2 of 3 weights have no gradient beyond rounding');
  });

  it('is excused only where the step does not shrink with the gradient', () => {
    const excusing = ['softmax_digits', 'gpt_adamw', 'mlp_sgd', 'mlp_adam_coupled_l2'].filter((name) =>
      isNormalised(named(name)),
    );
    expect(excusing).toEqual(['softmax_digits', 'gpt_adamw']);
  });
});
