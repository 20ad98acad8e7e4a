/**
 * @file Where tensors live, as text: the pools of a trainer and a named view of each tensor that a call uses. A view is
 * declared the first time it is asked for, so that the file has no unused ones.
 */
import type { ElementType } from '../../graph/types.ts';
import type { Buffer, LoopProgram, Size } from '../../schedule/types.ts';
import type { Scope } from './names.ts';
import type { Declaration } from './parts.ts';

/** The run-time batch is `batch` in createProgram: views are as large as the largest batch. */
export function printSize(size: Size, batch: string | undefined): string {
  const { constant, symbol, coefficient = 0, quadratic = 0 } = size;
  if (symbol === undefined || (coefficient === 0 && quadratic === 0)) return String(constant);
  if (symbol !== batch) throw new Error(`a buffer depends on the size '${symbol}', which is not the batch`);

  return [
    ...(quadratic === 0 ? [] : [times(quadratic, 'batch * batch')]),
    ...(coefficient === 0 ? [] : [times(coefficient, 'batch')]),
    ...(constant === 0 ? [] : [String(constant)]),
  ].join(' + ');
}

const times = (factor: number, what: string): string => (factor === 1 ? what : `${factor} * ${what}`);

function sumOf(left: Size, right: Size): Size {
  const symbol = left.symbol ?? right.symbol;
  return {
    constant: left.constant + right.constant,
    coefficient: (left.coefficient ?? 0) + (right.coefficient ?? 0),
    quadratic: (left.quadratic ?? 0) + (right.quadratic ?? 0),
    ...(symbol === undefined ? {} : { symbol }),
  };
}

export class Views {
  private readonly loops: LoopProgram;
  private readonly local: Scope;
  private readonly arrayType: Readonly<Record<ElementType, string>>;
  /** Offset -> the module's constant that names it. */
  private readonly offsets: ReadonlyMap<number, string>;
  private readonly names = new Map<string, string>();
  private readonly declarations = new Map<string, Declaration>();

  constructor(
    loops: LoopProgram,
    local: Scope,
    arrayType: Readonly<Record<ElementType, string>>,
    offsets: ReadonlyMap<number, string>,
  ) {
    this.loops = loops;
    this.local = local;
    this.arrayType = arrayType;
    this.offsets = offsets;
  }

  bufferOf(tensor: string): Buffer {
    const buffer = this.loops.buffers.get(tensor);
    if (buffer === undefined) throw new Error(`the loop program has no buffer '${tensor}'`);
    return buffer;
  }

  /** The local name of a tensor's view. */
  of(tensor: string): string {
    const before = this.names.get(tensor);
    if (before !== undefined) return before;
    const buffer = this.bufferOf(tensor);
    const name = this.local.declare(tensor);
    this.names.set(tensor, name);
    this.declarations.set(tensor, this.declare(buffer, name));
    return name;
  }

  private declare(buffer: Buffer, name: string): Declaration {
    const size = printSize(buffer.size, this.loops.batch);
    const own = (value: string): Declaration => ({ names: [name], text: `const ${name} = ${value};` });
    if (buffer.pool === 'input') return own(`new ${this.arrayType[buffer.element]}(${size})`);
    if (buffer.pool === 'parameters' || buffer.pool === 'gradients') {
      return own(`${buffer.pool}.subarray(${this.range(buffer.offset.constant, buffer.size.constant)})`);
    }
    const from = printSize(buffer.offset, this.loops.batch);
    const to = printSize(sumOf(buffer.offset, buffer.size), this.loops.batch);
    const same = buffer.sameAs === undefined ? '' : ` // ${buffer.sameAs}, in the same order`;
    const { names, text } = own(`${buffer.pool}.subarray(${from}, ${to})`);
    return { names, text: `${text}${same}` };
  }

  /** `W1_offset, W1_offset + 6` of the flat parameters, or plain numbers where no parameter starts there. */
  range(offset: number, size: number): string {
    const constant = this.offsets.get(offset);
    return constant === undefined ? `${offset}, ${offset + size}` : `${constant}, ${constant} + ${size}`;
  }

  /** The declarations of the views of one pool, in the order of the loop program's buffers. */
  ofPool(pool: Buffer['pool']): Declaration[] {
    return [...this.loops.buffers.values()]
      .filter((buffer) => buffer.pool === pool)
      .flatMap((buffer) => this.declarations.get(buffer.tensor) ?? []);
  }
}
