/**
 * Elementwise producers move into their consumers when that is cheaper than storing them:
 *
 *     inlined       Σ over reads   volume(reader) · (cost + loads)
 *     materialised  size · (cost + loads + 1 store)  +  Σ over reads   volume(reader) · 1 load
 *
 * with `volume` the points of the reader's box, `size` those of the producer's, `cost` that of its body per element and
 * `loads` the tensors that the body reads. So a chain of elementwise steps fuses, a value that is broadcast along
 * another index is computed once, and an exponential that two statements need is kept.
 *
 * Into a contraction (an operand used again along another index) go only copies with affine indices and what is the
 * same for all elements: its inner product stays one.
 */
import { withStatements } from '../graph/builder.ts';
import {
  children,
  equalIndices,
  fetchedTensors,
  freeIndices,
  isAffine,
  isPlainIndex,
  isScatter,
  mapExpression,
  postorder,
  reads,
  substituteIndices,
  tensorsReadBy,
} from '../graph/expressions.ts';
import { inSameScan } from '../graph/scan.ts';
import type { Expression, Extent, LoopIndex, Program, Read, Statement } from '../graph/types.ts';
import { isContraction } from './contraction.ts';
import { costPerElement } from './cost.ts';
import { checkpointResults, pinned } from '../graph/results.ts';
import { isElementwise, placesOf, valueOf } from './definitions.ts';

/** What a run-time extent counts for where costs are compared. */
const nominalExtent = 64;

/** A body never grows past this many nodes: emitted functions stay readable and small. */
const mostNodes = 160;

export function inline(program: Program): Program {
  const inliner = new Inliner(program);
  for (const { target } of program.statements) inliner.consider(target);
  return inliner.result();
}

/** The number of points of a box, run-time extents at their nominal size. */
export function volumeOf(indices: readonly LoopIndex[]): number {
  return indices.reduce((volume, { extent }) => volume * sizeOf(extent), 1);
}

function sizeOf(extent: Extent): number {
  return typeof extent === 'number' ? extent : nominalExtent;
}

class Inliner {
  private readonly program: Program;
  private readonly keep: ReadonlySet<string>;
  private readonly edited: ReadonlySet<string>;
  private readonly byTarget = new Map<string, Statement>();
  private readonly readers = new Map<string, Set<string>>();
  private changed = false;

  constructor(program: Program) {
    this.program = program;
    this.keep = new Set([...pinned(program), ...checkpointResults(program)]);
    this.edited = new Set(program.editedCotangents);
    for (const statement of program.statements) {
      this.byTarget.set(statement.target, statement);
      for (const name of tensorsReadBy(statement)) this.readersOf(name).add(statement.target);
    }
  }

  consider(target: string): void {
    const producer = this.byTarget.get(target);
    if (producer === undefined || !isElementwise(producer) || this.edited.has(target)) return;
    // What is stored as an integer may be rounded by that.
    if (this.program.tensors.get(target)?.element === 'integer') return;
    const value = valueOf(producer);
    const isKept = this.keep.has(target);
    const readers = [...this.readersOf(target)].flatMap((name) => this.byTarget.get(name) ?? []);
    if (readers.length === 0 || !readers.every((reader) => this.allows(producer, reader, readers))) return;
    if (!isTrivial(value) && (isKept || !this.pays(producer, value, readers))) return;
    for (const reader of readers) this.replace(producer, value, reader);
    if (!isKept) this.byTarget.delete(target);
    this.changed = true;
  }

  result(): Program {
    return this.changed ? withStatements(this.program, [...this.byTarget.values()]) : this.program;
  }

  private readersOf(name: string): Set<string> {
    const readers = this.readers.get(name) ?? new Set();
    this.readers.set(name, readers);
    return readers;
  }

  /** True if every read may be replaced: none may be outside, none is an index, no contraction is spoilt. */
  private allows(producer: Statement, reader: Statement, readers: readonly Statement[]): boolean {
    const value = valueOf(producer);
    const parts = [reader.body, ...(reader.finish ? [reader.finish] : [])];
    if (parts.some((part) => fetchedTensors(part).has(producer.target))) return false;
    if (reader.write.some((index) => fetchedTensors(index).has(producer.target))) return false;
    const own = parts.flatMap((part) => readsOf(part, producer.target));
    if (own.some(({ outside }) => outside !== undefined) && !this.isRenaming(producer, value)) return false;
    if (isContraction(reader) && !isUniform(value) && !isAffineCopy(value)) {
      // Where the read moves with every loop, nothing is repeated: a matrix times a vector, not a matrix product.
      const repeats = (node: Read): boolean => freeIndices(node).size < reader.indices.length;
      if (readsOf(reader.body, producer.target).some(repeats)) return false;
    }
    if (this.isEpilogue(producer, value) && !isEpilogueOf(producer, readers)) return false;
    const grown = own.length * postorder(value).length + parts.flatMap(postorder).length;
    return grown <= mostNodes || isTrivial(value);
  }

  /** True for T[i, j] = A[i, j] of the same axes: also outside of T, A may be read instead. */
  private isRenaming({ target, indices, write }: Statement, value: Expression): boolean {
    if (value.kind !== 'read' || value.outside !== undefined) return false;
    const [own, source] = [target, value.tensor].map((name) => this.program.tensors.get(name)?.axes.join());
    const isSame = value.at.every((index, axis) => isPlainIndex(index) === indices[axis]?.name);
    return own === source && isSame && value.at.length === write.length;
  }

  /** True if it may be computed where a reduction stores its values (epilogue.ts): then it costs no pass of its own. */
  private isEpilogue(producer: Statement, value: Expression): boolean {
    return reads(value).some((node) => {
      const source = this.byTarget.get(node.tensor);
      const isOwn = source !== undefined && !this.keep.has(node.tensor) && source.phase === producer.phase;
      if (!isOwn || !inSameScan(source, producer) || source.combine === 'assign' || isScatter(source))
        return false;
      return this.readersOf(node.tensor).size === 1 && isAtOwnPlace(node, producer);
    });
  }

  private pays(producer: Statement, value: Expression, readers: readonly Statement[]): boolean {
    const size = volumeOf(producer.indices);
    const work = costPerElement(value) + new Set(reads(value).map(({ tensor }) => tensor)).size;
    let inlined = 0;
    let materialised = size * (work + 1);
    for (const reader of readers) {
      const volume = volumeOf(reader.indices) * (reader.combine === 'logsumexp' ? 2 : 1);
      const inBody = distinctReads(reader.body, producer.target);
      const written = volumeOf(reader.indices.slice(0, reader.write.length));
      const inFinish = reader.finish ? distinctReads(reader.finish, producer.target) : 0;
      inlined += (inBody * volume + inFinish * written) * work;
      materialised += inBody * volume + inFinish * written;
    }
    return inlined <= materialised;
  }

  private replace(producer: Statement, value: Expression, reader: Statement): void {
    const replaced = (root: Expression): Expression =>
      mapExpression(root, (node) => {
        if (node.kind !== 'read' || node.tensor !== producer.target) return node;
        const there = substituteIndices(value, placesOf(producer, node.at));
        return node.outside === undefined ? there : { ...there, outside: node.outside };
      });
    const body = replaced(reader.body);
    const next = {
      ...reader,
      body,
      ...(reader.finish ? { finish: replaced(reader.finish) } : {}),
    };
    this.byTarget.set(reader.target, next);
    this.readersOf(producer.target).delete(reader.target);
    for (const name of tensorsReadBy(next)) this.readersOf(name).add(reader.target);
  }
}

/** True if the only reader reads it at its own place, elementwise: then both may be one epilogue. */
function isEpilogueOf(producer: Statement, readers: readonly Statement[]): boolean {
  const [reader, ...others] = readers;
  if (reader === undefined || others.length > 0 || !isElementwise(reader)) return false;
  if (!inSameScan(producer, reader)) return false;
  return readsOf(valueOf(reader), producer.target).every((node) => isAtOwnPlace(node, reader));
}

/** True if the read is at all indices of the statement, each once, in any order. */
function isAtOwnPlace(node: Read, statement: Statement): boolean {
  const names = new Set(node.at.map(isPlainIndex));
  return (
    node.at.length === statement.indices.length && statement.indices.every(({ name }) => names.has(name))
  );
}

function readsOf(root: Expression, tensor: string): Read[] {
  return reads(root).filter((node) => node.tensor === tensor);
}

/** At how many different places an expression reads a tensor. */
function distinctReads(root: Expression, tensor: string): number {
  const distinct: Read[] = [];
  for (const node of readsOf(root, tensor)) {
    const known = distinct.some(({ at }) =>
      at.every((index, axis) => {
        const other = node.at[axis];
        return other !== undefined && equalIndices(index, other);
      }),
    );
    if (!known) distinct.push(node);
  }
  return distinct.length;
}

/** No work at all: a constant, a size, or a copy of another tensor. Also tensors that stay are read through it. */
function isTrivial(value: Expression): boolean {
  return children(value).length === 0 && value.kind !== 'index_value'
    ? isUniform(value) || isAffineCopy(value)
    : false;
}

/** The same for every element: constants, sizes and rank-0 tensors only. */
function isUniform(value: Expression): boolean {
  return freeIndices(value).size === 0 && reads(value).every(({ at }) => at.length === 0);
}

function isAffineCopy(value: Expression): boolean {
  return value.kind === 'read' && value.outside === undefined && value.at.every(isAffine);
}
