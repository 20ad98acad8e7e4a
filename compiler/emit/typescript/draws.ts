/** @file The calls that fill random tensors at the start of a pass. */
import type { Distribution, Program, Tensor } from '../../graph/types.ts';
import type { LoopProgram } from '../../schedule/types.ts';
import { tensorOf } from './describe.ts';
import { printNumber } from './integers.ts';
import type { Views } from './views.ts';

interface Drawing {
  /** The runtime's function. */
  readonly name: string;
  readonly numbers: readonly number[];
}

function drawingOf(distribution: Distribution): Drawing {
  switch (distribution.kind) {
    case 'uniform':
      return { name: 'drawUniform', numbers: [distribution.low, distribution.high] };
    case 'normal':
      return { name: 'drawNormal', numbers: [distribution.mean, distribution.deviation] };
    case 'bernoulli':
      return { name: 'drawBernoulli', numbers: [distribution.probability] };
  }
}

function drawing({ name, distribution }: Tensor): Drawing {
  if (distribution === undefined) throw new Error(`'${name}' has no distribution`);
  return drawingOf(distribution);
}

/** The functions of the runtime that the draws of a module call. */
export function drawFunctions(program: Program, draws: LoopProgram['draws']): string[] {
  const names = Object.values(draws).flatMap((list) =>
    list.map((name) => drawing(tensorOf(program, name)).name),
  );
  return [...new Set(names)].toSorted();
}

/**
 * `drawBernoulli(keep, first * 128, n * 128, seed, 'keep', step, 0.9);`: elements are counted through the rows of all
 * batches of a step, so that a row gets the same numbers in whatever batch it comes.
 */
export function drawCall(tensor: Tensor, views: Views, rows: string | undefined): string {
  const { name, numbers } = drawing(tensor);
  const isOpen = typeof tensor.axes[0] === 'string';
  const size = tensor.axes.reduce<number>(
    (product, extent) => (typeof extent === 'number' ? product * extent : product),
    1,
  );
  if (isOpen && rows === undefined)
    throw new Error(`'${tensor.name}' has an open axis, but the model has no batch`);
  const times = (factor: string): string => (size === 1 ? factor : `${factor} * ${size}`);
  const place = isOpen ? `${times('first')}, ${times(rows ?? '')}` : `0, ${size}`;
  const stream = JSON.stringify(tensor.name);
  const given = numbers.map((number) => printNumber(number)).join(', ');
  return `${name}(${views.of(tensor.name)}, ${place}, seed, ${stream}, step, ${given});`;
}
