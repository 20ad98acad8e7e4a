/** Helps to write the `.dsl` text of a case: names, indices, declarations. */
import type { Hyper, OracleCase, OracleTensor } from '../cases.ts';

/** What a case does not say in a way that a program can be made of. */
export class Unsupported extends Error {}

/** A case's program, and where its tensors are found in it. */
export interface CaseProgram {
  readonly text: string;
  /** The case's name of a forward tensor -> the output's name. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Buffers of the case -> the outputs that hold their next values. */
  readonly carried?: ReadonlyMap<string, string>;
}

/** `probe.y` -> `probe_y_`: the line at the end keeps clear of the language's own names (e, t, loss). */
export const nameOf = (tensor: string): string => `${tensor.replaceAll('.', '_')}_`;

export class CaseWriter {
  readonly of: OracleCase;
  private readonly lines: string[] = [];
  private readonly outputs = new Map<string, string>();
  private readonly losses: string[] = [];

  /** `declares`: whether a tensor that is given is declared as it stands. */
  constructor(of: OracleCase, declares: (tensor: OracleTensor) => boolean = () => true) {
    this.of = of;
    for (const tensor of of.tensors.filter((given) => declares(given))) {
      if (['input', 'target', 'const', 'param', 'buffer'].includes(tensor.role)) this.declare(tensor);
    }
  }

  /** The hyper-parameters. */
  get hyper(): Hyper {
    return this.of.hyper ?? {};
  }

  number(key: string, otherwise?: number): number {
    const value = this.hyper[key] ?? otherwise;
    if (typeof value !== 'number') throw new Unsupported(`hyper-parameter ${key} is not a number`);
    return value;
  }

  /** A tensor by role and name. */
  tensor(name: string, ...roles: OracleTensor['role'][]): OracleTensor {
    const wanted = roles.length > 0 ? roles : ['input', 'target', 'const', 'param', 'buffer', 'forward'];
    const found = this.of.tensors.find((tensor) => tensor.name === name && wanted.includes(tensor.role));
    if (found === undefined) throw new Unsupported(`no tensor ${name}`);
    return found;
  }

  has(name: string): boolean {
    return this.of.tensors.some(
      (tensor) => tensor.name === name && !['grad', 'forward', 'after', 'state'].includes(tensor.role),
    );
  }

  get results(): OracleTensor[] {
    return this.of.tensors.filter((tensor) => tensor.role === 'forward');
  }

  get inputs(): OracleTensor[] {
    return this.of.tensors.filter((tensor) => tensor.role === 'input' || tensor.role === 'param');
  }

  private declare(tensor: OracleTensor): void {
    const axes = tensor.shape.length === 0 ? '' : `[${tensor.shape.join(', ')}]`;
    const head = `${nameOf(tensor.name)}${axes}`;
    if (tensor.has_gradient === true || tensor.frozen === true) {
      this.line(`param ${head} ~ zeros`);
    } else if (tensor.dtype === 'i4') {
      const values = this.of.read(tensor);
      this.line(`input ${head}: ${Math.min(0, ...values)} .. ${Math.max(0, ...values)}`);
    } else {
      this.line(`input ${head}`);
    }
  }

  line(text: string): void {
    this.lines.push(`  ${text}`);
  }

  /** The index of an axis by its size's name; an axis of size 1 that has no name is read at 0. */
  static index(dim: string): string {
    return dim === '1' ? '0' : `i_${dim}`;
  }

  /** `x[i_B, i_F]`, axes by their names; `change` replaces the index of an axis. */
  read(tensor: OracleTensor, change: (dim: string, axis: number) => string = CaseWriter.index): string {
    if (tensor.shape.length === 0) return nameOf(tensor.name);
    return `${nameOf(tensor.name)}[${tensor.dims.map(change).join(', ')}]`;
  }

  ref(name: string): string {
    return this.read(this.tensor(name));
  }

  /** `output y[i_B, one1: 1] = value` */
  output(result: OracleTensor, value: string): void {
    this.outputs.set(result.name, nameOf(result.name));
    const axes = result.dims.map((dim, axis) =>
      dim === '1' ? `one${axis}: 1` : `${CaseWriter.index(dim)}: ${result.shape[axis]}`,
    );
    this.line(`output ${nameOf(result.name)}${axes.length === 0 ? '' : `[${axes.join(', ')}]`} = ${value}`);
  }

  /** Says that the forward tensor of this name is an output that the program's own lines define. */
  shows(name: string): void {
    this.outputs.set(name, nameOf(name));
  }

  /** A result, defined if the case wants to see it, else an intermediate. */
  define(name: string, dims: readonly string[], value: string): void {
    const result = this.results.find((tensor) => tensor.name === name);
    if (result !== undefined) {
      this.output(result, value);
      return;
    }
    const axes = dims.map(CaseWriter.index);
    this.line(`${nameOf(name)}${axes.length === 0 ? '' : `[${axes.join(', ')}]`} = ${value}`);
  }

  loss(term: string): void {
    this.losses.push(term);
  }

  /** loss = Σ of probe.X * X over all given probes */
  probeLoss(): void {
    for (const tensor of this.of.tensors) {
      if (tensor.role === 'const' && tensor.name.startsWith('probe.')) {
        const product = `${nameOf(tensor.name)} * ${nameOf(tensor.name.slice('probe.'.length))}`;
        this.loss(tensor.shape.length === 0 ? product : `sum(${product})`);
      }
    }
  }

  finish(train = ''): CaseProgram {
    const loss = this.losses.length === 0 ? [] : [`  loss = ${this.losses.join(' + ')}`];
    const text = [
      'model Case {',
      ...this.lines,
      ...loss,
      ...(train === '' ? [] : [`  ${train}`]),
      '}',
      '',
    ].join('\n');
    return { text, outputs: this.outputs };
  }
}

/** Indices of the given sizes' names, as a binder: `[i_B, i_F]`; nothing for none. */
export function over(dims: readonly string[]): string {
  const names = [...new Set(dims.filter((dim) => dim !== '1'))].map(CaseWriter.index);
  return names.length === 0 ? '' : `[${names.join(', ')}]`;
}

/** `sum[i, j](value)`, or the value where there is nothing to sum over. */
export function reduce(operator: string, dims: readonly string[], value: string): string {
  const binder = over(dims);
  return binder === '' ? value : `${operator}${binder}(${value})`;
}
