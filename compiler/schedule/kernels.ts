/**
 * The shared kernel of all contractions, c[i, j] += Σ_p a[i, p] · b[p, j] with strides given at run time, by the
 * stationary-block pattern: a block of a is held in constants while b streams past it, so that every element of c is
 * read and written once for as many products as the block is wide. Measured on Node 20 (64 x 784 x 256, f32): 7.2 GFLOP/s
 * in every layout, against 1.1 of the plain loops; strides as parameters cost nothing.
 */
import { floorDivide, integer, product, sum, variable } from './integers.ts';
import type { IntegerExpression, LoopFunction, LoopStatement, Value } from './types.ts';

/** Rows of a held at once. */
const blockRows = 8;
/** Columns of a held at once, where the contracted extent is not shorter. */
const blockColumns = 8;

const strides = ['a_row', 'a_column', 'b_row', 'b_column', 'c_row', 'c_column'];
const places = ['a_at', 'b_at', 'c_at'];

/** The integer parameters of a contraction kernel: sizes, strides, and where each operand begins. */
const contractionIntegers: readonly string[] = ['m', 'n', 'k', ...strides, ...places];

/** Which kernel: the width of its block. */
export function contractionWidth(k: number | undefined): number {
  return k !== undefined && k > 1 && k < blockColumns ? k : blockColumns;
}

export function contractionName(width: number): string {
  return width === blockColumns ? 'contract' : `contract_by_${width}`;
}

/** The kernel for a block width, and the block functions it calls; `has` tells which of those exist already. */
export function contractionKernel(width: number, has: (name: string) => boolean): LoopFunction[] {
  const shapes = [blockRows, 1].flatMap((rows) => [width, 1].map((columns) => ({ rows, columns })));
  const blocks = shapes
    .filter(({ rows, columns }) => !has(blockName(rows, columns)))
    .map(({ rows, columns }) => block(rows, columns));
  return [...blocks, driver(width)];
}

function blockName(rows: number, columns: number): string {
  return `block_${rows}x${columns}`;
}

function driver(width: number): LoopFunction {
  const call = (rows: number, columns: number): LoopStatement => ({
    kind: 'call',
    function: blockName(rows, columns),
    arguments: [
      ...['a', 'b', 'c'].map((buffer) => ({ kind: 'buffer' as const, buffer })),
      ...[
        variable('n'),
        ...strides.map(variable),
        sum(variable('a_at'), at('i', 'a_row'), at('p', 'a_column')),
        sum(variable('b_at'), at('p', 'b_row')),
        sum(variable('c_at'), at('i', 'c_row')),
      ].map((value) => ({ kind: 'integer' as const, value })),
    ],
  });
  const columns = (rows: number): LoopStatement[] => [
    loop('p', integer(0), variable('whole_columns'), width, [call(rows, width)]),
    loop('p', variable('whole_columns'), variable('k'), 1, [call(rows, 1)]),
  ];
  return {
    name: contractionName(width),
    buffers: operands,
    integers: contractionIntegers,
    body: [
      named('whole_rows', product(floorDivide(variable('m'), blockRows), integer(blockRows))),
      named('whole_columns', product(floorDivide(variable('k'), width), integer(width))),
      loop('i', integer(0), variable('whole_rows'), blockRows, columns(blockRows)),
      loop('i', variable('whole_rows'), variable('m'), 1, columns(1)),
    ],
    computes: [],
    documentation:
      'c[i, j] += sum[p](a[i, p] * b[p, j]) for i < m, j < n, p < k. A stride is the distance of two rows or two ' +
      `columns, so that a transposed operand needs no copy. Blocks of ${blockRows} x ${width} of a are held while b streams.`,
  };
}

/** One block of a against the rows of b: the constants a0_0, a0_1, ... stay, j runs. */
function block(rows: number, columns: number): LoopFunction {
  const row = Array.from({ length: rows }, (_, r) => r);
  const column = Array.from({ length: columns }, (_, u) => u);
  const body: LoopStatement[] = [];
  for (const r of row) {
    for (const u of column) {
      const offset = sum(
        variable('a_at'),
        product(variable('a_row'), integer(r)),
        product(variable('a_column'), integer(u)),
      );
      body.push({ kind: 'constant', name: `a${r}_${u}`, value: { kind: 'load', buffer: 'a', offset } });
    }
  }
  for (const u of column) if (u > 0) body.push(named(`b${u}`, product(variable('b_row'), integer(u))));
  for (const r of row) if (r > 0) body.push(named(`c${r}`, product(variable('c_row'), integer(r))));
  body.push({ kind: 'integer_accumulator', name: 'b_place', initial: variable('b_at') });
  body.push({ kind: 'integer_accumulator', name: 'c_place', initial: variable('c_at') });
  const inner: LoopStatement[] = column.map((u) => ({
    kind: 'constant',
    name: `x${u}`,
    value: { kind: 'load', buffer: 'b', offset: shifted('b', u) },
  }));
  for (const r of row) {
    const value = column
      .map((u): Value => ({
        kind: 'binary',
        operator: 'multiply',
        left: local(`a${r}_${u}`),
        right: local(`x${u}`),
      }))
      .reduce((left, right) => ({ kind: 'binary', operator: 'add', left, right }));
    inner.push({ kind: 'store', buffer: 'c', offset: shifted('c', r), value, add: true });
  }
  inner.push({ kind: 'set_integer', name: 'b_place', value: sum(variable('b_place'), variable('b_column')) });
  inner.push({ kind: 'set_integer', name: 'c_place', value: sum(variable('c_place'), variable('c_column')) });
  body.push(loop('j', integer(0), variable('n'), 1, inner));
  return {
    name: blockName(rows, columns),
    buffers: operands,
    integers: ['n', ...strides, ...places],
    body,
    computes: [],
    documentation: `c[r, j] += sum[u](a[r, u] * b[u, j]) for r < ${rows}, u < ${columns}, j < n: the inner loops of a contraction.`,
  };
}

/** Both operands and the result of every kernel. */
export const operands: LoopFunction['buffers'] = [
  { name: 'a', element: 'real', access: 'read' },
  { name: 'b', element: 'real', access: 'read' },
  { name: 'c', element: 'real', access: 'update' },
];

function local(name: string): Value {
  return { kind: 'variable', name };
}

function at(index: string, stride: string): IntegerExpression {
  return product(variable(index), variable(stride));
}

function shifted(operand: 'b' | 'c', row: number): IntegerExpression {
  const place = variable(`${operand}_place`);
  return row === 0 ? place : sum(place, variable(`${operand}${row}`));
}

function named(name: string, value: IntegerExpression): LoopStatement {
  return { kind: 'integer_constant', name, value };
}

function loop(
  index: string,
  from: IntegerExpression,
  to: IntegerExpression,
  step: number,
  body: readonly LoopStatement[],
): LoopStatement {
  return { kind: 'for', index, from, to, step, body };
}
