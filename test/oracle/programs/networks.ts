/** Programs of `layers/dense` and of the trained perceptrons and linear models: network, loss, penalty, training. */
import type { Hyper, OracleCase, OracleTensor } from '../cases.ts';
import { unaryFormulas } from './operations.ts';
import { trainBlock } from './training.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

export function denseProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const { activation } = writer.hyper;
  const { dims } = writer.results[0]!;
  const summed = CaseWriter.index(writer.tensor('W').dims[1]!);
  const bias = writer.has('b') ? ` + ${writer.ref('b')}` : '';
  writer.define('y', dims, `sum[${summed}](${writer.ref('x')} * ${writer.ref('W')})${bias}`);
  if (typeof activation === 'string') {
    const y = `${nameOf('y')}[${dims.map(CaseWriter.index).join(', ')}]`;
    writer.define('a', dims, activate(activation, y, writer));
  }
  writer.probeLoss();
  return writer.finish();
}

export function activate(name: string, x: string, writer: CaseWriter): string {
  const formula = unaryFormulas[name === 'gelu' ? 'gelu_exact' : name];
  if (formula === undefined) throw new Unsupported(`activation ${name}`);
  return formula(x, writer);
}

/** A layer of the network: y = x Wᵀ + b, W [out, in]. */
interface DenseLayer {
  readonly weight: OracleTensor;
  readonly bias: OracleTensor | undefined;
}

/** W1, b1, W2, b2, ... of a perceptron; W, b of a linear model. */
function layersOf(of: OracleCase): DenseLayer[] {
  const parameter = (name: string): OracleTensor | undefined =>
    of.tensors.find((tensor) => tensor.role === 'param' && tensor.name === name);
  const single = parameter('W');
  if (single !== undefined) return [{ weight: single, bias: parameter('b') }];
  const layers: DenseLayer[] = [];
  for (let k = 1; ; k++) {
    const weight = parameter(`W${k}`);
    if (weight === undefined) return layers;
    layers.push({ weight, bias: parameter(`b${k}`) });
  }
}

/**
 * The rows given are all rows of a batch. `training` leaves them open (the dimension n) and has a `train` block;
 * without it, x is a parameter where the case wants its gradient.
 */
export function networkProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const x = of.tensors.find((tensor) => tensor.role === 'input' && tensor.name === 'x');
  const y = of.tensors.find((tensor) => tensor.role === 'target');
  const layers = layersOf(of);
  if (x === undefined || y === undefined || layers.length === 0) throw new Unsupported('not a perceptron');
  const writer = new CaseWriter({
    ...of,
    tensors: of.tensors.filter((tensor) => tensor.role === 'param' || tensor.role === 'forward'),
  });
  const batch = training ? 'n' : String(rows);
  const classes = layers.at(-1)!.weight.shape[0]!;
  const asParameter = !training && x.has_gradient === true;
  const axes = [batch, ...x.shape.slice(1)].join(', ');
  writer.line(asParameter ? `param x_[${axes}] ~ zeros` : `input x_[${axes}]`);
  writer.line(
    y.dtype === 'i4'
      ? `input y_[${batch}]: ${classes}`
      : `input y_[${[batch, ...y.shape.slice(1)].join(', ')}]`,
  );

  const result = (name: string): string => {
    const shown = !training && writer.results.some((tensor) => tensor.name === name);
    if (shown) writer.shows(name);
    return shown ? 'output ' : '';
  };
  let read = 'x_[n, j0]';
  const activation = typeof writer.hyper['activation'] === 'string' ? writer.hyper['activation'] : 'identity';
  layers.forEach(({ weight, bias }, k) => {
    const last = k === layers.length - 1;
    const name = last ? 'z_' : `z${k + 1}_`;
    const [from, to] = [`j${k}`, `j${k + 1}`];
    const shift = bias === undefined ? '' : ` + ${nameOf(bias.name)}[${to}]`;
    const prefix = last ? result('z') : '';
    writer.line(
      `${prefix}${name}[n, ${to}] = sum[${from}](${read} * ${nameOf(weight.name)}[${to}, ${from}])${shift}`,
    );
    read = `${name}[n, ${to}]`;
    if (!last) {
      writer.line(`a${k + 1}_[n, ${to}] = ${activate(activation, read, writer)}`);
      read = `a${k + 1}_[n, ${to}]`;
    }
  });
  addLoss(writer, of, y, `j${layers.length}`, result);
  addPenalty(writer, of.hyper ?? {}, layers);
  return writer.finish(training ? trainBlock(of) : '');
}

function addLoss(
  writer: CaseWriter,
  of: OracleCase,
  y: OracleTensor,
  k: string,
  result: (name: string) => string,
): void {
  const kind = of.op === 'mlp' ? of.hyper?.['loss'] : of.op;
  switch (kind) {
    case 'ce':
    case 'softmax_regression':
      if (result('p') !== '') writer.line(`output p_[n, ${k}] = softmax[${k}](z_[n, ${k}])`);
      writer.loss(`mean[n](cross_entropy[${k}](z_[n, ${k}], y_[n]))`);
      return;
    case 'bce':
      // as a tutorial spells it: the compiler has to find the stable form
      writer.line(`${result('p')}p_[n, ${k}] = sigmoid(z_[n, ${k}])`);
      writer.loss(
        `-mean[n, ${k}](y_[n, ${k}] * log(p_[n, ${k}]) + (1 - y_[n, ${k}]) * log(1 - p_[n, ${k}]))`,
      );
      return;
    case 'logistic_regression':
      if (result('p') !== '') writer.line(`output p_[n, ${k}] = sigmoid(z_[n, ${k}])`);
      writer.loss(`mean[n, ${k}](bce_logits(z_[n, ${k}], ${target(y, k)}))`);
      return;
    case 'mse':
    case 'linear_regression':
      writer.loss(`mean[n, ${k}]((z_[n, ${k}] - ${target(y, k)})^2)`);
      return;
    default:
      throw new Unsupported(`loss ${String(kind)}`);
  }
}

const target = (y: OracleTensor, k: string): string => (y.shape.length === 1 ? 'y_[n]' : `y_[n, ${k}]`);

function addPenalty(writer: CaseWriter, hyper: Hyper, layers: readonly DenseLayer[]): void {
  const penalty = hyper['penalty'] as { kind: string; lambda: number; alpha?: number } | undefined;
  const weights = layers.map(({ weight }) => nameOf(weight.name));
  if (penalty === undefined) {
    const l2 = hyper['l2'];
    if (typeof l2 === 'number' && l2 !== 0) writer.loss(`l2(${weights[0]}, ${l2})`);
    return;
  }
  for (const weight of weights) {
    if (penalty.kind === 'l2') writer.loss(l2Penalty(writer.of, weight, penalty.lambda));
    else if (penalty.kind === 'l1') writer.loss(`l1(${weight}, ${penalty.lambda})`);
    else if (penalty.kind === 'elastic')
      writer.loss(`elastic(${weight}, ${penalty.lambda}, ${penalty.alpha})`);
    else throw new Unsupported(`penalty ${penalty.kind}`);
  }
}

/** λ/2 ΣW² or λ ΣW²: the formula says which. */
function l2Penalty(of: OracleCase, weight: string, lambda: number): string {
  const formula = of.formulas.find((text) => text.startsWith('penalty')) ?? '';
  return /lambda \/ 2|lambda\/2/.test(formula) ? `l2(${weight}, ${lambda})` : `${lambda} * sum(${weight}^2)`;
}
