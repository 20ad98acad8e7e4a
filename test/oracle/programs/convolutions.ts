/** Programs of `layers/conv` and `layers/pool`, in PyTorch's layout: [batch, channel, positions]. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { define, plus, readAt } from './shapes.ts';
import { CaseWriter, Unsupported, type CaseProgram } from './writer.ts';

/** What a window does along one axis. */
export interface Window {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** A hyper-parameter for each of the axes: one number is meant for all of them. */
function perAxis(writer: CaseWriter, key: string, axes: number, otherwise?: number): number[] {
  const value = writer.hyper[key] ?? otherwise;
  if (Array.isArray(value)) return value.map(Number);
  if (typeof value !== 'number') throw new Unsupported(`hyper-parameter ${key}`);
  return Array.from({ length: axes }, () => value);
}

function windows(writer: CaseWriter, sizes: readonly number[]): Window[] {
  const axes = sizes.length;
  const [stride, padding, dilation] = [
    writer.hyper['stride'] === undefined ? sizes : perAxis(writer, 'stride', axes),
    perAxis(writer, 'padding', axes, 0),
    perAxis(writer, 'dilation', axes, 1),
  ];
  return sizes.map((size, k) => ({
    size,
    stride: stride[k]!,
    padding: padding[k]!,
    dilation: dilation[k]!,
  }));
}

const times = (factor: number, index: string): string => (factor === 1 ? index : `${factor} * ${index}`);

/** Where place u of window i reads: stride i + dilation u - padding. */
export const windowPlace = ({ stride, dilation, padding }: Window, i: string, u: string): string =>
  plus(`${times(stride, i)} + ${times(dilation, u)}`, -padding);

export const positions = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, k) => `${letter}${k}`);

/** Σ over c, u of w[o, c, u] · x[b, c', stride i + dilation u - padding], c' in the group of o. */
export function convolution(
  x: (at: readonly string[]) => string,
  w: OracleTensor,
  along: readonly Window[],
  groups = 1,
): string {
  const [outputs, own] = w.shape as [number, number];
  const u = positions('u', along.length);
  const places = along.map((window, k) => windowPlace(window, `p${k}`, u[k]!));
  const channel = groups === 1 ? 'c' : `o / ${outputs / groups} * ${own} + c`;
  return `sum[c, ${u.join(', ')}](${x(['b', channel, ...places])} * ${readAt(w, ['o', 'c', ...u])})`;
}

export function convolutionProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const [x, w] = [writer.tensor('x'), writer.tensor('w')];
  const along = windows(writer, w.shape.slice(2));
  const groups = writer.number('groups', 1);
  const bias = writer.has('bias') ? ` + ${readAt(writer.tensor('bias'), ['o'])}` : '';
  const value =
    of.op === 'conv_transpose2d' || of.op === 'conv_transpose1d'
      ? transposed(x, w, along, groups)
      : convolution((at) => readAt(x, at, 0), w, along, groups);
  define(writer, 'y', ['b', 'o', ...positions('p', along.length)], `${value}${bias}`);
  writer.probeLoss();
  return writer.finish();
}

/** y[b, o, p] = Σ over c, u with p = stride i + dilation u - padding of x[b, c, i] · w[c, o', u] */
function transposed(x: OracleTensor, w: OracleTensor, along: readonly Window[], groups: number): string {
  const outputs = w.shape[1]!;
  const own = w.shape[0]! / groups;
  const u = positions('u', along.length);
  const places = along.map(({ stride, dilation, padding }, k) => {
    const from = plus(`p${k} - ${times(dilation, u[k]!)}`, padding);
    return stride === 1 ? from : `exact((${from}) / ${stride})`;
  });
  const channel = groups === 1 ? 'c' : `o / ${outputs} * ${own} + c`;
  const unit = groups === 1 ? 'o' : `mod(o, ${outputs})`;
  const reads = `${readAt(x, ['b', channel, ...places], 0)} * ${readAt(w, [channel, unit, ...u])}`;
  return `sum[c: ${own}, ${u.join(', ')}](${reads})`;
}

export function poolProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const axes = x.shape.length - 2;
  if (of.op.startsWith('global_')) {
    const u = positions('u', axes);
    const operator = of.op.startsWith('global_avg') ? 'mean' : 'max';
    const ones = writer.tensor('y', 'forward').shape.slice(2);
    const value = `${operator}[${u.join(', ')}](${readAt(x, ['b', 'c', ...u])})`;
    define(writer, 'y', ['b', 'c', ...positions('p', ones.length)], value);
  } else {
    const along = windows(writer, perAxis(writer, 'kernel', axes));
    const value = of.op.startsWith('max_pool')
      ? pooled('max', x, along, '-inf')
      : `${pooled('sum', x, along, '0')} / ${cellsOf(x, along, writer)}`;
    define(writer, 'y', ['b', 'c', ...positions('p', axes)], value);
  }
  writer.probeLoss();
  return writer.finish();
}

function pooled(operator: string, x: OracleTensor, along: readonly Window[], outside: string): string {
  const places = along.map((window, k) => windowPlace(window, `p${k}`, `u${k}`));
  return `${operator}[${binders(along)}](${readAt(x, ['b', 'c', ...places])} else ${outside})`;
}

const binders = (along: readonly Window[]): string => along.map(({ size }, k) => `u${k}: ${size}`).join(', ');

/** How many cells of a window count: all, or those inside x. */
function cellsOf(x: OracleTensor, along: readonly Window[], writer: CaseWriter): string {
  if (writer.hyper['divisor_override'] !== undefined) return String(writer.number('divisor_override'));
  if (writer.hyper['count_include_pad'] !== false || along.every(({ padding }) => padding === 0))
    return String(along.reduce((product, { size }) => product * size, 1));
  const inside = along.map((window, k) => {
    const place = windowPlace(window, `p${k}`, `u${k}`);
    return `${place} >= 0 and ${place} < ${x.shape[k + 2]}`;
  });
  return `sum[${binders(along)}](${inside.join(' and ')})`;
}
