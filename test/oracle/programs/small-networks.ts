/** What the cases of `calculus` say, and the small networks that they are about. */
import { positions } from './convolutions.ts';
import { activate } from './networks.ts';
import { unaryFormulas } from './operations.ts';
import { nameOf, Unsupported, type CaseWriter } from './writer.ts';

// ------------------------------------------------------------------------------------------------------- what a case says

export const formulasOf = ({ of }: CaseWriter): string => of.formulas.join('\n');

export function known(writer: CaseWriter, ...keys: readonly string[]): void {
  const other = Object.keys(writer.hyper).find((key) => !keys.includes(key));
  if (other !== undefined) throw new Unsupported(`hyper-parameter ${other}`);
}

/** `hyper.activation`, or the `f = tanh` of the formulas, or the function that the formula calls. */
export function activationOf(writer: CaseWriter): string {
  const { activation } = writer.hyper;
  if (typeof activation === 'string') return activation;
  const text = formulasOf(writer);
  const named = /\bf = (\w+)/.exec(text)?.[1];
  if (named !== undefined && named in unaryFormulas) return named;
  const called =
    /\b(tanh|sigmoid|softplus|relu|silu|gelu)\(x W1/.exec(text)?.[1] ??
    /= (tanh|sigmoid|softplus)\(/.exec(text)?.[1];
  if (called === undefined) throw new Unsupported('no activation');
  return called;
}

/** The case's own notation as the language has it: `x0`, `x[i+1]`, and the products `sin(x) exp(-x)`, `100 (a - b)^2`. */
export function formula(text: string, x: (index: string) => string): string {
  return text
    .replaceAll(/\) ?(?=\()/g, ') * ')
    .replaceAll(/(?<![A-Za-z\d])(\d+(?:\.\d+)?) ?(?=[a-z(])(?!e-?\d)/g, '$1 * ')
    .replaceAll(/([\w)\]]) (?=[a-z])/g, '$1 * ')
    .replaceAll(/\bx(\d+)\b/g, (_, index: string) => x(index))
    .replaceAll(/\bx\[([^\]]+)\]/g, (_, index: string) => x(index));
}

// --------------------------------------------------------------------------------------------------------------- networks

/** The layers W1, b1, W2, b2, ... that the case has. */
export function depthOf(writer: CaseWriter): number {
  for (let k = 1; ; k++) if (!writer.has(`W${k}`)) return k - 1;
}

interface Network {
  /** What is read in row n, feature i. */
  readonly input: (index: string) => string;
  /** Indices of the rows, with their sizes where the input does not show them: `n`. */
  readonly rows: string;
  readonly result: string;
  readonly activation: string;
  /** What is written before the name of the result: `output `. */
  readonly mark?: string;
  readonly weight?: (name: string) => string;
}

/** z_l = a_(l-1) W_lᵀ + b_l, the activation between. */
export function network(
  writer: CaseWriter,
  { input, rows, result, activation, mark = '', weight = nameOf }: Network,
): void {
  const depth = depthOf(writer);
  let read = input('i0');
  for (let k = 1; k <= depth; k++) {
    const isLast = k === depth;
    const sum = `sum[i${k - 1}](${read} * ${weight(`W${k}`)}[i${k}, i${k - 1}]) + ${weight(`b${k}`)}[i${k}]`;
    const name = isLast ? result : `${result}${k}`;
    writer.line(
      `${isLast ? mark : ''}${name}[${rows}, i${k}] = ${isLast ? sum : activate(activation, sum, writer)}`,
    );
    read = `${name}[${rows}, i${k}]`;
  }
}

export const isShown = (writer: CaseWriter, name: string): boolean =>
  writer.results.some((result) => result.name === name);

/** `output `, if the case wants to see it. */
export function markOf(writer: CaseWriter, name: string): string {
  if (!isShown(writer, name)) return '';
  writer.shows(name);
  return 'output ';
}

/** The mean of the network's result: squared errors, or cross-entropy where the targets are classes. */
export function meanLoss(writer: CaseWriter, z: string, rank: number): string {
  const target = writer.tensor('y', 'target');
  const at = positions('k', rank).join(', ');
  return target.dtype === 'i4'
    ? `mean[n](cross_entropy[k](${z}[n, k], y_[n]))`
    : `mean[${at}]((${z}[${at}] - y_[${at}])^2)`;
}
