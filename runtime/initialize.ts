/** First values of parameters. */
import { DataError } from './errors.ts';
import type { Random } from './random.ts';
import type { CompiledModel, Initializer, RealArray } from './types.ts';

/** Fills one tensor with its first values. */
export function initialize(
  { initializers }: Pick<CompiledModel, 'initializers'>,
  { shape, initializer }: { readonly shape: readonly number[]; readonly initializer: Initializer },
  view: RealArray,
  random: Random,
): void {
  switch (initializer.kind) {
    case 'constant':
      view.fill(initializer.value);
      return;
    case 'uniform': {
      const { low, high } = initializer;
      for (let i = 0; i < view.length; i++) view[i] = low + (high - low) * random.uniform();
      return;
    }
    case 'normal': {
      const { mean, deviation } = initializer;
      for (let i = 0; i < view.length; i++) view[i] = mean + deviation * random.normal();
      return;
    }
    case 'orthogonal':
      if (!initializers) throw new DataError('the module was emitted for another runtime: compile it again');
      initializers.orthogonal(initializer.gain, shape, view, random);
      return;
    case 'values':
      view.set(initializer.values);
  }
}
