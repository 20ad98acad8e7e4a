/** Programs of `layers/residual` and `layers/dropout`. */
import type { OracleCase } from '../cases.ts';
import { block, blockSettings } from './attentions.ts';
import { convolution } from './convolutions.ts';
import { activate } from './networks.ts';
import { moments, standardised } from './normalisations.ts';
import { define, indicesOf, readAt } from './shapes.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

type Maker = (writer: CaseWriter) => void;

/** x W^T, at [n, to]; b is added where there is one. */
const linear = (writer: CaseWriter, x: string, weight: string, bias: string, to = 'j', from = 'i'): string =>
  `sum[${from}](${x}[n, ${from}] * ${nameOf(weight)}[${to}, ${from}])` +
  (writer.has(bias) ? ` + ${nameOf(bias)}[${to}]` : '');

const makers: Readonly<Record<string, Maker>> = {
  transformer_block: (writer) => {
    define(writer, 'y', ['b', 'i', 'f'], block(writer, nameOf('x'), '', blockSettings(writer)));
  },
  conv_residual_block: (writer) => {
    define(writer, 'u', ['b', 'o', 'p0', 'p1'], `relu(${normedConvolution(writer, 'x', 1)})`);
    const second = normedConvolution(writer, 'u', 2);
    define(writer, 'y', ['b', 'o', 'p0', 'p1'], `relu(${second} + ${nameOf('x')}[b, o, p0, p1])`);
  },
  dense_residual_block: (writer) => {
    const activation = String(writer.hyper['activation'] ?? 'tanh');
    for (const [from, to] of [
      ['x', 'u'],
      ['u', 'y'],
    ] as const) {
      writer.line(
        `h_${to}[n, j] = ${activate(activation, linear(writer, nameOf(from), 'W1', 'b1'), writer)}`,
      );
      const added = linear(writer, `h_${to}`, 'W2', 'b2', 'i', 'j');
      define(writer, to, ['n', 'i'], `${nameOf(from)}[n, i] + ${added}`);
    }
  },
  highway: (writer) => {
    define(writer, 'g', ['n', 'j'], `sigmoid(${linear(writer, nameOf('x'), 'Wg', 'bg')})`);
    const gate = `${nameOf('g')}[n, j]`;
    const changed = `tanh(${linear(writer, nameOf('x'), 'Wh', 'bh')})`;
    define(writer, 'y', ['n', 'j'], `${gate} * ${changed} + (1 - ${gate}) * ${nameOf('x')}[n, j]`);
  },
  dropout: (writer) => {
    const x = writer.tensor('x');
    const own = indicesOf(x);
    const kept =
      writer.hyper['mode'] === 'eval'
        ? ''
        : ` * ${readAt(writer.tensor('mask'), own)} / (1 - ${writer.number('p')})`;
    define(writer, 'y', own, `${readAt(x, own)}${kept}`);
  },
  mlp_dropout: (writer) => {
    define(writer, 'h', ['n', 'j'], `relu(${linear(writer, nameOf('x'), 'W1', 'b1')})`);
    const kept = `${nameOf('h')}[n, j] * ${nameOf('mask')}[n, j] / (1 - ${writer.number('p')})`;
    define(writer, 'd', ['n', 'j'], kept);
    define(writer, 'y', ['n', 'k'], linear(writer, nameOf('d'), 'W2', 'b2', 'k', 'j'));
    writer.loss(`mean((${nameOf('y')} - ${nameOf('t')})^2)`);
  },
};

/** BN(conv(x, w)), "same" padding, batch statistics; at [b, o, p0, p1] */
function normedConvolution(writer: CaseWriter, x: string, k: number): string {
  const weight = writer.tensor(`w${k}`);
  const along = weight.shape
    .slice(2)
    .map((size) => ({ size, stride: 1, dilation: 1, padding: Math.floor(size / 2) }));
  const read = (at: readonly string[]): string => `(${nameOf(x)}[${at.join(', ')}] else 0)`;
  const [, , height, width] = writer.tensor('x').shape as [number, number, number, number];
  writer.line(`c${k}[b, o, p0: ${height}, p1: ${width}] = ${convolution(read, weight, along)}`);
  const value = `c${k}[b, o, p0, p1]`;
  const { mean, variance } = moments(writer, `c${k}_`, ['o'], ['b', 'p0', 'p1'], value);
  const standard = standardised(value, mean, variance, writer.number('eps'));
  return `${standard} * ${nameOf(`g${k}`)}[o] + ${nameOf(`b${k}`)}[o]`;
}

export function blockProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const maker = makers[of.op];
  if (maker === undefined) throw new Unsupported(of.op);
  maker(writer);
  writer.probeLoss();
  return writer.finish();
}
