/** @file Declarations in the language: inputs, parameters, states, draws. */
import { printNumber } from './print-expression.ts';
import type { Extent, Initializer, Tensor } from './types.ts';

/** `input label[n]: 10`, `param W[784, 128] ~ uniform(-0.1, 0.1)`, `random u[n, 8] ~ bernoulli(0.5)`. */
export function printDeclaration(tensor: Tensor): string {
  const axes = tensor.axes.length === 0 ? '' : `[${tensor.axes.join(', ')}]`;
  if (tensor.role === 'parameter') return `param ${tensor.name}${axes} ~ ${printInitializer(tensor)}`;
  if (tensor.role === 'state') return `state ${tensor.name}${axes} ~ ${printInitializer(tensor)}`;
  if (tensor.role === 'random') return `random ${tensor.name}${axes} ~ ${printDistribution(tensor)}`;
  const { range } = tensor;
  const fallback = tensor.default === undefined ? '' : ` = ${printNumber(tensor.default)}`;
  if (range === undefined) return `input ${tensor.name}${axes}${fallback}`;
  const values = range.least === 0 ? `${range.greatest + 1}` : `${range.least} .. ${range.greatest}`;
  return `input ${tensor.name}${axes}: ${values}${fallback}`;
}

/** `bernoulli(0.9)` */
export function printDistribution({ distribution }: Tensor): string {
  switch (distribution?.kind) {
    case 'uniform':
      return `uniform(${printNumber(distribution.low)}, ${printNumber(distribution.high)})`;
    case 'normal':
      return `normal(${printNumber(distribution.mean)}, ${printNumber(distribution.deviation)})`;
    case 'bernoulli':
      return `bernoulli(${printNumber(distribution.probability)})`;
    default:
      return '';
  }
}

export function printInitializer({ initializer, axes }: Tensor): string {
  if (initializer === undefined) return 'zeros';
  if (initializer.name !== undefined) return initializer.name;
  switch (initializer.kind) {
    case 'constant': {
      if (initializer.value === 0) return 'zeros';
      return initializer.value === 1 ? 'ones' : `constant(${printNumber(initializer.value)})`;
    }
    case 'uniform':
      return `uniform(${printNumber(initializer.low)}, ${printNumber(initializer.high)})`;
    case 'normal':
      return `normal(${printNumber(initializer.mean)}, ${printNumber(initializer.deviation)})`;
    case 'orthogonal':
      return initializer.gain === 1 ? 'orthogonal' : `orthogonal(${printNumber(initializer.gain)})`;
    case 'values':
      return printValues(initializer, axes);
  }
}

/** Explicit first values as lists in lists. */
function printValues({ values }: Extract<Initializer, { kind: 'values' }>, axes: readonly Extent[]): string {
  let items = values.map(printNumber);
  for (const extent of axes.toReversed()) {
    const size = Math.max(1, Number(extent));
    const count = Math.ceil(items.length / size);
    items = Array.from(
      { length: count },
      (_, row) => `[${items.slice(row * size, (row + 1) * size).join(', ')}]`,
    );
  }
  return items[0] ?? '[]';
}
