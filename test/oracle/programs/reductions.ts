/** Programs of the topics `reduce`, `norm` and `convention`, and of the ops called `expression`. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { binaryProgram, axisName, scalarFormula, unaryFormulas, unaryProgram } from './operations.ts';
import { CaseWriter, nameOf, reduce, Unsupported, type CaseProgram } from './writer.ts';

/** One line a reduction: over which sizes, of what, how many elements. */
const formulas: Readonly<Record<string, (dims: readonly string[], x: string, count: number) => string>> = {
  reduce_sum: (dims, x) => reduce('sum', dims, x),
  reduce_mean: (dims, x) => reduce('mean', dims, x),
  reduce_max: (dims, x) => reduce('max', dims, x),
  reduce_min: (dims, x) => reduce('min', dims, x),
  reduce_prod: (dims, x) => reduce('prod', dims, x),
  reduce_logsumexp: (dims, x) => `log(${reduce('sum', dims, `exp(${x})`)})`,
  reduce_var_biased: (dims, x) => variance(dims, x, 1),
  reduce_var_unbiased: (dims, x, count) => variance(dims, x, count / (count - 1)),
  reduce_std_biased: (dims, x) => `sqrt(${variance(dims, x, 1)})`,
  reduce_std_unbiased: (dims, x, count) => `sqrt(${variance(dims, x, count / (count - 1))})`,
  reduce_norm_l1: (dims, x) => reduce('sum', dims, `abs(${x})`),
  reduce_norm_l2: (dims, x) => `sqrt(${reduce('sum', dims, `${x}^2`)})`,
  reduce_norm_p3: (dims, x) => `${reduce('sum', dims, `abs(${x})^3`)} ^ (1 / 3)`,
  reduce_norm_inf: (dims, x) => reduce('max', dims, `abs(${x})`),
};

function variance(dims: readonly string[], x: string, factor: number): string {
  return `${factor === 1 ? '' : `${factor} * `}${reduce('mean', dims, `(${x} - ${reduce('mean', dims, x)})^2`)}`;
}

function reducedDims(writer: CaseWriter, x: OracleTensor, y: OracleTensor): readonly string[] {
  const { axes } = writer.hyper;
  if (Array.isArray(axes)) return axes.map((axis) => axisName(x.dims, Number(axis)));
  return x.dims.filter((dim) => !y.dims.includes(dim));
}

export function reduceProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const y = writer.tensor('y', 'forward');
  const dims = reducedDims(writer, x, y);
  const count = dims.reduce((product, dim) => product * x.shape[x.dims.indexOf(dim)]!, 1);
  const norm = /^reduce_norm_p(\d+)$/.exec(of.op);
  const formula = formulas[of.op];
  if (formula !== undefined) writer.output(y, formula(dims, writer.read(x), count));
  else if (norm !== null)
    writer.output(y, `${reduce('sum', dims, `abs(${writer.read(x)})^${norm[1]}`)} ^ (1 / ${norm[1]})`);
  else throw new Unsupported(of.op);
  writer.probeLoss();
  return writer.finish();
}

/**
 * Ties. PyTorch's amax and amin share the gradient evenly among tied elements; the language's reductions give it to
 * the first. The mean over the tied elements is the same value and has PyTorch's gradient: comparisons have none.
 */
export function sharedTiesProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const operator = of.op === 'reduce_max' ? 'max' : 'min';
  const x = writer.tensor('x');
  const y = writer.tensor('y', 'forward');
  const everything = /for all/.test(of.formulas[0] ?? '');
  const dims = everything ? x.dims : reducedDims(writer, x, y);
  const kept = x.dims.filter((dim) => !dims.includes(dim));
  const read = (name: string, axes: readonly string[]): string =>
    writer.read({ ...x, name, dims: axes, shape: axes.map(Number) });
  writer.line(`${read('m', kept)} = ${reduce(operator, dims, writer.read(x))}`);
  writer.line(`${read('tied', x.dims)} = ${writer.read(x)} == ${read('m', kept)}`);
  const tied = read('tied', x.dims);
  writer.output(y, `${reduce('sum', dims, `${writer.read(x)} * ${tied}`)} / ${reduce('sum', dims, tied)}`);
  writer.probeLoss();
  return writer.finish();
}

export function conventionProgram(of: OracleCase): CaseProgram {
  if (of.op === 'reduce_max' || of.op === 'reduce_min') return sharedTiesProgram(of);
  if (of.op in formulas) return reduceProgram(of);
  if (of.op in unaryFormulas) return unaryProgram(of);
  return binaryProgram(of);
}

export function normProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const y = writer.tensor('y', 'forward');
  if (of.op === 'norm') {
    writer.output(y, `sqrt(${reduce('sum', reducedDims(writer, x, y), `${writer.read(x)}^2`)})`);
  } else {
    const axis = [axisName(x.dims, writer.number('axis', -1))];
    const norm = `sqrt(${reduce('sum', axis, `${writer.read(x)}^2`)})`;
    writer.output(y, `${writer.read(x)} / max(${norm}, ${writer.number('eps')})`);
  }
  writer.probeLoss();
  return writer.finish();
}

/** Cases that only their formulas describe: each formula `y = ...` is read as it stands, where it is elementwise. */
export function expressionProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const names: Record<string, string> = {};
  for (const tensor of writer.inputs) names[tensor.name] = writer.read(tensor);
  if (writer.hyper['axis'] !== undefined) standardise(writer);
  else
    for (const formula of of.formulas[0]!.split(/;|,(?![^[\](]*[\])])/))
      define(writer, formula.replace(/ over everything.*/, ''), names);
  writer.probeLoss();
  return writer.finish();
}

function standardise(writer: CaseWriter): void {
  const x = writer.tensor('x');
  const axis = [axisName(x.dims, writer.number('axis'))];
  const read = writer.read(x);
  const spread = `sqrt(${variance(axis, read, 1)} + ${writer.number('eps')})`;
  writer.output(writer.tensor('y', 'forward'), `(${read} - ${reduce('mean', axis, read)}) / ${spread}`);
}

/** `u[a] = sum_b x[a,b] w[b]`, `v = max_a u[a]`, `a = sign(x)`: letters are the sizes' names in lower case. */
function define(writer: CaseWriter, formula: string, names: Record<string, string>): void {
  const match = /^\s*(\w+)(?:\[([a-z,]*)\])? = (.+)$/.exec(formula);
  if (match === null) return;
  const [, name = '', , body = ''] = match;
  const result = writer.tensor(name, 'forward');
  const index = (letters: string): string[] =>
    letters.split(',').map((letter) => `i_${letter.trim().toUpperCase()}`);
  let text = body.replace(/round half to even\(/, 'round(');
  if (/\[/.test(body)) {
    text = text
      .replaceAll(
        /(\w+)\[([a-z,]+)\]/g,
        (_, tensor: string, at: string) => `${nameOf(tensor)}[${index(at).join(', ')}]`,
      )
      .replaceAll(/\]\s+(?=\w)/g, '] * ')
      .replace(
        /^(sum|max|min)_(\w) (.+)$/,
        (_, operator: string, letter: string, rest: string) =>
          `${operator}[i_${letter.toUpperCase()}](${rest})`,
      )
      .replaceAll(/(?<![\w\]])([a-z])(?![\w[(])/g, (scalar) =>
        writer.of.tensors.some((t) => t.name === scalar) ? nameOf(scalar) : scalar,
      );
  } else {
    text = scalarFormula(text, names);
  }
  writer.output(result, text);
}
