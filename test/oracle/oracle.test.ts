/** The reference cases, topic by topic: what is listed here passes wholly. `npm run oracle` runs any folder of cases. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadCases } from './cases.ts';
import { checkCase } from './check.ts';

const TOPICS = [
  'ops/activation',
  'ops/loss',
  'ops/elementwise',
  'ops/broadcast',
  'ops/linalg',
  'ops/reduce',
  'ops/select',
  'ops/norm',
  'ops/convention',
  'ops/shape',
  'ops/index',
  'ops/scan',
  'layers/dense',
  'layers/conv',
  'layers/pool',
  'layers/norm',
  'layers/dropout',
  'layers/embedding',
  'layers/attention',
  'layers/residual',
  'layers/recurrent',
  'models/tiny',
  'models/optimizer',
  'models/regularise',
  'models/clip',
  'models/schedule',
  'models/tabular',
  'models/cnn',
  'models/transformer',
  'models/sequence',
  'models/generative',
  'models/finetune',
  'calculus/hessian',
  'calculus/hvp',
  'calculus/jvp',
  'calculus/jacobian',
  'calculus/gradient_penalty',
  'calculus/saliency',
  'calculus/scalar',
  'calculus/second_derivative',
  'calculus/nested',
];

const cases = loadCases(fileURLToPath(new URL('.', import.meta.url)));

describe('reference cases', () => {
  it.each(TOPICS)('%s', async (topic) => {
    const chosen = cases.filter((of) => `${of.family}/${of.topic}` === topic);
    expect(chosen.length).toBeGreaterThan(0);
    for (const of of chosen) expect(await checkCase(of), of.name).toEqual({ kind: 'passed' });
  });

  it('fail when a reference value is off by more than the tolerance', async () => {
    const of = cases.find(({ name }) => name === 'act_sigmoid')!;
    const off: typeof of = {
      ...of,
      read: (tensor) =>
        tensor.role === 'grad' ? of.read(tensor).map((value) => value * (1 + 1e-6)) : of.read(tensor),
    };
    expect((await checkCase(off)).kind).toBe('failed');
  });

  it('that nothing here can express are unsupported, not passed', async () => {
    const of = cases.find(({ name }) => name === 'act_sigmoid')!;
    expect((await checkCase({ ...of, op: 'quantum_relu' })).kind).toBe('unsupported');
  });
});
