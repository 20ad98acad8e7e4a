/** Programs of the family `ops` whose result is one formula: activations, elementwise functions, arithmetic. */
import type { OracleCase } from '../cases.ts';
import { CaseWriter, over, reduce, Unsupported, type CaseProgram } from './writer.ts';

type Formula = (x: string, writer: CaseWriter) => string;

/** One line an operation of one operand: the language's own name for it. */
export const unaryFormulas: Readonly<Record<string, Formula>> = {
  sigmoid: (x) => `sigmoid(${x})`,
  tanh: (x) => `tanh(${x})`,
  relu: (x) => `relu(${x})`,
  relu6: (x) => `relu6(${x})`,
  leaky_relu: (x, w) => `leaky_relu(${x}, ${w.number('slope', 0.01)})`,
  elu: (x, w) => `elu(${x}, ${w.number('alpha', 1)})`,
  selu: (x) => `selu(${x})`,
  celu: (x, w) => `celu(${x}, ${w.number('alpha', 1)})`,
  gelu_exact: (x) => `gelu(${x})`,
  gelu_tanh: (x) => `gelu_tanh(${x})`,
  softplus: (x, w) => `softplus_beta(${x}, ${w.number('beta', 1)})`,
  silu: (x) => `silu(${x})`,
  swish: (x, w) => `swish(${x}, ${w.number('beta', 1)})`,
  mish: (x) => `mish(${x})`,
  hard_sigmoid: (x) => `hard_sigmoid(${x})`,
  hard_swish: (x) => `hard_swish(${x})`,
  log_sigmoid: (x) => `log_sigmoid(${x})`,
  softsign: (x) => `softsign(${x})`,
  clip: (x, w) => `clip(${x}, ${bound(w, 'min', 'max(x, ')}, ${bound(w, 'max', '), ')})`,
  identity: (x) => x,
  exp: (x) => `exp(${x})`,
  expm1: (x) => `expm1(${x})`,
  log: (x) => `log(${x})`,
  log1p: (x) => `log1p(${x})`,
  log2: (x) => `log2(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  rsqrt: (x) => `rsqrt(${x})`,
  reciprocal: (x) => `reciprocal(${x})`,
  square: (x) => `square(${x})`,
  sin: (x) => `sin(${x})`,
  cos: (x) => `cos(${x})`,
  tan: (x) => `tan(${x})`,
  asin: (x) => `asin(${x})`,
  acos: (x) => `acos(${x})`,
  atan: (x) => `atan(${x})`,
  sinh: (x) => `sinh(${x})`,
  cosh: (x) => `cosh(${x})`,
  asinh: (x) => `asinh(${x})`,
  acosh: (x) => `acosh(${x})`,
  atanh: (x) => `atanh(${x})`,
  erf: (x) => `erf(${x})`,
  abs: (x) => `abs(${x})`,
};

/** One line an operation of two operands. */
const binaryFormulas: Readonly<Record<string, (a: string, b: string) => string>> = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  pow: (a, b) => `${a} ^ ${b}`,
  maximum: (a, b) => `max(${a}, ${b})`,
  minimum: (a, b) => `min(${a}, ${b})`,
  atan2: (a, b) => `atan2(${a}, ${b})`,
};

/** A bound of a clip: a hyper-parameter, or only in the formula `min(max(x, LOW), HIGH)`. */
function bound(writer: CaseWriter, key: string, after: string): number {
  if (writer.hyper[key] !== undefined) return writer.number(key);
  const text = writer.of.formulas[0] ?? '';
  const value = Number.parseFloat(text.slice(text.indexOf(after) + after.length));
  if (Number.isNaN(value)) throw new Unsupported('clip without bounds');
  return value;
}

/** The only result. */
function single(writer: CaseWriter): OracleCase['tensors'][number] {
  const [result, second] = writer.results;
  if (result === undefined || second !== undefined) throw new Unsupported('not one result');
  return result;
}

export function unaryProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const formula = unaryFormulas[of.op];
  if (formula === undefined) throw new Unsupported(of.op);
  writer.output(single(writer), formula(writer.ref('x'), writer));
  writer.probeLoss();
  return writer.finish();
}

export function binaryProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const formula = binaryFormulas[of.op];
  const [a, b] = writer.inputs;
  if (formula === undefined || a === undefined || b === undefined) throw new Unsupported(of.op);
  writer.output(single(writer), formula(writer.read(a), writer.read(b)));
  writer.probeLoss();
  return writer.finish();
}

/** math_pow*: the exponent is a number of `hyper`, or the formula's. */
export function powerProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  if (writer.inputs.length === 2) return binaryProgram(of);
  const exponent = writer.number(
    'exponent',
    Number.parseFloat(/\^\s*([-\d.]+)/.exec(of.formulas[0] ?? '')?.[1] ?? ''),
  );
  writer.output(single(writer), `${writer.ref('x')} ^ ${exponent < 0 ? `(${exponent})` : exponent}`);
  writer.probeLoss();
  return writer.finish();
}

/** The name of axis `axis`, which may count from the end. */
export function axisName(dims: readonly string[], axis: number): string {
  const name = dims.at(axis);
  if (name === undefined) throw new Unsupported(`axis ${axis}`);
  return name;
}

export function softmaxProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const binder = over([axisName(x.dims, writer.number('axis', -1))]);
  writer.output(single(writer), `${of.op}${binder}(${writer.read(x)})`);
  writer.probeLoss();
  return writer.finish();
}

export function preluProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  writer.output(single(writer), `leaky_relu(${writer.ref('x')}, ${writer.ref('a')})`);
  writer.probeLoss();
  return writer.finish();
}

export function gluProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const y = single(writer);
  const half = y.shape.at(-1)!;
  const at = (shift: string): string =>
    writer.read(x, (dim, axis) =>
      axis === x.dims.length - 1 ? `${shift}${CaseWriter.index(y.dims.at(-1)!)}` : CaseWriter.index(dim),
    );
  writer.output(y, `${at('')} * sigmoid(${at(`${half} + `)})`);
  writer.probeLoss();
  return writer.finish();
}

/** Products of tensors, summed over every named size that the result does not have. */
export function matmulProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const y = single(writer);
  const factors = writer.inputs;
  const summed = factors.flatMap((factor) => factor.dims).filter((dim) => !y.dims.includes(dim));
  writer.output(y, reduce('sum', summed, factors.map((factor) => writer.read(factor)).join(' * ')));
  writer.probeLoss();
  return writer.finish();
}

/** `abc,cd->abd`: the letters name the axes. */
export function einsumProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const equation = String(writer.hyper['equation']);
  const [left = '', right = ''] = equation.split('->');
  const factors = left.split(',').map((letters, k) => {
    const tensor = writer.inputs[k];
    if (tensor === undefined) throw new Unsupported(equation);
    return writer.read(tensor, (_, axis) => CaseWriter.index(letters[axis] ?? ''));
  });
  const y = single(writer);
  const summed = [...new Set(left.replaceAll(',', ''))].filter((letter) => !right.includes(letter));
  writer.output({ ...y, dims: [...right] }, reduce('sum', summed, factors.join(' * ')));
  writer.probeLoss();
  return writer.finish();
}

export function whereProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const formula = /^y = (.+) if (.+) else (.+?)(?: \(.*)?$/.exec(of.formulas[0] ?? '');
  if (writer.has('mask')) {
    writer.output(single(writer), `${writer.ref('mask')} == 1 ? ${writer.ref('a')} : ${writer.ref('b')}`);
  } else if (formula !== null) {
    const x = writer.ref('x');
    const [then, condition, otherwise] = formula.slice(1).map((part) => scalarFormula(part, { x }));
    writer.output(single(writer), `${condition} ? ${then} : ${otherwise}`);
  } else {
    throw new Unsupported('where without a mask');
  }
  writer.probeLoss();
  return writer.finish();
}

/** A formula of the oracle in the language: names put in, `-3 x` made a product, `|x|` made abs(x). */
export function scalarFormula(text: string, names: Readonly<Record<string, string>>): string {
  return text
    .replaceAll(/\|([^|]+)\|/g, 'abs($1)')
    .replaceAll(/(\d|\))\s+(?=[a-z(])/gi, '$1 * ')
    .replaceAll(/[a-z_]\w*/gi, (name) => names[name] ?? name);
}

export function maskedFillProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  writer.define('u', x.dims, `${writer.ref('mask')} == 1 ? ${writer.number('value')} : ${writer.read(x)}`);
  const axis = /softmax of u over axis (-?\d+)/.exec(of.formulas[1] ?? '');
  if (axis === null) throw new Unsupported('masked fill without a softmax');
  const u = writer.read({ ...x, name: 'u' });
  writer.output(writer.tensor('y', 'forward'), `softmax${over([axisName(x.dims, Number(axis[1]))])}(${u})`);
  writer.probeLoss();
  return writer.finish();
}
