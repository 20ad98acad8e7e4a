/** What steps cost: multiply-adds and memory, as polynomials in the batch. */
import { rangeOf } from '../graph/expressions.ts';
import type { Expression, Statement } from '../graph/types.ts';
import type { LoopProgram, Size, Step } from './types.ts';

/** Power of the batch -> coefficient. */
export type Polynomial = ReadonlyMap<number, number>;

/** Terms of all sums of products in a list of calls: an upper bound where reads outside a tensor are skipped. */
export function multiplyAdds({ functions }: LoopProgram, steps: readonly Step[]): Polynomial {
  const computed = new Map(functions.map(({ name, computes }) => [name, computes]));
  const total = new Map<number, number>();
  for (const statement of steps.flatMap((step) => computed.get(step.function) ?? [])) {
    if (statement.combine !== 'sum' || factorsIn(statement.body) < 2) continue;
    const { power, coefficient } = box(statement);
    total.set(power, (total.get(power) ?? 0) + coefficient);
  }
  return total;
}

/** How many factors are multiplied: a condition chooses terms and is none, a constant is taken out of the sum. */
export function factorsIn(body: Expression): number {
  if (body.kind === 'unary' && body.operator === 'negate') return factorsIn(body.operand);
  if (body.kind === 'binary' && body.operator === 'multiply')
    return factorsIn(body.left) + factorsIn(body.right);
  return rangeOf(body) === 'truth' || body.kind === 'constant' ? 0 : 1;
}

function box(statement: Statement): { power: number; coefficient: number } {
  let power = 0;
  let coefficient = 1;
  for (const { extent } of statement.indices) {
    if (typeof extent === 'number') coefficient *= extent;
    else power++;
  }
  return { power, coefficient };
}

/** Bytes of inputs and intermediates (not parameters, gradients and states). */
export function workspaceBytes(loops: LoopProgram): Polynomial {
  const real = loops.dtype === 'f32' ? 4 : 8;
  const total = [0, 0, 0];
  const count = ({ constant, coefficient = 0, quadratic = 0 }: Size, bytes: number): void => {
    [constant, coefficient, quadratic].forEach((elements, power) => (total[power]! += elements * bytes));
  };
  count(loops.pools.workspace, real);
  count(loops.pools.doubles, 8);
  count(loops.pools.integers, 4);
  for (const buffer of loops.buffers.values()) {
    if (buffer.pool === 'input') count(buffer.size, buffer.element === 'integer' ? 4 : real);
  }
  return new Map(total.entries());
}

/** 1234567 as `1,234,567`, the same on every machine. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function printPolynomial(polynomial: Polynomial, symbol: string): string {
  const terms = [...polynomial]
    .filter(([, coefficient]) => coefficient !== 0)
    .toSorted(([a], [b]) => b - a)
    .map(([power, coefficient]) => {
      if (power === 0) return grouped(coefficient);
      return `${grouped(coefficient)} ${power === 1 ? symbol : `${symbol}^${power}`}`;
    });
  return terms.length === 0 ? '0' : terms.join(' + ');
}
