/** New tensors of a derivative program: unique names, and where they are declared. */
import { freshName, withoutPrimes } from '../graph/expressions.ts';
import type { Tensor } from '../graph/types.ts';

/** The tensors of a program that grows. A tensor may be declared next to another one (a companion), else at the end. */
export class TensorTable {
  private readonly entries: Map<string, Tensor>;
  private readonly reserved: Set<string>;
  private readonly companions = new Map<string, Tensor[]>();
  private readonly added: Tensor[] = [];

  /** @param taken names that further programs have, of statements that will stand beside these */
  constructor(tensors: ReadonlyMap<string, Tensor>, taken: Iterable<string> = []) {
    this.entries = new Map(tensors);
    this.reserved = new Set([...tensors.keys(), ...taken]);
  }

  /** A name that no tensor has, taken from now on. */
  reserve(base: string): string {
    const name = freshName(withoutPrimes(base), this.reserved);
    this.reserved.add(name);
    return name;
  }

  get(name: string): Tensor {
    const tensor = this.entries.get(name);
    if (tensor === undefined) throw new Error(`no tensor is named ${name}`);
    return tensor;
  }

  get all(): ReadonlyMap<string, Tensor> {
    return this.entries;
  }

  /** Makes a tensor known that will be declared, with the same axes, when its statement is complete. */
  announceLike(primal: Tensor, name: string): void {
    const { axes, axisNames, element, span } = primal;
    this.entries.set(name, { name, role: 'intermediate', axes, axisNames, element, span });
  }

  /** Declares a tensor under a reserved name; with `beside`, right after that one. */
  declare(tensor: Tensor, beside?: string): void {
    this.entries.set(tensor.name, tensor);
    const list = beside === undefined ? this.added : (this.companions.get(beside) ?? []);
    list.push(tensor);
    if (beside !== undefined) this.companions.set(beside, list);
  }

  /** Declares an intermediate with the axes and the element of `primal`. */
  declareLike(primal: Tensor, name: string): void {
    const { axes, axisNames, element, span } = primal;
    this.declare({ name, role: 'intermediate', axes, axisNames, element, span });
  }

  /** The original tensors, each with its companions behind it, then the added ones. */
  ordered(original: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const result = new Map<string, Tensor>();
    for (const tensor of original.values()) {
      result.set(tensor.name, tensor);
      for (const companion of this.companions.get(tensor.name) ?? []) result.set(companion.name, companion);
    }
    for (const tensor of this.added) result.set(tensor.name, tensor);
    return result;
  }
}
