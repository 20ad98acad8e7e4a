/** The library's dropout and batch_norm against PyTorch: both modes, running statistics through several batches. */
import { describe, expect, it } from 'vitest';
import { loadCases, type OracleCase } from './cases.ts';
import { compileCase } from './check.ts';
import { difference } from './compare.ts';

const directory = new URL('.', import.meta.url).pathname;
const cases = loadCases(directory).filter(({ op }) => op === 'batch_norm' || op === 'dropout');
const named = (name: string): OracleCase => {
  const found = cases.find((of) => of.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return found;
};

const tensorOf = (of: OracleCase, role: string, name: string, step?: number) => {
  const found = of.tensors.find((each) => each.role === role && each.name === name && each.step === step);
  if (found === undefined) throw new Error(`${of.name} has no ${role} ${name}`);
  return found;
};
const valuesOf = (of: OracleCase, role: string, name: string, step?: number) =>
  of.read(tensorOf(of, role, name, step));

/** PyTorch's channels are the second axis, the library's the last. */
function layout({ shape }: { readonly shape: readonly number[] }): {
  inner: string;
  outer: string;
  shape: string;
} {
  const places = shape.slice(2).map((_, k) => `p${k}`);
  return {
    outer: ['b', 'c', ...places].join(', '),
    inner: ['b', ...places, 'c'].join(', '),
    shape: shape.slice(1).join(', '),
  };
}

/** A model around `call`, with x as data or, for its gradient, as a parameter. */
function modelOf(of: OracleCase, call: string, given: 'input' | 'param'): string {
  const x = tensorOf(of, 'input', 'x');
  const { inner, outer, shape } = layout(x);
  const extents =
    x.shape.length > 2
      ? outer
          .split(', ')
          .map((index, k) => (k === 0 ? index : `${index}: ${x.shape[k]}`))
          .join(', ')
      : outer;
  return [
    'model Case {',
    given === 'param' ? `  param x[${x.shape.join(', ')}] ~ zeros` : `  input x[n, ${shape}]`,
    given === 'param' ? `  input probe[${x.shape.join(', ')}]` : `  input probe[n, ${shape}]`,
    `  last[${inner}] = x[${outer}]`,
    `  norm = last |> ${call}`,
    `  output y[${extents}] = norm[${inner}]`,
    '  loss = sum(probe * y)',
    '  train { optimizer: sgd(rate = 1e-300) }',
    '}',
  ].join('\n');
}

const running = { norm_running_mean: 'running_mean', norm_running_variance: 'running_var' } as const;
const parameters = { norm_gamma: 'g', norm_beta: 'b' } as const;

const problems = (list: readonly (string | undefined)[]): string[] =>
  list.filter((each) => each !== undefined);

async function trainerOf(of: OracleCase, given: 'input' | 'param') {
  const { eps, momentum = 0.1 } = of.hyper as Record<string, number>;
  const text = modelOf(of, `batch_norm(momentum = ${momentum}, eps = ${eps})`, given);
  const trainer = (await compileCase(of, text)).createTrainer({
    batch: tensorOf(of, 'input', 'x').shape[0]!,
  });
  const weights = Object.entries(parameters).map(
    ([own, name]) => [own, valuesOf(of, 'param', name)] as const,
  );
  trainer.setWeights(Object.fromEntries(weights));
  const states = Object.entries(running).map(([own, name]) => [own, valuesOf(of, 'buffer', name)] as const);
  trainer.setState(Object.fromEntries(states));
  return trainer;
}

describe('batch_norm', () => {
  it.each(['batchnorm_1d_train', 'batchnorm_2d_train'])('%s: loss and gradients', async (name) => {
    const of = named(name);
    const trainer = await trainerOf(of, 'param');
    trainer.setWeights({ x: valuesOf(of, 'input', 'x') });
    const { loss = NaN } = trainer.gradientsOnBatch({ probe: valuesOf(of, 'const', 'probe.y') });
    const gradients = trainer.getGradients();
    const wanted = { x: 'x', ...parameters };
    expect(
      problems([
        difference('loss', [loss], [of.scalars?.['loss'] as number], of.tolerance),
        ...Object.entries(wanted).map(([own, theirs]) =>
          difference(own, gradients[own] ?? [], valuesOf(of, 'grad', theirs), of.tolerance),
        ),
      ]),
    ).toEqual([]);
  });

  it.each(['batchnorm_1d_train', 'batchnorm_2d_train'])(
    '%s: running statistics after each batch',
    async (name) => {
      const of = named(name);
      const trainer = await trainerOf(of, 'input');
      const [steps = 0, ...shape] = tensorOf(of, 'const', 'batches.x').shape;
      const size = shape.reduce((product, extent) => product * extent, 1);
      const batches = valuesOf(of, 'const', 'batches.x');
      for (let step = 1; step <= steps; step++) {
        const x = batches.subarray((step - 1) * size, step * size);
        trainer.trainOnBatch({ x, probe: new Float64Array(size) });
        if (![1, 3, 5].includes(step)) continue;
        const states = trainer.getState();
        for (const [own, theirs] of Object.entries(running))
          expect(
            difference(
              `${own} ${step}`,
              states[own] ?? [],
              valuesOf(of, 'after', theirs, step),
              of.tolerance,
            ),
          ).toBeUndefined();
      }
    },
  );

  it.each(['batchnorm_1d_eval', 'batchnorm_2d_eval'])('%s: by the running statistics', async (name) => {
    const of = named(name);
    const trainer = await trainerOf(of, 'input');
    const x = valuesOf(of, 'input', 'x');
    const { loss = NaN } = trainer.evaluate({ x, probe: valuesOf(of, 'const', 'probe.y') });
    expect(
      problems([
        difference('y', trainer.predict({ x })['y'] ?? [], valuesOf(of, 'forward', 'y'), of.tolerance),
        difference('loss', [loss], [of.scalars?.['loss'] as number], of.tolerance),
      ]),
    ).toEqual([]);
  });
});

describe('dropout', () => {
  it('dropout_eval: nothing is dropped', async () => {
    const of = named('dropout_eval');
    const text = 'model Case { input x[n, F]\n output y = dropout(x, 0.5) }'.replace(
      'F',
      String(tensorOf(of, 'input', 'x').shape[1]),
    );
    const x = valuesOf(of, 'input', 'x');
    const y = (await compileCase(of, text)).createTrainer().predict({ x })['y'] ?? [];
    expect(difference('y', y, valuesOf(of, 'forward', 'y'), of.tolerance)).toBeUndefined();
  });
});
