/** The functions of a file, kernels before their first use. */
import { freshName } from '../graph/expressions.ts';
import type { BlockShape } from './blocks.ts';
import { identifier } from './integers.ts';
import { kernelFunctions, kernelName } from './kernels.ts';
import type { KernelBlocks } from './kernels.ts';
import type { LoopFunction } from './types.ts';

/** What a contraction calls: a kernel with the blocks that it needs, and the function through which it is called. */
export interface KernelUse extends KernelBlocks {
  /** Where that is not the kernel itself. */
  readonly entry?: LoopFunction;
}

export class FunctionList {
  private readonly own: LoopFunction[] = [];
  private readonly names = new Set<string>();
  private readonly kernels = new Map<string, KernelBlocks>();
  private readonly entries = new Map<string, LoopFunction>();

  add(loopFunction: LoopFunction): void {
    this.own.push(loopFunction);
    this.names.add(loopFunction.name);
  }

  fresh(base: string): string {
    return freshName(identifier(base), this.names);
  }

  addKernel({ shape, blocks, entry }: KernelUse): void {
    const name = kernelName(shape);
    const known = this.kernels.get(name)?.blocks ?? [];
    const isNew = ({ rows, terms }: BlockShape): boolean =>
      !known.some((other) => other.rows === rows && other.terms === terms);
    this.kernels.set(name, { shape, blocks: [...known, ...blocks.filter(isNew)] });
    this.names.add(name);
    if (!entry) return;
    this.entries.set(entry.name, entry);
    this.names.add(entry.name);
  }

  /** All that were added, the kernels with the blocks that all their callers together need. */
  get all(): LoopFunction[] {
    const kernels = new Map(
      [...this.kernels.values()].flatMap(kernelFunctions).map((each) => [each.name, each]),
    );
    return [...kernels.values(), ...this.entries.values(), ...this.own];
  }
}
