/** Programs of `ops/index`, `ops/scan` and `layers/embedding`: integers as indices, sums and products up to an index. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { axisOf, define, indicesOf, readAt, replaced } from './shapes.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

type Maker = (writer: CaseWriter) => void;

/** Axes by the names of their sizes. */
const at = (tensor: OracleTensor): string[] => tensor.dims.map(CaseWriter.index);

const makers: Readonly<Record<string, Maker>> = {
  embedding: (writer) => {
    const [table, ids, y] = [writer.tensor('table'), writer.tensor('ids'), writer.tensor('y', 'forward')];
    const row = readAt(table, [readAt(ids, at(ids)), CaseWriter.index(table.dims[1]!)]);
    const padding = writer.hyper['padding_idx'];
    const looked =
      typeof padding === 'number'
        ? `(${readAt(ids, at(ids))} == ${padding} ? stop_gradient(${row}) : ${row})`
        : row;
    const position = writer.has('pos') ? ` + ${readAt(writer.tensor('pos'), at(writer.tensor('pos')))}` : '';
    const pooled = at(ids).filter((index) => !at(y).includes(index));
    const value = `${looked}${position}`;
    define(writer, 'y', at(y), pooled.length === 0 ? value : `mean[${pooled.join(', ')}](${value})`);
  },
  positional: (writer) => {
    const [x, y] = [writer.tensor('x'), writer.tensor('y', 'forward')];
    const [t, d] = at(y).slice(-2) as [string, string];
    const units = y.shape.at(-1)!;
    const angle = `${t} / 10000^(2 * floor(${d} / 2) / ${units})`;
    define(
      writer,
      'pe',
      [`${t}: ${y.shape.at(-2)}`, `${d}: ${units}`],
      `mod(${d}, 2) == 0 ? sin(${angle}) : cos(${angle})`,
    );
    define(writer, 'y', at(y), `${readAt(x, at(x))} * sqrt(${units}) + ${nameOf('pe')}[${t}, ${d}]`);
  },
  gather: (writer) => {
    const [x, ids] = [writer.tensor('x'), writer.tensor('ids')];
    const axis = axisOf(writer.number('axis'), x.shape.length);
    const own = indicesOf(writer.tensor('y', 'forward'));
    define(writer, 'y', own, readAt(x, replaced(own, axis, readAt(ids, own))));
  },
  index_select: (writer) => {
    const [x, ids] = [writer.tensor('x'), writer.tensor('ids')];
    const axis = axisOf(writer.number('axis'), x.shape.length);
    const own = indicesOf(writer.tensor('y', 'forward'));
    define(writer, 'y', own, readAt(x, replaced(own, axis, readAt(ids, [own[axis]!]))));
  },
  scatter_add: (writer) => {
    const [x, ids, y] = [writer.tensor('x'), writer.tensor('ids'), writer.tensor('y', 'forward')];
    const [row = ''] = at(ids);
    const [to = ''] = at(y);
    const value = `${readAt(ids, [row])} == ${to} ? ${readAt(x, at(x))} : 0`;
    define(writer, 'y', at(y), `sum[${row}](${value})`);
  },
  one_hot: (writer) => {
    const [h, table, ids] = [writer.tensor('h', 'forward'), writer.tensor('table'), writer.tensor('ids')];
    const [row = '', word = ''] = at(h);
    define(writer, 'h', at(h), `${readAt(ids, at(ids))} == ${word}`);
    const product = `${nameOf('h')}[${row}, ${word}] * ${readAt(table, at(table))}`;
    define(writer, 'y', at(writer.tensor('y', 'forward')), `sum[${word}](${product})`);
  },
  cumsum: (writer) => cumulate(writer, 'sum', 0),
  cumprod: (writer) => cumulate(writer, 'prod', 1),
  sort: (writer) => {
    const x = writer.tensor('x');
    const axis = axisOf(writer.number('axis'), x.shape.length);
    const own = indicesOf(x);
    const here = readAt(x, own);
    const other = readAt(x, replaced(own, axis, 'other'));
    const before = writer.hyper['descending'] === true ? '>' : '<';
    // the place of an element is the number of those that come before it
    const comes = `${other} ${before} ${here} or (${other} == ${here} and other < ${own[axis]})`;
    writer.line(`place[${own.join(', ')}] = sum[other](${comes})`);
    const found = replaced(own, axis, 'from');
    const chosen = `place[${found.join(', ')}] == ${own[axis]} ? ${readAt(x, found)} : 0`;
    define(writer, 'y', own, `sum[from](${chosen})`);
  },
};

/** The sum or product of the elements up to each, or from each on, as the formula says. */
function cumulate(writer: CaseWriter, operator: string, neutral: number): void {
  const x = writer.tensor('x');
  const axis = axisOf(writer.number('axis'), x.shape.length);
  const own = indicesOf(x);
  const backwards = /= x_i/.test(writer.of.formulas[0] ?? '') || writer.hyper['reverse'] === true;
  const value = readAt(x, replaced(own, axis, 'other'));
  const counts = `other ${backwards ? '>=' : '<='} ${own[axis]}`;
  define(writer, 'y', own, `${operator}[other](${counts} ? ${value} : ${neutral})`);
}

export function indexProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const maker = makers[of.op];
  if (maker === undefined) throw new Unsupported(of.op);
  maker(writer);
  writer.probeLoss();
  return writer.finish();
}
