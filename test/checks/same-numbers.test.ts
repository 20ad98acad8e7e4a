/** With `--checks` every number is the same to the bit: the steps are the same, and what looks at values only reads them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { Random } from '../../runtime/index.ts';
import type { ModelDescription } from '../../runtime/index.ts';
import { loadModule } from '../support/load.ts';
import type { Arrays } from './support.ts';

const ROWS = 5;

/** Normal numbers, and integers of the range that is allowed. */
function dataFor({ inputs }: Pick<ModelDescription, 'inputs'>): Arrays {
  const random = new Random(7, 'data');
  return Object.fromEntries(
    inputs.map(({ name, shape, batched, element, least = 0, greatest = 0 }) => {
      const length = shape.reduce((product, extent) => product * extent, batched ? ROWS : 1);
      const value = (): number =>
        element === 'integer' ? least + random.integer(greatest - least + 1) : 0.5 * random.normal();
      return [name, Array.from({ length }, value)];
    }),
  );
}

const models = ['xor', 'iris', 'digits-small', 'names', 'regression', 'vae'];

describe('with --checks', () => {
  it.each(models.flatMap((name) => (['f32', 'f64'] as const).map((dtype) => ({ name, dtype }))))(
    '$name in $dtype trains, evaluates and predicts the same numbers',
    async ({ name, dtype }) => {
      const path = `examples/${name}/${name}.dsl`;
      const source = { path, text: readFileSync(path, 'utf8') };
      const [plain, checked] = await Promise.all(
        [false, true].map(async (checks) => {
          const { modules } = await compile(source, { checks, dtype, format: false });
          const trainer = loadModule(modules[0]!.text).createTrainer({ seed: 3, batch: ROWS });
          const data = dataFor(trainer.description);
          const losses = Array.from({ length: 3 }, () => ({ ...trainer.trainOnBatch(data) }));
          return {
            losses,
            weights: trainer.getWeights(),
            after: trainer.evaluate(data),
            outputs: trainer.predict(data),
          };
        }),
      );
      expect(checked).toEqual(plain);
      expect(Object.values(checked!.weights).every((values) => values.every(Number.isFinite))).toBe(true);
    },
  );
});
