/**
 * Contractions of whole matrices, each in its rows: their strides follow from the sizes, so that a call says no more
 * than `contract_tn(x, dh, dW, 784, 128, batch)`. All other contractions call the kernel with strides and places.
 */
import { integer, integerKey, variable } from './integers.ts';
import { contractionName, operands } from './kernels.ts';
import type { IntegerExpression, LoopFunction, LoopStatement } from './types.ts';

/** What the kernel is given: c[i, j] += Σ_p a[i, p] · b[p, j], blocks of a held. */
export interface KernelCall {
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly m: IntegerExpression;
  readonly n: IntegerExpression;
  readonly k: IntegerExpression;
  /** The width of its blocks. */
  readonly width: number;
}

export interface Operand {
  readonly buffer: string;
  readonly row: IntegerExpression;
  readonly column: IntegerExpression;
  readonly at: IntegerExpression;
}

/** Whether the operands lie as in the formula or transposed, and which is held. */
interface Layout {
  readonly a: 'n' | 't';
  readonly b: 'n' | 't';
  readonly held: 'a' | 'b';
  readonly width: number;
}

export interface EmittedCall {
  readonly statements: readonly LoopStatement[];
  /** The function it calls beside the kernel of that width. */
  readonly entry?: LoopFunction;
}

export function emitCall(call: KernelCall): EmittedCall {
  const layout = layoutOf(call);
  return layout ? plainCall(call, layout) : { statements: [comment(call), stridedCall(call)] };
}

const isEqual = (left: IntegerExpression, right: IntegerExpression): boolean =>
  integerKey(left) === integerKey(right);

const flipped = { n: 't', t: 'n' } as const;

function layoutOf({ a, b, c, m, n, k, width }: KernelCall): Layout | undefined {
  const one = integer(1);
  const lies = (
    { row, column }: Operand,
    rows: IntegerExpression,
    columns: IntegerExpression,
  ): 'n' | 't' | undefined => {
    if (isEqual(row, columns) && isEqual(column, one)) return 'n';
    return isEqual(row, one) && isEqual(column, rows) ? 't' : undefined;
  };
  if (![a, b, c].every(({ at }) => isEqual(at, integer(0)))) return undefined;
  const [first, second, result] = [lies(a, m, k), lies(b, k, n), lies(c, m, n)];
  if (!first || !second || !result) return undefined;
  // The transposed result is the product of the transposed operands in the other order.
  return result === 'n'
    ? { a: first, b: second, held: 'a', width }
    : { a: flipped[second], b: flipped[first], held: 'b', width };
}

function plainCall({ a, b, c, m, n, k }: KernelCall, layout: Layout): EmittedCall {
  const swapped = layout.held === 'b';
  const buffers = swapped ? [b, a, c] : [a, b, c];
  const sizes = swapped ? [n, m, k] : [m, n, k];
  const entry = entryFunction(layout);
  const call: LoopStatement = {
    kind: 'call',
    function: entry.name,
    arguments: [
      ...buffers.map(({ buffer }) => ({ kind: 'buffer' as const, buffer })),
      ...sizes.map((value) => ({ kind: 'integer' as const, value })),
    ],
  };
  return { statements: [call], entry };
}

function entryFunction(layout: Layout): LoopFunction {
  const { a, b, held, width } = layout;
  const [m, n, k] = [variable('m'), variable('n'), variable('k')];
  const one = integer(1);
  const first: Operand = {
    buffer: 'a',
    at: integer(0),
    ...(a === 'n' ? { row: k, column: one } : { row: one, column: m }),
  };
  const second: Operand = {
    buffer: 'b',
    at: integer(0),
    ...(b === 'n' ? { row: n, column: one } : { row: one, column: k }),
  };
  const result: Operand = { buffer: 'c', at: integer(0), row: n, column: one };
  const call: KernelCall =
    held === 'a'
      ? { a: first, b: second, c: result, m, n, k, width }
      : { a: transposed(second), b: transposed(first), c: transposed(result), m: n, n: m, k, width };
  const formula = `c[i, j] += sum[p](${a === 'n' ? 'a[i, p]' : 'a[p, i]'} * ${b === 'n' ? 'b[p, j]' : 'b[j, p]'})`;
  return {
    name: `${contractionName(width).replace('contract', `contract_${a}${b}`)}${held === 'b' ? '_holding_b' : ''}`,
    buffers: operands,
    integers: ['m', 'n', 'k'],
    body: [stridedCall(call)],
    computes: [],
    documentation: `${formula} for i < m, j < n, p < k${held === 'b' ? ', blocks of b held' : ''}.`,
  };
}

function transposed({ row, column, ...rest }: Operand): Operand {
  return { ...rest, row: column, column: row };
}

function stridedCall({ a, b, c, m, n, k, width }: KernelCall): LoopStatement {
  const all = [a, b, c];
  const strides = ({ buffer }: Operand, row: string, column: string) => ({
    count: 2,
    meaning: `strides of ${buffer}: by ${row}, by ${column}`,
  });
  return {
    kind: 'call',
    function: contractionName(width),
    arguments: [
      ...all.map(({ buffer }) => ({ kind: 'buffer' as const, buffer })),
      ...[m, n, k, ...all.flatMap(({ row, column }) => [row, column]), ...all.map(({ at }) => at)].map(
        (value) => ({ kind: 'integer' as const, value }),
      ),
    ],
    groups: [
      { count: 3, meaning: '' },
      { count: 3, meaning: 'rows, columns, terms of a sum' },
      strides(a, 'row', 'term'),
      strides(b, 'term', 'column'),
      strides(c, 'row', 'column'),
      ...(all.every(({ at }) => isEqual(at, integer(0)))
        ? [{ count: 3, meaning: `where ${a.buffer}, ${b.buffer} and ${c.buffer} begin` }]
        : all.map(({ buffer }) => ({ count: 1, meaning: `where ${buffer} begins` }))),
    ],
  };
}

/** The call as mathematics. */
function comment({ a, b, c }: KernelCall): LoopStatement {
  const product = `${a.buffer}[row, term] * ${b.buffer}[term, column]`;
  return { kind: 'comment', text: `${c.buffer}[row, column] += sum[term](${product})` };
}
