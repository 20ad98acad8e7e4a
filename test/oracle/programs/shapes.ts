/** Programs of `ops/shape`: every rearrangement is a read at other indices. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

/** The indices i0, i1, ... of a tensor's axes. */
export const indicesOf = (tensor: Pick<OracleTensor, 'shape'>): string[] =>
  tensor.shape.map((_, axis) => `i${axis}`);

/** `x[i0, i1]`, or the bare name of a single number. */
export const readAt = (
  tensor: OracleTensor,
  at: readonly string[],
  outside?: number | 'edge' | 'reflect',
): string => {
  const read = at.length === 0 ? nameOf(tensor.name) : `${nameOf(tensor.name)}[${at.join(', ')}]`;
  return outside === undefined ? read : `(${read} else ${outside})`;
};

/** Defines a tensor of the case at given indices; one that the case wants to see is an output. */
export function infer(writer: CaseWriter, name: string, at: readonly string[], value: string): void {
  const isResult = writer.results.some((tensor) => tensor.name === name);
  if (isResult) writer.shows(name);
  const axes = at.length === 0 ? '' : `[${at.join(', ')}]`;
  writer.line(`${isResult ? 'output ' : ''}${nameOf(name)}${axes} = ${value}`);
}

/** The same; the extents of a result are written, as the case has them. */
export function define(writer: CaseWriter, name: string, at: readonly string[], value: string): void {
  const result = writer.results.find((tensor) => tensor.name === name);
  const axes = at.map((index, axis) =>
    result === undefined || index.includes(':') ? index : `${index}: ${result.shape[axis]}`,
  );
  infer(writer, name, axes, value);
}

/** An axis that may count from the end. */
export function axisOf(axis: number, rank: number): number {
  const place = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(place) || place < 0 || place >= rank) throw new Unsupported(`axis ${axis}`);
  return place;
}

/** A list of indices with one of them replaced. */
export const replaced = (at: readonly string[], axis: number, index: string): string[] =>
  at.map((old, place) => (place === axis ? index : old));

export const plus = (index: string, shift: number): string =>
  shift === 0 ? index : shift > 0 ? `${index} + ${shift}` : `${index} - ${-shift}`;

/** The value of y at i0, i1, ... */
type Rearrangement = (x: OracleTensor, y: OracleTensor, writer: CaseWriter) => string;

const rearrangements: Readonly<Record<string, Rearrangement>> = {
  concat: (_, y, writer) => {
    const axis = axisOf(writer.number('axis'), y.shape.length);
    let from = 0;
    const parts = operandsOf(writer).map((part) => {
      const read = readAt(part, replaced(indicesOf(y), axis, plus(`i${axis}`, -from)), 0);
      from += part.shape[axis]!;
      return read;
    });
    // one operand that is named once may be meant several times
    if (parts.length === 1) return copies(operandsOf(writer)[0]!, y, axis);
    return parts.join(' + ');
  },
  stack: (_, y, writer) => {
    const axis = axisOf(writer.number('axis'), y.shape.length);
    const at = indicesOf(y).filter((__, place) => place !== axis);
    const reads = operandsOf(writer).map((part) => readAt(part, at));
    return reads.map((read, k) => (k < reads.length - 1 ? `i${axis} == ${k} ? ${read} : ` : read)).join('');
  },
  slice: (x, _, writer) => {
    const slices = writer.hyper['start_stop_step'] as [number, number, number][];
    const at = x.shape.map((extent, axis) => {
      const [start, , step] = slices[axis] ?? [0, extent, 1];
      const from = start < 0 ? start + extent : start;
      return plus(step === 1 ? `i${axis}` : `${step} * i${axis}`, from);
    });
    return readAt(x, at);
  },
  slice_overlap: (x) => `${readAt(x, ['i0'])} * ${readAt(x, ['i0 + 1'])}`,
  pad: (x, _, writer) => {
    const pads = writer.hyper['pads'] as [number, number][];
    const at = x.shape.map((__, axis) => plus(`i${axis}`, -(pads[axis]?.[0] ?? 0)));
    return readAt(x, at, writer.number('value', 0));
  },
  pad_reflect: (x, _, writer) => padded(x, writer, 'reflect'),
  pad_edge: (x, _, writer) => padded(x, writer, 'edge'),
  transpose: (x, _, writer) => {
    const permutation = writer.hyper['perm'] as number[];
    return readAt(
      x,
      x.shape.map((__, axis) => `i${permutation.map((old) => axisOf(old, x.shape.length)).indexOf(axis)}`),
    );
  },
  reshape: (x, y, writer) => {
    const read = readAt(x, unflattened(flatIndex(y.shape), x.shape));
    return writer.has('w') ? `${read} * ${weightOf(writer.tensor('w'), y)}` : read;
  },
  transpose_then_reshape: (x, y) =>
    readAt(x, unflattened(flatIndex(y.shape), x.shape.toReversed()).toReversed()),
  flip: (x, _, writer) => {
    const axes = [writer.hyper['axis'] ?? writer.hyper['axes']].flat().map((axis) => Number(axis));
    const flipped = axes.map((axis) => axisOf(axis, x.shape.length));
    return readAt(
      x,
      x.shape.map((extent, axis) => (flipped.includes(axis) ? `${extent - 1} - i${axis}` : `i${axis}`)),
    );
  },
  roll: (x, _, writer) => {
    const axis = axisOf(writer.number('axis'), x.shape.length);
    const extent = x.shape[axis]!;
    const shift = ((-writer.number('shift') % extent) + extent) % extent;
    return readAt(x, replaced(indicesOf(x), axis, `mod(${plus(`i${axis}`, shift)}, ${extent})`));
  },
  tile: (x) =>
    readAt(
      x,
      x.shape.map((extent, axis) => `mod(i${axis}, ${extent})`),
    ),
  expand: (x) =>
    readAt(
      x,
      x.shape.map((extent, axis) => (extent === 1 ? '0' : `i${axis}`)),
    ),
  tril_mask: (x, _, writer) => {
    const [, comparison = '<=', diagonal = String(writer.number('diagonal', 0))] =
      /if j - i (<=|>=|<|>) (-?\d+)/.exec(writer.of.formulas[0] ?? '') ?? [];
    const [row, column] = [x.shape.length - 2, x.shape.length - 1];
    return `i${column} - i${row} ${comparison} ${diagonal} ? ${readAt(x, indicesOf(x))} : 0`;
  },
};

export function shapeProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const [x] = writer.inputs;
  if (x === undefined) throw new Unsupported('no operand');
  if (of.op === 'diagonal') diagonals(writer);
  else if (of.op === 'split') split(writer, x);
  else {
    const [y] = writer.results;
    const value = rearrangements[of.op];
    if (y === undefined || value === undefined) throw new Unsupported(of.op);
    define(writer, y.name, indicesOf(y), value(writer.has('x') ? writer.tensor('x') : x, y, writer));
  }
  writer.probeLoss();
  return writer.finish();
}

/** The operands, in the order in which the formula names them. */
function operandsOf(writer: CaseWriter): OracleTensor[] {
  const [, list = ''] =
    /y = (?:concatenation of )?(.*?) (?:along|stacked)/.exec(writer.of.formulas[0] ?? '') ?? [];
  const named = list.split(/, | and /).flatMap((name) => writer.inputs.filter((x) => x.name === name.trim()));
  return named.length > 0 ? named : writer.inputs;
}

const copies = (x: OracleTensor, y: OracleTensor, axis: number): string =>
  readAt(x, replaced(indicesOf(y), axis, `mod(i${axis}, ${x.shape[axis]})`));

/** The last axis, prolonged. */
function padded(x: OracleTensor, writer: CaseWriter, border: 'edge' | 'reflect'): string {
  const [before] = writer.hyper['before_after'] as [number, number];
  const axis = x.shape.length - 1;
  return readAt(x, replaced(indicesOf(x), axis, plus(`i${axis}`, -before)), border);
}

/** i0 * 12 + i1 * 4 + i2: the row-major place. */
function flatIndex(shape: readonly number[]): string {
  let stride = 1;
  const terms: string[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    terms.unshift(stride === 1 ? `i${axis}` : `${stride} * i${axis}`);
    stride *= shape[axis]!;
  }
  return terms.length === 0 ? '0' : terms.join(' + ');
}

/** The indices of a row-major place. */
export function unflattened(flat: string, shape: readonly number[]): string[] {
  let stride = 1;
  const at: string[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const quotient = stride === 1 ? `(${flat})` : `(${flat}) / ${stride}`;
    at.unshift(axis === 0 ? quotient : `mod(${quotient}, ${shape[axis]})`);
    stride *= shape[axis]!;
  }
  return at;
}

/** A factor whose axes are some of y's. */
const weightOf = (w: OracleTensor, y: OracleTensor): string =>
  readAt(
    w,
    w.dims.map((dim) => `i${y.dims.lastIndexOf(dim)}`),
  );

function split(writer: CaseWriter, x: OracleTensor): void {
  const axis = axisOf(writer.number('axis'), x.shape.length);
  let from = 0;
  for (const part of writer.results.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const read = readAt(x, replaced(indicesOf(x), axis, plus(`i${axis}`, from)));
    define(writer, part.name, indicesOf(part), read);
    from += part.shape[axis]!;
  }
}

function diagonals(writer: CaseWriter): void {
  define(writer, 'y', ['i0'], readAt(writer.tensor('x'), ['i0', 'i0']));
  define(writer, 'z', ['i0', 'i1'], `i0 == i1 ? ${readAt(writer.tensor('v'), ['i0'])} : 0`);
}
