/** Multi-head attention and the blocks around it, as statements: `layers/attention`, transformer blocks, GPT. */
import type { OracleCase } from '../cases.ts';
import { moments, standardised } from './normalisations.ts';
import { define, plus, readAt } from './shapes.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

/** What a self-attention reads: the names of tensors in the program. */
export interface SelfAttention {
  /** [batch, position, feature] */
  readonly x: string;
  readonly qkv: { readonly weight: string; readonly bias: string };
  readonly out: { readonly weight: string; readonly bias: string };
  readonly features: number;
  readonly heads: number;
  readonly causal: boolean;
  /** The name of the attention weights, if they are an output already named. */
  readonly weights?: string;
  /** What is before the names of its own tensors. */
  readonly prefix: string;
}

/** [q k v] = x Wqkv^T + bqkv; per head P = softmax(q k / √d), o = P v. Gives the right side at [b, i, f]. */
export function selfAttention(writer: CaseWriter, of: SelfAttention): string {
  const { x, features, heads, prefix } = of;
  const size = features / heads;
  const three = `${prefix}three`;
  writer.line(`${three}[b, i, f] = sum[j](${x}[b, i, j] * ${of.qkv.weight}[f, j]) + ${of.qkv.bias}[f]`);
  const part = (k: number, position: string): string =>
    `${three}[b, ${position}, ${plus(`${size} * h + d`, k * features)}]`;
  const score = `sum[d: ${size}](${part(0, 'i')} * ${part(1, 'k')}) / sqrt(${size})`;
  const masked = of.causal ? `k <= i ? ${score} : -inf` : score;
  writer.line(`${prefix}score[b, h: ${heads}, i, k] = ${masked}`);
  const weights = of.weights ?? `${prefix}weights`;
  const softmax = `softmax[k](${prefix}score[b, h, i, k])`;
  if (of.weights === undefined) writer.line(`${weights}[b, h, i, k] = ${softmax}`);
  else define(writer, 'weights', ['b', 'h', 'i', 'k'], softmax);
  const mixed = `${weights}[b, j / ${size}, i, k] * ${three}[b, k, ${2 * features} + j]`;
  writer.line(`${prefix}mixed[b, i, j: ${features}] = sum[k](${mixed})`);
  return `sum[j](${prefix}mixed[b, i, j] * ${of.out.weight}[f, j]) + ${of.out.bias}[f]`;
}

export interface BlockSettings {
  readonly heads: number;
  readonly causal: boolean;
  readonly eps: number;
  readonly gelu: string;
}

export const blockSettings = (writer: CaseWriter): BlockSettings => ({
  heads: writer.number('heads'),
  causal: writer.hyper['causal'] !== false,
  eps: writer.number('eps'),
  gelu: writer.hyper['gelu'] === 'tanh' ? 'gelu_tanh' : 'gelu',
});

/** LN(x) = (x - mean) / sqrt(variance + eps) g + b over the last axis, as the tensor `name`. */
export function layerNorm(writer: CaseWriter, name: string, x: string, parameter: string, eps: number): void {
  const { mean, variance } = moments(writer, name, ['b', 'i'], ['f'], `${x}[b, i, f]`);
  const standard = standardised(`${x}[b, i, f]`, mean, variance, eps);
  writer.line(
    `${name}[b, i, f] = ${standard} * ${nameOf(`${parameter}.g`)}[f] + ${nameOf(`${parameter}.b`)}[f]`,
  );
}

/** u = x + MHA(LN1(x)); y = u + gelu(LN2(u) Wfc^T + bfc) Wout^T + bout. Gives the right side at [b, i, f]. */
export function block(writer: CaseWriter, x: string, parameters: string, settings: BlockSettings): string {
  const own = parameters.replaceAll('.', '_');
  const parameter = (name: string): string => nameOf(`${parameters}${name}`);
  const linear = (name: string) => ({ weight: parameter(`${name}.W`), bias: parameter(`${name}.b`) });
  layerNorm(writer, `${own}first`, x, `${parameters}ln1`, settings.eps);
  const attended = selfAttention(writer, {
    x: `${own}first`,
    qkv: linear('qkv'),
    out: linear('proj'),
    features: writer.tensor(`${parameters}proj.W`).shape[0]!,
    heads: settings.heads,
    causal: settings.causal,
    prefix: own,
  });
  writer.line(`${own}u[b, i, f] = ${x}[b, i, f] + ${attended}`);
  layerNorm(writer, `${own}second`, `${own}u`, `${parameters}ln2`, settings.eps);
  const [fc, out] = [linear('fc'), linear('out')];
  const inner = `sum[f](${own}second[b, i, f] * ${fc.weight}[j, f]) + ${fc.bias}[j]`;
  writer.line(`${own}hidden[b, i, j] = ${settings.gelu}(${inner})`);
  const shift = `${out.bias}[f]`;
  return `${own}u[b, i, f] + sum[j](${own}hidden[b, i, j] * ${out.weight}[f, j]) + ${shift}`;
}

export function attentionProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  if (of.op === 'attention') crossAttention(writer);
  else if (of.op === 'multi_head_self_attention') {
    const shown = writer.results.some(({ name }) => name === 'weights');
    const value = selfAttention(writer, {
      x: nameOf('x'),
      qkv: { weight: nameOf('Wqkv'), bias: nameOf('bqkv') },
      out: { weight: nameOf('Wo'), bias: nameOf('bo') },
      features: writer.tensor('Wo').shape[0]!,
      heads: writer.number('heads'),
      causal: writer.hyper['causal'] === true,
      prefix: '',
      ...(shown ? { weights: nameOf('weights') } : {}),
    });
    define(writer, 'y', ['b', 'i', 'f'], value);
  } else throw new Unsupported(of.op);
  writer.probeLoss();
  return writer.finish();
}

/** S[b,i,j] = q[b,i].k[b,j] / sqrt(D), -inf where pad[b,j] = 1; y = softmax(S) v */
function crossAttention(writer: CaseWriter): void {
  const [q, k, v] = [writer.tensor('q'), writer.tensor('k'), writer.tensor('v')];
  const product = `${readAt(q, ['b', 'i', 'd'])} * ${readAt(k, ['b', 'j', 'd'])}`;
  const score = `sum[d](${product}) / sqrt(${q.shape.at(-1)})`;
  const masked = writer.has('pad')
    ? `${readAt(writer.tensor('pad'), ['b', 'j'])} == 1 ? -inf : ${score}`
    : score;
  const causal = writer.hyper['causal'] === true ? `j <= i ? (${masked}) : -inf` : masked;
  writer.line(`score[b, i, j] = ${causal}`);
  define(writer, 'P', ['b', 'i', 'j'], 'softmax[j](score[b, i, j])');
  const weights = nameOf('P');
  define(writer, 'y', ['b', 'i', 'f'], `sum[j](${weights}[b, i, j] * ${readAt(v, ['b', 'j', 'f'])})`);
}
