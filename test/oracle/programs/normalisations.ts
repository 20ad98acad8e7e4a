/** Programs of `layers/norm`, PyTorch's layout. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { define, indicesOf, readAt } from './shapes.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

/** Mean and biased variance of a value over some indices, as two statements; gives how they are read. */
export function moments(
  writer: CaseWriter,
  name: string,
  own: readonly string[],
  over: readonly string[],
  value: string,
): { readonly mean: string; readonly variance: string } {
  const at = own.length === 0 ? '' : `[${own.join(', ')}]`;
  const bound = over.join(', ');
  const [mean, variance] = [`${name}mean${at}`, `${name}variance${at}`];
  writer.line(`${mean} = mean[${bound}](${value})`);
  writer.line(`${variance} = mean[${bound}]((${value} - ${mean})^2)`);
  return { mean, variance };
}

export const standardised = (value: string, mean: string, variance: string, eps: number): string =>
  `(${value} - ${mean}) / sqrt(${variance} + ${eps})`;

/** `* g[c] + b[c]`, for the parameters that there are; their axes are among those of x. */
function affine(writer: CaseWriter, x: OracleTensor): string {
  const read = (name: string): string => {
    const tensor = writer.tensor(name);
    return readAt(
      tensor,
      tensor.dims.map((dim) => `i${x.dims.indexOf(dim)}`),
    );
  };
  return `${writer.has('g') ? ` * ${read('g')}` : ''}${writer.has('b') ? ` + ${read('b')}` : ''}`;
}

export function normalisationProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const own = indicesOf(x);
  const eps = writer.number('eps');
  const read = readAt(x, own);
  const result = (value: string): void => define(writer, 'y', own, `${value}${affine(writer, x)}`);
  switch (of.op) {
    case 'batch_norm':
      result(batchNorm(writer, x, eps));
      break;
    case 'layer_norm': {
      const axes = (writer.hyper['axes'] as string[]).map((dim) => `i${x.dims.indexOf(dim)}`);
      const kept = own.filter((index) => !axes.includes(index));
      const { mean, variance } = moments(writer, '', kept, axes, read);
      result(standardised(read, mean, variance, eps));
      break;
    }
    case 'rms_norm': {
      const last = own.at(-1)!;
      result(`${read} / sqrt(mean[${last}](${read}^2) + ${eps})`);
      break;
    }
    case 'group_norm': {
      const groups = writer.number('groups');
      const size = x.shape[1]! / groups;
      const rest = own.slice(2);
      const inGroup = readAt(x, ['i0', `${size} * group + member`, ...rest]);
      const over = [`member: ${size}`, ...rest];
      writer.line(`mean[i0, group: ${groups}] = mean[${over.join(', ')}](${inGroup})`);
      const spread = `mean[${over.join(', ')}]((${inGroup} - mean[i0, group])^2)`;
      writer.line(`variance[i0, group: ${groups}] = ${spread}`);
      result(standardised(read, `mean[i0, i1 / ${size}]`, `variance[i0, i1 / ${size}]`, eps));
      break;
    }
    default:
      throw new Unsupported(of.op);
  }
  writer.probeLoss();
  const program = writer.finish();
  if (of.op !== 'batch_norm' || writer.hyper['mode'] === 'eval') return program;
  const buffers = ['running_mean', 'running_var'] as const;
  return { ...program, carried: new Map(buffers.map((name) => [name, `next_${name}`])) };
}

/** Training also gives the next running statistics, `next_running_mean` and `next_running_var`. */
function batchNorm(writer: CaseWriter, x: OracleTensor, eps: number): string {
  const own = indicesOf(x);
  const read = readAt(x, own);
  const running = ['running_mean', 'running_var'].map((name) => `${nameOf(name)}[i1]`) as [string, string];
  if (writer.hyper['mode'] === 'eval') return standardised(read, ...running, eps);
  const over = own.filter((index) => index !== 'i1');
  const { mean, variance } = moments(writer, '', ['i1'], over, read);
  const momentum = writer.number('momentum');
  const count = x.shape.reduce((product, extent) => product * extent, 1) / x.shape[1]!;
  const moved = (old: string, now: string): string => `${1 - momentum} * ${old} + ${momentum} * ${now}`;
  writer.line(`output next_running_mean[i1] = ${moved(running[0], mean)}`);
  writer.line(`output next_running_var[i1] = ${moved(running[1], `${variance} * ${count / (count - 1)}`)}`);
  return standardised(read, mean, variance, eps);
}
