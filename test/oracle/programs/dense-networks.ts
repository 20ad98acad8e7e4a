/** `models/generative` and the perceptrons of `models/finetune`. */
import type { OracleCase } from '../cases.ts';
import { activate } from './networks.ts';
import { infer } from './shapes.ts';
import { TrainedWriter } from './trained-writer.ts';
import { nameOf, type CaseProgram } from './writer.ts';

/** x W^T + b at [n, to]; `transposed`: x W + b */
function linear(
  x: string,
  [weight, bias]: readonly [string, string],
  [from, to]: readonly [string, string],
  transposed = false,
): string {
  const at = transposed ? `${from}, ${to}` : `${to}, ${from}`;
  return `sum[${from}](${x}[n, ${from}] * ${nameOf(weight)}[${at}]) + ${nameOf(bias)}[${to}]`;
}

export function autoencoderProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const activation = String(writer.hyper['activation']);
  const depth = (writer.hyper['hidden'] as number[]).length;
  let x = nameOf('x');
  let at = 0;
  const layer = (name: string, value: (linear: string) => string, weights: string, tied?: string): void => {
    const [from, to] = [`j${at}`, `j${at + 1}`];
    at++;
    const weight = tied ?? `${weights}.W`;
    infer(
      writer,
      name,
      ['n', to],
      value(linear(x, [weight, `${weights}.b`], [from, to], tied !== undefined)),
    );
    x = nameOf(name);
  };
  const active = (value: string): string => activate(activation, value, writer);
  for (let k = 0; k < depth; k++) {
    if (k < depth - 1) layer(`encoded${k}`, active, `E${k}`);
    else layer('code', (value) => value, `E${k}`);
  }
  for (let k = 0; k < depth; k++) {
    const tied = writer.has(`D${k}.W`) ? undefined : `E${depth - 1 - k}.W`;
    if (k < depth - 1) layer(`decoded${k}`, active, `D${k}`, tied);
    else layer('r', (value) => `sigmoid(${value})`, `D${k}`, tied);
  }
  writer.loss(`mean[n, p]((${nameOf('r')}[n, p] - ${nameOf('x')}[n, p])^2)`);
  return writer.finish();
}

export function vaeProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const [x, mu, lv, l] = ['x', 'mu', 'lv', 'l'].map(nameOf) as [string, string, string, string];
  infer(writer, 'h', ['n', 'j'], `tanh(${linear(x, ['We', 'be'], ['p', 'j'])})`);
  infer(writer, 'mu', ['n', 'k'], linear(nameOf('h'), ['Wm', 'bm'], ['j', 'k']));
  infer(writer, 'lv', ['n', 'k'], linear(nameOf('h'), ['Wv', 'bv'], ['j', 'k']));
  const noise = `${nameOf('noise')}[n, k]`;
  infer(writer, 'zs', ['n', 'k'], `${mu}[n, k] + exp(${lv}[n, k] / 2) * ${noise}`);
  infer(writer, 'd', ['n', 'j'], `tanh(${linear(nameOf('zs'), ['Wd', 'bd'], ['k', 'j'])})`);
  infer(writer, 'l', ['n', 'p'], linear(nameOf('d'), ['Wx', 'bx'], ['j', 'p']));
  const unlike = `bce_logits(${l}[n, p], ${x}[n, p])`;
  infer(writer, 'reconstruction', [], `mean[n](sum[p](${unlike}))`);
  const divergence = `1 + ${lv}[n, k] - ${mu}[n, k]^2 - exp(${lv}[n, k])`;
  infer(writer, 'kl', [], `-mean[n](sum[k](${divergence})) / 2`);
  writer.loss(`${nameOf('reconstruction')} + ${writer.number('beta', 1)} * ${nameOf('kl')}`);
  return writer.finish();
}

/** tanh between the layers; low-rank updates A.W2, B.W2 of frozen weights; a pull towards the start (L2-SP). */
export function finetunedProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const depth = of.tensors.filter(({ role, name }) => role === 'param' && /^W\d+$/.test(name)).length;
  let x = nameOf('x');
  for (let k = 1; k <= depth; k++) {
    const [from, to] = [`j${k - 1}`, `j${k}`];
    let weight = nameOf(`W${k}`);
    if (writer.has(`A.W${k}`)) {
      const factor = writer.number('scale') / writer.number('r');
      const product = `${nameOf(`B.W${k}`)}[${to}, r] * ${nameOf(`A.W${k}`)}[r, ${from}]`;
      writer.line(`whole${k}[${to}, ${from}] = ${weight}[${to}, ${from}] + ${factor} * sum[r](${product})`);
      weight = `whole${k}`;
    }
    const sum = `sum[${from}](${x}[n, ${from}] * ${weight}[${to}, ${from}]) + ${nameOf(`b${k}`)}[${to}]`;
    const name = k < depth ? `h${k}` : 'z';
    infer(writer, name, ['n', to], k < depth ? `tanh(${sum})` : sum);
    x = nameOf(name);
  }
  writer.loss(`mean[n](cross_entropy[k](${x}[n, k], ${nameOf('y')}[n]))`);
  const pulled = of.tensors.filter(({ role, name }) => role === 'const' && name.startsWith('start.'));
  for (const start of pulled) {
    const difference = `${nameOf(start.name.slice('start.'.length))} - ${nameOf(start.name)}`;
    writer.loss(`l2(${difference}, ${writer.number('alpha')})`);
  }
  if (pulled.length > 0) writer.loss(`l2(${nameOf(`W${depth}`)}, ${writer.number('beta')})`);
  return writer.finish();
}
