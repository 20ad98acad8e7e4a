/** The convolutional networks of `models`: LeNet, the small ResNet, the CNN with a frozen normalisation. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { convolution, positions } from './convolutions.ts';
import { activate } from './networks.ts';
import { moments, standardised } from './normalisations.ts';
import { infer, readAt } from './shapes.ts';
import { TrainedWriter } from './trained-writer.ts';
import { nameOf, Unsupported, type CaseProgram } from './writer.ts';

/** A picture's tensor in the program, [n, channel, row, column]. */
interface Picture {
  readonly name: string;
  readonly size: readonly [height: number, width: number];
}

const AT = ['b', 'o', 'p0', 'p1'];

/** An image `name` at [b, o, p0, p1]. */
function picture(writer: TrainedWriter, name: string, size: Picture['size'], value: string): Picture {
  writer.line(`${name}[b, o, p0: ${size[0]}, p1: ${size[1]}] = ${value}`);
  return { name, size };
}

const read = ({ name }: Picture): string => `${name}[${AT.join(', ')}]`;

/** A convolution whose padding keeps the size where the stride is 1; its value at [b, o, p0, p1], and its size. */
function convolved(
  x: Picture,
  w: OracleTensor,
  stride = 1,
): { readonly value: string; readonly size: Picture['size'] } {
  const along = w.shape
    .slice(2)
    .map((size) => ({ size, stride, dilation: 1, padding: Math.floor(size / 2) }));
  const value = convolution((at) => `(${x.name}[${at.join(', ')}] else 0)`, w, along);
  const [height, width] = x.size.map((extent, k) => {
    const { size, padding } = along[k]!;
    return Math.floor((extent + 2 * padding - size) / stride) + 1;
  }) as [number, number];
  return { value, size: [height, width] };
}

function given(writer: TrainedWriter): Picture {
  const { shape } = writer.tensor('x');
  return { name: nameOf('x'), size: [shape[2]!, shape[3]!] };
}

/** z = v W^T + b and the mean cross-entropy. */
function classify(writer: TrainedWriter, v: string, weight: string, bias: string): void {
  infer(writer, 'z', ['n', 'k'], `sum[j](${v}[n, j] * ${nameOf(weight)}[k, j]) + ${nameOf(bias)}[k]`);
  writer.loss(`mean[n](cross_entropy[k](${nameOf('z')}[n, k], ${nameOf('y')}[n]))`);
}

export function lenetProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const activation = String(writer.hyper['activation']);
  const pooling = writer.hyper['pool'] === 'max' ? 'max' : 'mean';
  let x = given(writer);
  for (const k of [1, 2]) {
    const { value, size } = convolved(x, writer.tensor(`w${k}`));
    const u = picture(
      writer,
      `u${k}`,
      size,
      activate(activation, `${value} + ${nameOf(`b${k}`)}[o]`, writer),
    );
    const half = [Math.floor(size[0] / 2), Math.floor(size[1] / 2)] as const;
    const pooled = `${pooling}[u0: 2, u1: 2](${u.name}[b, o, 2 * p0 + u0, 2 * p1 + u1])`;
    x = picture(writer, `p${k}`, half, pooled);
  }
  const [height, width] = x.size;
  const flat = `${height * width} * o + ${width} * p0 + p1`;
  const sum = `sum[o, p0, p1](${x.name}[n, o, p0, p1] * ${nameOf('W3')}[j, ${flat}]) + ${nameOf('b3')}[j]`;
  infer(writer, 'v', ['n', 'j'], activate(activation, sum, writer));
  classify(writer, nameOf('v'), 'W4', 'b4');
  return writer.finish();
}

/** Training normalises by the batch; the next running statistics are outputs, carried by the host. */
export function resnetProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const [eps, momentum] = [writer.number('bn_eps'), writer.number('bn_momentum')];
  const carried = new Map<string, string>();
  const normed = (x: Picture, convolutionNumber: number, stride = 1): Picture => {
    const k = convolutionNumber;
    const { value, size } = convolved(x, writer.tensor(`w${k}`), stride);
    const c = picture(writer, `c${k}`, size, value);
    const { mean, variance } = moments(writer, `c${k}_`, ['o'], ['b', 'p0', 'p1'], read(c));
    const count = rows * size[0] * size[1];
    for (const [buffer, now] of [
      [`rm${k}`, mean],
      [`rv${k}`, `${variance} * ${count / (count - 1)}`],
    ] as const) {
      carried.set(buffer, `next_${buffer}`);
      const old = `${nameOf(buffer)}[o]`;
      writer.line(`output next_${buffer}[o] = ${1 - momentum} * ${old} + ${momentum} * ${now}`);
    }
    const standard = standardised(read(c), mean, variance, eps);
    return picture(writer, `n${k}`, size, `${standard} * ${nameOf(`g${k}`)}[o] + ${nameOf(`b${k}`)}[o]`);
  };
  const activated = (name: string, x: Picture, shortcut?: Picture): Picture => {
    const sum = shortcut === undefined ? read(x) : `${read(x)} + ${read(shortcut)}`;
    return picture(writer, name, x.size, `relu(${sum})`);
  };
  const s0 = activated('s0', normed(given(writer), 0));
  const s1 = activated('s1', normed(activated('t1', normed(s0, 1)), 2), s0);
  const inner = normed(activated('t2', normed(s1, 3, 2)), 4);
  const s2 = activated('s2', inner, normed(s1, 5, 2));
  writer.line(`v[n, j] = mean[p0, p1](${s2.name}[n, j, p0, p1])`);
  classify(writer, 'v', 'W', 'b');
  return { ...writer.finish(), carried };
}

export function frozenNormProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const first = convolved(given(writer), writer.tensor('w1'));
  const [mean, variance] = ['rm', 'rv'].map((name) => readAt(writer.tensor(name), ['o'])) as [string, string];
  const standard = standardised(`(${first.value})`, mean, variance, writer.number('bn_eps'));
  const u = picture(writer, 'u', first.size, `relu(${standard} * ${nameOf('g')}[o] + ${nameOf('b')}[o])`);
  const stride = Number(/conv3x3\(u, w2, stride (\d+)/.exec(of.formulas.join('\n'))?.[1] ?? Number.NaN);
  if (Number.isNaN(stride)) throw new Unsupported('no stride of the second convolution');
  const second = convolved(u, writer.tensor('w2'), stride);
  const v = picture(writer, 'v', second.size, `relu(${second.value} + ${nameOf('b2')}[o])`);
  writer.line(`m[n, j] = mean[${positions('p', 2).join(', ')}](${v.name}[n, j, p0, p1])`);
  classify(writer, 'm', 'W', 'bias');
  return writer.finish();
}
