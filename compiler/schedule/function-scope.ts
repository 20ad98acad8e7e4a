/** What one loop function declares: its buffer and integer parameters, and names that are unique inside it. */
import { fetchedTensors, freshName, reads, replaceAccumulated } from '../graph/expressions.ts';
import type { Statement, Tensor } from '../graph/types.ts';
import { identifier, variable } from './integers.ts';
import type { IntegerExpression, LoopFunction, LoopStatement, Step } from './types.ts';

type Access = LoopFunction['buffers'][number]['access'];

export interface Naming {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The run-time extent that is the batch: the parameter that takes it is called `batch`. */
  readonly batch?: string | undefined;
  /** A tensor that lives in another's buffer: `m'` in `m`. */
  readonly aliases?: ReadonlyMap<string, string>;
}

export class FunctionScope {
  private readonly naming: Naming;
  private readonly names = new Set<string>();
  private readonly bufferOf = new Map<string, { name: string; access: Access }>();
  private readonly extentOf = new Map<string, string>();
  private readonly numberOf = new Map<string, string>();
  /** The variable of the loop around all that is lowered now, by the index that it is there. */
  around: ReadonlyMap<string, string> = new Map();

  /** Tensors are named first, so that they keep their names: loop variables make way. */
  constructor(naming: Naming, tensors: Iterable<string>) {
    this.naming = naming;
    for (const tensor of tensors) this.names.add(identifier(this.resolve(tensor)));
  }

  private resolve(tensor: string): string {
    return this.naming.aliases?.get(tensor) ?? tensor;
  }

  /** The parameter for a tensor's buffer. */
  buffer(tensor: string, access: Access): string {
    const owner = this.resolve(tensor);
    const known = this.bufferOf.get(owner);
    if (known) {
      if (known.access !== access) known.access = 'update';
      return known.name;
    }
    const base = identifier(owner);
    const taken = [...this.bufferOf.values()].some((other) => other.name === base);
    const name = taken ? freshName(base, this.names) : base;
    this.names.add(name);
    this.bufferOf.set(owner, { name, access });
    return name;
  }

  /** A run-time extent as an integer parameter. */
  extent(symbol: string): IntegerExpression {
    let name = this.extentOf.get(symbol);
    if (name === undefined) {
      const base = symbol === this.naming.batch ? 'batch' : identifier(symbol);
      name = freshName(base, this.names);
      this.names.add(name);
      this.extentOf.set(symbol, name);
    }
    return variable(name);
  }

  /** The parameter for a scalar that is handed in as a number; undefined for any other tensor. */
  number(tensor: string): string | undefined {
    if (this.naming.tensors.get(tensor)?.role !== 'scalar') return undefined;
    const name = identifier(tensor);
    this.numberOf.set(tensor, name);
    return name;
  }

  /** A new local name. */
  declare(hint: string): string {
    const base = identifier(hint);
    const name = this.names.has(base) ? freshName(base, this.names) : base;
    this.names.add(name);
    return name;
  }

  /** The name's block has ended: it may be declared again. */
  release(name: string): void {
    this.names.delete(name);
  }

  finish(
    name: string,
    body: readonly LoopStatement[],
    computes: readonly Statement[],
  ): { readonly loopFunction: LoopFunction; readonly step: Step } {
    const ordered = this.inOrder(computes);
    const buffers = ordered.map(([tensor, { name: parameter, access }]) => ({
      name: parameter,
      element: this.naming.tensors.get(tensor)?.element ?? 'real',
      access,
    }));
    const loopFunction: LoopFunction = {
      name,
      buffers,
      integers: [...this.extentOf.values()],
      body,
      computes,
      ...(this.numberOf.size === 0 ? {} : { numbers: [...this.numberOf.values()] }),
    };
    const step: Step = {
      function: name,
      buffers: ordered.map(([tensor]) => tensor),
      integers: [...this.extentOf.keys()],
      ...(this.numberOf.size === 0 ? {} : { numbers: [...this.numberOf.keys()] }),
    };
    return { loopFunction, step };
  }

  /** Operands in the order of the formulas, then results. */
  private inOrder(computes: readonly Statement[]): [string, { name: string; access: Access }][] {
    const operands: string[] = [];
    const results: string[] = [];
    for (const { target, write, body, finish } of computes) {
      const formula = finish ? replaceAccumulated(finish, body) : body;
      operands.push(...reads(formula).map((node) => node.tensor), ...fetchedTensors(formula));
      for (const index of write) operands.push(...fetchedTensors(index));
      results.push(target);
    }
    const place = (tensor: string, list: readonly string[]): number => {
      const found = list.findIndex((name) => this.resolve(name) === tensor);
      return found < 0 ? list.length : found;
    };
    const rank = (tensor: string, access: Access): number =>
      access === 'read' ? place(tensor, operands) : operands.length + 1 + place(tensor, results);
    return [...this.bufferOf].toSorted(
      ([first, one], [second, other]) => rank(first, one.access) - rank(second, other.access),
    );
  }
}
