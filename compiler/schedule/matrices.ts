/**
 * Contractions of whole matrices, each in its rows: their strides follow from the sizes, so that a call says no more
 * than `contract_tn(x, dh, dW, 784, 128, batch)`. All other contractions call the kernel with strides and places.
 */
import { integer, integerKey, variable } from './integers.ts';
import { blocksFor } from './blocks.ts';
import { kernelName, operands } from './kernels.ts';
import type { KernelShape } from './kernels.ts';
import type { KernelUse } from './function-list.ts';
import type { IntegerExpression, LoopFunction, LoopStatement } from './types.ts';

/** What the kernel is given: c[i, j] += Σ_p a[i, p] · b[p, j], blocks of a held. */
export interface KernelCall {
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly m: IntegerExpression;
  readonly n: IntegerExpression;
  readonly k: IntegerExpression;
  /** Of a kernel over lines of n columns: how many. */
  readonly lines?: IntegerExpression;
  readonly shape: KernelShape;
}

export interface Operand {
  readonly buffer: string;
  readonly row: IntegerExpression;
  readonly column: IntegerExpression;
  /** The distance of two lines. */
  readonly line?: IntegerExpression;
  readonly at: IntegerExpression;
}

/** Whether the operands lie as in the formula or transposed, and which is held. */
interface Layout {
  readonly a: 'n' | 't';
  readonly b: 'n' | 't';
  readonly held: 'a' | 'b';
  readonly shape: KernelShape;
}

export interface EmittedCall {
  readonly statements: readonly LoopStatement[];
  readonly kernel: KernelUse;
}

export function emitCall(call: KernelCall): EmittedCall {
  const layout = layoutOf(call);
  const kernel: KernelUse = {
    shape: call.shape,
    blocks: blocksFor(call.shape, known(call.m), known(call.k)),
  };
  if (!layout) return { statements: [comment(call), stridedCall(call)], kernel };
  const { statement, entry } = plainCall(call, layout);
  return { statements: [statement], kernel: { ...kernel, entry } };
}

const known = (size: IntegerExpression): number | undefined =>
  size.kind === 'integer' ? size.value : undefined;

const isEqual = (left: IntegerExpression, right: IntegerExpression): boolean =>
  integerKey(left) === integerKey(right);

const flipped = { n: 't', t: 'n' } as const;

function layoutOf({ a, b, c, m, n, k, lines, shape }: KernelCall): Layout | undefined {
  const one = integer(1);
  const lies = (
    { row, column }: Operand,
    rows: IntegerExpression,
    columns: IntegerExpression,
  ): 'n' | 't' | undefined => {
    if (isEqual(row, columns) && isEqual(column, one)) return 'n';
    return isEqual(row, one) && isEqual(column, rows) ? 't' : undefined;
  };
  if (lines || ![a, b, c].every(({ at }) => isEqual(at, integer(0)))) return undefined;
  const [first, second, result] = [lies(a, m, k), lies(b, k, n), lies(c, m, n)];
  if (!first || !second || !result) return undefined;
  // The transposed result is the product of the transposed operands in the other order.
  return result === 'n'
    ? { a: first, b: second, held: 'a', shape }
    : { a: flipped[second], b: flipped[first], held: 'b', shape };
}

function plainCall(
  { a, b, c, m, n, k }: KernelCall,
  layout: Layout,
): { statement: LoopStatement; entry: LoopFunction } {
  const swapped = layout.held === 'b';
  const buffers = swapped ? [b, a, c] : [a, b, c];
  const sizes = swapped ? [n, m, k] : [m, n, k];
  const entry = entryFunction(layout);
  const statement: LoopStatement = {
    kind: 'call',
    function: entry.name,
    arguments: [
      ...buffers.map(({ buffer }) => ({ kind: 'buffer' as const, buffer })),
      ...sizes.map((value) => ({ kind: 'integer' as const, value })),
    ],
  };
  return { statement, entry };
}

function entryFunction(layout: Layout): LoopFunction {
  const { a, b, held, shape } = layout;
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
      ? { a: first, b: second, c: result, m, n, k, shape }
      : { a: transposed(second), b: transposed(first), c: transposed(result), m: n, n: m, k, shape };
  const formula = `c[i, j] += sum[p](${a === 'n' ? 'a[i, p]' : 'a[p, i]'} * ${b === 'n' ? 'b[p, j]' : 'b[j, p]'})`;
  return {
    name: `${kernelName(shape).replace('contract', `contract_${a}${b}`)}${held === 'b' ? '_holding_b' : ''}`,
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

function stridedCall({ a, b, c, m, n, k, lines, shape }: KernelCall): LoopStatement {
  const all = [a, b, c];
  const sizes = lines ? [m, n, k, lines] : [m, n, k];
  const stridesOf = ({ row, column, line }: Operand): IntegerExpression[] =>
    lines && line ? [row, column, line] : [row, column];
  const strides = (operand: Operand, row: string, column: string) => ({
    count: stridesOf(operand).length,
    meaning: `strides of ${operand.buffer}: by ${row}, by ${column}${lines && operand.line ? ', by line' : ''}`,
  });
  return {
    kind: 'call',
    function: kernelName(shape),
    arguments: [
      ...all.map(({ buffer }) => ({ kind: 'buffer' as const, buffer })),
      ...[...sizes, ...all.flatMap(stridesOf), ...all.map(({ at }) => at)].map((value) => ({
        kind: 'integer' as const,
        value,
      })),
    ],
    groups: [
      { count: 3, meaning: '' },
      { count: sizes.length, meaning: `rows, columns, terms of a sum${lines ? ', lines' : ''}` },
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
function comment({ a, b, c, lines }: KernelCall): LoopStatement {
  const streamed = lines ? 'line, column' : 'column';
  const product = `${a.buffer}[row, term] * ${b.buffer}[term, ${streamed}]`;
  return { kind: 'comment', text: `${c.buffer}[row, ${streamed}] += sum[term](${product})` };
}
