/** The functions of a file, kernels before their first use. */
import { freshName } from '../graph/expressions.ts';
import { identifier } from './integers.ts';
import { contractionKernel, contractionName } from './kernels.ts';
import type { LoopFunction } from './types.ts';

export class FunctionList {
  readonly all: LoopFunction[] = [];
  private readonly names = new Set<string>();

  has = (name: string): boolean => this.names.has(name);

  add(loopFunction: LoopFunction): void {
    this.all.push(loopFunction);
    this.names.add(loopFunction.name);
  }

  fresh(base: string): string {
    return freshName(identifier(base), this.names);
  }

  /** The contraction kernel of this width, and the function through which it is called, once. */
  addKernel(width: number, entry: LoopFunction | undefined): void {
    if (!this.has(contractionName(width)))
      for (const kernel of contractionKernel(width, this.has)) this.add(kernel);
    if (entry && !this.has(entry.name)) this.add(entry);
  }
}
