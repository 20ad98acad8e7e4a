/** `models/transformer`: the GPT; and the attention with low-rank updates of `models/finetune`. */
import type { OracleCase } from '../cases.ts';
import { block, blockSettings, layerNorm, selfAttention } from './attentions.ts';
import { infer, plus } from './shapes.ts';
import { TrainedWriter } from './trained-writer.ts';
import { nameOf, type CaseProgram } from './writer.ts';

export function gptProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const settings = blockSettings(writer);
  const [ids, wte, wpe] = [nameOf('ids'), nameOf('wte'), nameOf('wpe')];
  const [positions] = writer.tensor('wpe').shape as [number];
  writer.line(`x0[b, i: ${positions}, f] = ${wte}[${ids}[b, i], f] + ${wpe}[i, f]`);
  const blocks = writer.number('blocks');
  for (let k = 0; k < blocks; k++)
    writer.line(`x${k + 1}[b, i, f] = ${block(writer, `x${k}`, `h${k}.`, settings)}`);
  layerNorm(writer, 'last', `x${blocks}`, 'lnf', settings.eps);
  const head = writer.hyper['tied_head'] === true ? wte : nameOf('head.W');
  infer(writer, 'z', ['b', 'i', 'k'], `sum[f](last[b, i, f] * ${head}[k, f])`);
  writer.loss(`mean[b, i](cross_entropy[k](${nameOf('z')}[b, i, k], ${ids}[b, i + 1]))`);
  return writer.finish();
}

/** Wqkv is frozen; its query and value rows get (scale / r) B A. */
export function loraAttentionProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const features = writer.tensor('Wo').shape[0]!;
  const factor = writer.number('scale') / writer.number('r');
  const update = (letter: string, first: number): string =>
    `sum[r]((${nameOf(`B${letter}`)}[${plus('f', -first)}, r] else 0) * ${nameOf(`A${letter}`)}[r, j])`;
  const value = 2 * features;
  writer.line(
    `weight[f, j] = ${nameOf('Wqkv')}[f, j] + ${factor} * (${update('q', 0)} + ${update('v', value)})`,
  );
  const attended = selfAttention(writer, {
    x: nameOf('x'),
    qkv: { weight: 'weight', bias: nameOf('bqkv') },
    out: { weight: nameOf('Wo'), bias: nameOf('bo') },
    features,
    heads: writer.number('heads'),
    causal: writer.hyper['causal'] === true,
    prefix: '',
  });
  writer.line(`y[b, i, f] = ${attended}`);
  writer.line('pooled[b, f] = mean[i](y[b, i, f])');
  infer(writer, 'z', ['b', 'k'], `sum[f](pooled[b, f] * ${nameOf('Wc')}[k, f]) + ${nameOf('bc')}[k]`);
  writer.loss(`mean[b](cross_entropy[k](${nameOf('z')}[b, k], ${nameOf('y')}[b]))`);
  return writer.finish();
}
