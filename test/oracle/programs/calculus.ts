/**
 * Programs of the family `calculus`: derivatives as terms of the language. What a case says is read from its formulas and
 * hyper-parameters; the networks are small and written out.
 */
import type { OracleCase } from '../cases.ts';
import { selfAttention } from './attentions.ts';
import { convolution } from './convolutions.ts';
import { activate } from './networks.ts';
import { moments, standardised } from './normalisations.ts';
import { unaryFormulas } from './operations.ts';
import { writeLayer } from './recurrent.ts';
import {
  activationOf,
  depthOf,
  formula,
  formulasOf,
  isShown,
  known,
  markOf,
  meanLoss,
  network,
} from './small-networks.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

type Maker = (writer: CaseWriter) => void;

const byOp: Readonly<Record<string, Maker>> = {
  higher_derivatives: higherDerivatives,
  scalar_function: scalarFunction,
  gradient_penalty: gradientPenalty,
  saliency,
  jacobian,
  hessian,
  hvp: (writer) => hessianProduct(writer),
  jvp: (writer) => directional(writer),
  laplacian,
  pinn: poisson,
  maml: metaGradient,
};

export function calculusProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const maker = byOp[of.op] ?? (of.op in unaryFormulas ? secondDerivative : undefined);
  if (maker === undefined) throw new Unsupported(`${of.topic}: ${of.op}`);
  maker(writer);
  return writer.finish();
}

// --------------------------------------------------------------------------------------------------- functions of numbers

function higherDerivatives(writer: CaseWriter): void {
  known(writer);
  const text = /f = (.*)/.exec(formulasOf(writer))?.[1];
  if (text === undefined) throw new Unsupported('no formula');
  const value = formula(text, () => 'x_[i]').replaceAll(/\bx\b/g, 'x_[i]');
  writer.line(`${markOf(writer, 'y')}y_[i] = ${value}`);
  let before = 'y_';
  for (let k = 1; isShown(writer, `d${k}`); k++) {
    writer.line(`${markOf(writer, `d${k}`)}d${k}_[i] = grad(${before}[i], x_[i])`);
    before = `d${k}_`;
  }
  const summed = /loss = sum of (d\d)/.exec(formulasOf(writer))?.[1];
  if (summed === undefined) throw new Unsupported('no loss');
  writer.loss(`sum(${nameOf(summed)})`);
}

function secondDerivative(writer: CaseWriter): void {
  writer.line(`${markOf(writer, 'y')}y_[i] = ${unaryFormulas[writer.of.op]!('x_[i]', writer)}`);
  writer.line(`${markOf(writer, 'd1')}d1_[i] = grad(y_[i], x_[i])`);
  writer.line(`${markOf(writer, 'd2')}d2_[i] = grad(grad(y_[i], x_[i]), x_[i])`);
  writer.probeLoss();
}

function scalarFunction(writer: CaseWriter): void {
  known(writer, 'parameter_order');
  const text = /f = (.*)/.exec(formulasOf(writer))?.[1] ?? '';
  const sum = /^sum for (\w) = (\d+)\.\.(\d+) of (.*)$/.exec(text);
  const x = (index: string): string => `x_[${index}]`;
  const value =
    sum === null
      ? formula(text, x)
      : `sum[${sum[1]}: ${Number(sum[3]) - Number(sum[2]) + 1}](${formula(sum[4]!, (index) => `x_[${index} + ${sum[2]}]`)})`;
  writer.line(`f = ${value}`);
  writer.line(`${markOf(writer, 'hessian')}hessian_ = hessian(f, x_)`);
  writer.loss('f');
}

// ---------------------------------------------------------------------------------------------------------------- penalties

function gradientPenalty(writer: CaseWriter): void {
  known(writer, 'lambda', 'gamma', 'activation', 'one_sided');
  const excess = writer.hyper['one_sided'] === true ? 'max(m_[n] - 1, 0)' : '(m_[n] - 1)';
  const activation = activationOf(writer);
  if (writer.has('w')) {
    pooledConvolution(writer, 'D', activation);
    writer.line(`${markOf(writer, 'g')}g_[n, c, p, q] = grad(D[n, 0], x_[n, c, p, q])`);
    const squares = 'sum[c, p, q](g_[n, c, p, q]^2)';
    if (writer.hyper['gamma'] !== undefined) {
      squarePenalty(writer, squares);
      return;
    }
    writer.line(`${markOf(writer, 'm')}m_[n] = sqrt(${squares})`);
    writer.loss(`mean[n](D[n, 0]) + ${writer.number('lambda')} * mean[n](${excess}^2)`);
    return;
  }
  const critic = (input: string, result: string): void =>
    network(writer, { input: (i) => `${input}[n, ${i}]`, rows: 'n', result, activation });
  if (writer.has('x')) {
    critic('x_', 'D');
    writer.line(`${markOf(writer, 'g')}g_[n, i] = grad(D[n, 0], x_[n, i])`);
    squarePenalty(writer, 'sum[i](g_[n, i]^2)');
    return;
  }
  writer.line('xh[n, i] = e_[n, 0] * real_[n, i] + (1 - e_[n, 0]) * fake_[n, i]');
  critic('xh', 'D');
  critic('fake_', 'F');
  critic('real_', 'R');
  writer.line(`${markOf(writer, 'g')}g_[n, i] = grad(D[n, 0], xh[n, i])`);
  writer.line(`${markOf(writer, 'm')}m_[n] = sqrt(sum[i](g_[n, i]^2))`);
  writer.loss(`mean(F) - mean(R) + ${writer.number('lambda')} * mean[n](${excess}^2)`);
}

/** R1: the critic's loss on real data, and the mean of the gradient's square. */
function squarePenalty(writer: CaseWriter, squares: string): void {
  writer.loss(`mean[n](softplus(-D[n, 0])) + ${writer.number('gamma')} / 2 * mean[n](${squares})`);
}

/** z = (mean over positions of f(conv(x, w, b))) Wᵀ (+ bias), as `result`[n, k]. */
function pooledConvolution(writer: CaseWriter, result: string, activation: string): void {
  const text = formulasOf(writer);
  const stride = Number(/stride (\d+)/.exec(text)?.[1] ?? 1);
  const padding = Number(/padding (\d+)/.exec(text)?.[1] ?? 0);
  const w = writer.tensor('w');
  const along = w.shape.slice(2).map((size) => ({ size, stride, padding, dilation: 1 }));
  const sizes = writer
    .tensor('x')
    .shape.slice(2)
    .map((extent, k) => Math.floor((extent + 2 * padding - along[k]!.size) / stride) + 1);
  const value = convolution((at) => `(x_[${at.join(', ')}] else 0)`, w, along);
  const picture = `u[b, o, p0: ${sizes[0]}, p1: ${sizes[1]}]`;
  writer.line(`${picture} = ${activate(activation, `(${value} + b_[o])`, writer)}`);
  writer.line('pooled[n, o] = mean[p0, p1](u[n, o, p0, p1])');
  const shift = writer.has('bias') ? ' + bias_[k]' : '';
  writer.line(`${result}[n, k] = sum[o](pooled[n, o] * W_[k, o])${shift}`);
}

// ----------------------------------------------------------------------------------------------- saliency and Jacobians

function saliency(writer: CaseWriter): void {
  known(writer, 'activation');
  if (writer.has('w')) {
    pooledConvolution(writer, 'scores', activationOf(writer));
    writer.line(`${markOf(writer, 'z')}z_[n, k] = scores[n, k]`);
    writer.line('score[n] = z_[n, y_[n]]');
    writer.line('g[n, c, p, q] = grad(score[n], x_[n, c, p, q])');
    writer.line(`${markOf(writer, 'saliency')}saliency_[n, c, p, q] = abs(g[n, c, p, q])`);
    const product = 'x_[n, c, p, q] * g[n, c, p, q]';
    writer.line(`${markOf(writer, 'gradient_times_input')}gradient_times_input_[n, c, p, q] = ${product}`);
    writer.loss('sum(score)');
    return;
  }
  const steps = writer.of.dims['M'];
  if (steps === undefined || !writer.has('x0')) throw new Unsupported('saliency of another kind');
  const chosen = /dz\[:,(\d+)\]/.exec(formulasOf(writer))?.[1];
  if (chosen === undefined) throw new Unsupported('no class');
  writer.line(`at[n, m: ${steps}, i] = x0_[n, i] + (m + 0.5) / ${steps} * (x_[n, i] - x0_[n, i])`);
  network(writer, {
    input: (i) => `at[n, m, ${i}]`,
    rows: 'n, m',
    result: 'z',
    activation: activationOf(writer),
  });
  writer.line(
    `${markOf(writer, 'attribution')}attribution_[n, i] = (x_[n, i] - x0_[n, i]) * mean[m](grad(z[n, m, ${chosen}], at[n, m, i]))`,
  );
  writer.loss('sum(attribution_^2)');
}

/** theta: all parameters in the order that the case gives, row by row; and what reads each of them there. */
function flattened(writer: CaseWriter): (name: string) => string {
  const order = writer.hyper['parameter_order'];
  if (!Array.isArray(order)) throw new Unsupported('no order of the parameters');
  let start = 0;
  const parts: string[] = [];
  const places = new Map<string, string>();
  for (const name of order.map(String)) {
    const { shape } = writer.tensor(name, 'param');
    const count = shape.reduce((product, size) => product * size, 1);
    const own = `p - ${start}`;
    const at = shape.map((size, axis) => {
      const rest = shape.slice(axis + 1).reduce((product, each) => product * each, 1);
      const row = rest === 1 ? `(${own})` : `(${own}) / ${rest}`;
      return axis === 0 ? row : `mod(${row}, ${size})`;
    });
    parts.push(`(${nameOf(name)}[${at.join(', ')}] else 0)`);
    const flat = shape.map((_, axis) => {
      const rest = shape.slice(axis + 1).reduce((product, each) => product * each, 1);
      return `${rest} * q${axis}`;
    });
    const binders = shape.map((size, axis) => `q${axis}: ${size}`);
    places.set(name, `${name}t[${binders.join(', ')}] = theta_[${[String(start), ...flat].join(' + ')}]`);
    start += count;
  }
  writer.line(`${markOf(writer, 'theta')}theta_[p: ${start}] = ${parts.join(' + ')}`);
  for (const line of places.values()) writer.line(line);
  return (name) => `${name}t`;
}

function jacobian(writer: CaseWriter): void {
  known(writer, 'activation', 'parameter_order');
  if (!writer.has('W1')) {
    const name = /y = (softmax|log_softmax)\(x\)/.exec(formulasOf(writer))?.[1];
    if (name === undefined) throw new Unsupported('the Jacobian of another function');
    writer.line(`${markOf(writer, 'y')}y_[n, i] = ${name}[i](x_[n, i])`);
    writer.line(`${markOf(writer, 'jacobian')}jacobian_[n, i, j] = grad(y_[n, i], x_[n, j])`);
    const power = /loss = sum of y\^(\d)/.exec(formulasOf(writer))?.[1];
    if (power === undefined) throw new Unsupported('no loss');
    writer.loss(`sum(y_^${power})`);
    return;
  }
  const weight = flattened(writer);
  const activation = activationOf(writer);
  const mark = markOf(writer, 'z');
  network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: 'z_', activation, mark, weight });
  writer.line(`${markOf(writer, 'jacobian')}jacobian_[n, o, i] = grad(z_[n, o], x_[n, i])`);
  writer.line(`${markOf(writer, 'jacobian_theta')}jacobian_theta_[o, p] = grad(z_[0, o], theta_[p])`);
  writer.loss('sum(z_^2) / 2');
}

function hessian(writer: CaseWriter): void {
  known(writer, 'activation', 'loss', 'parameter_order', 'lambda');
  if (writer.has('w')) {
    const size = writer.of.dims['F'] ?? 0;
    const penalty = `${writer.number('lambda', 0)} / 2 * sum(w_^2)`;
    writer.line('u[n] = sum[i](x_[n, i] * w_[i])');
    writer.line(`f = mean[n](softplus(u[n]) - y_[n] * u[n]) + ${penalty}`);
    writer.line('gradient[i] = grad(f, w_[i])');
    writer.line(`${markOf(writer, 'hessian')}hessian_[i, j] = grad(gradient[i], w_[j])`);
    newton(writer, size);
    writer.loss('f');
    return;
  }
  const weight = flattened(writer);
  const activation = activationOf(writer);
  network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: 'z', activation, weight });
  const loss = writer.hyper['loss'];
  if (loss !== 'mse' && loss !== 'ce') throw new Unsupported(`loss ${String(loss)}`);
  writer.line(`f = ${meanLoss(writer, 'z', 2)}`);
  writer.line(`${markOf(writer, 'gradient')}gradient_[p] = grad(f, theta_[p])`);
  writer.line(`${markOf(writer, 'hessian')}hessian_[p, q] = grad(grad(f, theta_[p]), theta_[q])`);
  writer.loss('f');
}

/** w - hessian⁻¹ gradient, by Gauss and Jordan's elimination: the Hessian is positive definite. */
function newton(writer: CaseWriter, size: number): void {
  const last = size;
  writer.line(`m0[i: ${size}, j: ${size + 1}] = (hessian_[i, j] else 0) + (j == ${last} ? gradient[i] : 0)`);
  for (let k = 0; k < size; k++) {
    const pivot = `m${k}[${k}, j] / m${k}[${k}, ${k}]`;
    writer.line(`m${k + 1}[i, j] = i == ${k} ? ${pivot} : m${k}[i, j] - m${k}[i, ${k}] * ${pivot}`);
  }
  writer.line(`${markOf(writer, 'newton')}newton_[i] = w_[i] - m${size}[i, ${last}]`);
}

// ------------------------------------------------------------------------------------------------------ along directions

/** The model of a case of `hvp` and `jvp`: z, and `f`, its loss. */
function model(writer: CaseWriter): void {
  known(writer, 'heads', 'cell', 'activation', 'causal', 'eps');
  const { dims } = writer.of;
  const mark = markOf(writer, 'z');
  if (writer.has('W1')) {
    const activation = activationOf(writer);
    network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: 'z_', activation, mark });
    writer.line(`f = ${meanLoss(writer, 'z_', 2)}`);
  } else if (writer.has('w')) {
    pooledConvolution(writer, 'scores', activationOf(writer));
    writer.line(`${mark}z_[n, k] = scores[n, k]`);
    writer.line(`f = ${meanLoss(writer, 'z_', 2)}`);
  } else if (writer.has('Wqkv')) {
    const { mean, variance } = moments(writer, 'norm', ['b', 'i'], ['f'], 'x_[b, i, f]');
    const eps = writer.number('eps', Number(/eps ([\de.-]+)/.exec(formulasOf(writer))?.[1] ?? Number.NaN));
    const standard = standardised('x_[b, i, f]', mean, variance, eps);
    writer.line(`normed[b, i, f] = ${standard} * g_[f] + b_[f]`);
    const attended = selfAttention(writer, {
      x: 'normed',
      qkv: { weight: 'Wqkv_', bias: 'bqkv_' },
      out: { weight: 'Wo_', bias: 'bo_' },
      features: dims['D'] ?? 0,
      heads: writer.number('heads'),
      causal: writer.hyper['causal'] !== false,
      prefix: '',
    });
    writer.line(`${mark}z_[b, i, f] = x_[b, i, f] + ${attended}`);
    writer.line(`f = ${meanLoss(writer, 'z_', 3)}`);
  } else if (writer.has('W_ih')) {
    const cell = String(writer.hyper['cell']);
    writeLayer(writer, {
      cell: cell === 'rnn' ? 'rnn_tanh' : cell,
      suffix: '',
      steps: 'h',
      input: 'x_[b, t, j]',
      hidden: dims['H'] ?? 0,
      length: dims['T'] ?? 0,
      reversed: false,
      masked: false,
    });
    writer.line(`${mark}z_[b, t, o] = h[b, t, o]`);
    writer.line(`f = ${meanLoss(writer, 'z_', 3)}`);
  } else throw new Unsupported('a model of another kind');
  writer.loss('f');
}

/** `W_ = v_W_, b_ = v_b_`: the directions that are given, each by its tensor. */
function directions(writer: CaseWriter, prefix: string): { readonly names: string[]; readonly text: string } {
  const names = writer.of.tensors
    .filter(({ role, name }) => role === 'const' && name.startsWith(`${prefix}.`))
    .map(({ name }) => name.slice(prefix.length + 1));
  return { names, text: names.map((name) => `${nameOf(name)} = ${nameOf(`${prefix}.${name}`)}`).join(', ') };
}

function hessianProduct(writer: CaseWriter): void {
  model(writer);
  const { names, text } = directions(writer, 'v');
  for (const name of names)
    writer.line(
      `${markOf(writer, `hv.${name}`)}${nameOf(`hv.${name}`)} = jvp(grad(f, ${nameOf(name)}), ${text})`,
    );
  const products = names.map((name) => `sum(${nameOf(`v.${name}`)} * ${nameOf(`hv.${name}`)})`);
  if (isShown(writer, 'vhv')) writer.line(`${markOf(writer, 'vhv')}vhv_ = ${products.join(' + ')}`);
}

function directional(writer: CaseWriter): void {
  model(writer);
  const { text } = directions(writer, 'tangent');
  writer.line(`${markOf(writer, 'jvp.z')}jvp_z_ = jvp(z_, ${text})`);
  writer.line(`${markOf(writer, 'jvp.loss')}jvp_loss_ = jvp(f, ${text})`);
}

// ------------------------------------------------------------------------------------------------------------------ nested

function laplacian(writer: CaseWriter): void {
  known(writer, 'activation');
  network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: 'u', activation: activationOf(writer) });
  writer.line(
    `${markOf(writer, 'laplacian')}laplacian_[n] = sum[i](grad(grad(u[n, 0], x_[n, i]), x_[n, i]))`,
  );
  writer.loss('mean(laplacian_^2)');
}

function poisson(writer: CaseWriter): void {
  known(writer, 'activation');
  if (!formulasOf(writer).includes('residual = uxx + pi^2 sin(pi x)'))
    throw new Unsupported('another equation');
  const activation = activationOf(writer);
  const mark = markOf(writer, 'u');
  network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: 'u_', activation, mark });
  network(writer, { input: (i) => `xb_[n, ${i}]`, rows: 'n', result: 'ub', activation });
  writer.line(`${markOf(writer, 'ux')}ux_[n, k] = grad(u_[n, k], x_[n, 0])`);
  writer.line(`${markOf(writer, 'uxx')}uxx_[n, k] = grad(ux_[n, k], x_[n, 0])`);
  writer.loss('mean[n]((uxx_[n, 0] + pi^2 * sin(pi * x_[n, 0]))^2) + mean(ub^2)');
}

function metaGradient(writer: CaseWriter): void {
  known(writer, 'inner_steps', 'inner_lr', 'inner_momentum', 'activation');
  const activation = activationOf(writer);
  const [steps, rate, momentum] = [
    writer.number('inner_steps'),
    writer.number('inner_lr'),
    writer.number('inner_momentum', 0),
  ];
  const names = Array.from({ length: depthOf(writer) }, (_, k) => [`W${k + 1}`, `b${k + 1}`]).flat();
  const weightAt = (step: number) => (name: string) => (step === 0 ? nameOf(name) : `${name}s${step}`);
  for (let step = 0; step < steps; step++) {
    const weight = weightAt(step);
    network(writer, { input: (i) => `x_[n, ${i}]`, rows: 'n', result: `z${step}v`, activation, weight });
    writer.line(`l${step} = mean[n, k]((z${step}v[n, k] - y_[n, k])^2)`);
    for (const name of names) {
      const moved = step === 0 || momentum === 0 ? '' : `${momentum} * ${name}u${step - 1} + `;
      writer.line(`${name}u${step} = ${moved}grad(l${step}, ${weight(name)})`);
      writer.line(`${weightAt(step + 1)(name)} = ${weight(name)} - ${rate} * ${name}u${step}`);
    }
  }
  const weight = weightAt(steps);
  for (const name of names)
    if (isShown(writer, `inner.${name}`))
      writer.line(`${markOf(writer, `inner.${name}`)}${nameOf(`inner.${name}`)} = ${weight(name)}`);
  network(writer, { input: (i) => `x2_[n, ${i}]`, rows: 'n', result: 'z', activation, weight });
  writer.loss('mean[n, k]((z[n, k] - y2_[n, k])^2)');
}
