/**
 * Names and what they mean. Scopes are nested: a statement's indices inside a model or layer, inside a file, inside the
 * prelude. Values (tensors, sizes, indices, hyper-parameters) and callables (fns, layers, ...) are looked up apart, so
 * that a tensor `accuracy` and the prelude's fn `accuracy` do not disturb each other.
 */
import type { Span } from '../diagnostics/source.ts';
import { closest } from '../diagnostics/suggest.ts';
import type { Extent, Tensor } from '../graph/types.ts';
import type {
  DerivativeDefinition,
  FnDefinition,
  LayerDefinition,
  OptimizerDefinition,
  ScheduleDefinition,
  SyntaxExpression,
} from '../syntax/tree.ts';
import type { Result } from './values.ts';

/** The index name that a fn binds (`k` in `fn softmax[k](z)`) and the variable that stands for it in arguments. */
export interface BinderVariable {
  readonly name: string;
  readonly variable: string;
}

export interface RecurrentTensor {
  readonly name: string;
  /** The index variables of its left side. */
  readonly axes: readonly string[];
  /** Which of them counts the steps. */
  readonly stepAxis: number;
  /** The place of its statement in the block. */
  readonly place: number;
  /** True once its right side is known to be a place, `argmax[k](...)`: it may then be an index. */
  isWhole: boolean;
}

export type ValueEntry =
  | { readonly kind: 'tensor'; readonly tensor: Tensor; readonly span: Span; used: boolean }
  /** A fn's argument or local, a hyper-parameter. Where a reduction in a fn binds the binder again, its variable changes. */
  | {
      readonly kind: 'value';
      readonly value: Result;
      readonly binder?: BinderVariable;
      readonly span: Span;
      used: boolean;
    }
  | { readonly kind: 'size'; readonly extent: Extent; readonly span: Span; used: boolean }
  /** How a parameter begins, as the call of a layer says: `dense(10, init = he_normal)`. Its arguments are of that scope. */
  | {
      readonly kind: 'initializer';
      readonly syntax: SyntaxExpression;
      readonly scope: Scope;
      readonly span: Span;
      used: boolean;
    }
  | { readonly kind: 'index'; readonly variable: string; readonly span: Span; used: boolean }
  /** A tensor of the `scan` block that is being elaborated: known by its axes, computed up to the step before. */
  | { readonly kind: 'recurrent'; readonly tensor: RecurrentTensor; readonly span: Span; used: boolean }
  /** Declared wrongly, and reported. */
  | { readonly kind: 'error'; readonly span: Span; used: boolean };

export type CallableDefinition = FnDefinition | LayerDefinition | OptimizerDefinition | ScheduleDefinition;

/** A definition and the scope that it was written in. */
export interface CallableEntry {
  readonly kind: 'callable';
  readonly definition: CallableDefinition;
  readonly scope: Scope;
  readonly span: Span;
  used: boolean;
  /** Of a fn: the derivative that its file gives it. */
  derivative?: DerivativeDefinition;
}

export type Entry = ValueEntry | CallableEntry;

/** The axes that `..` stands for: their extents in a layer, their indices in a statement of it. */
export interface Rest {
  readonly extents: readonly Extent[];
  readonly variables?: readonly string[];
}

/** How many places the axes of `..` have together, which must be fixed. */
export function placesOf({ extents }: Rest): number {
  return extents.reduce<number>((product, extent) => product * Number(extent), 1);
}

export class Scope {
  readonly parent: Scope | undefined;
  /** What `..` means here. */
  rest: Rest | undefined;
  private readonly values = new Map<string, ValueEntry>();
  private readonly callables = new Map<string, CallableEntry>();
  /** Names that will be defined further down, for "used before its definition". */
  private readonly pending = new Map<string, Span>();

  constructor(parent?: Scope) {
    this.parent = parent;
  }

  define(name: string, entry: ValueEntry): void {
    this.pending.delete(name);
    this.values.set(name, entry);
  }

  defineCallable(name: string, entry: CallableEntry): void {
    this.callables.set(name, entry);
  }

  expect(name: string, span: Span): void {
    if (!this.pending.has(name)) this.pending.set(name, span);
  }

  /** What is defined in this very scope. */
  own(name: string): Entry | undefined {
    return this.values.get(name) ?? this.callables.get(name);
  }

  ownCallable(name: string): CallableEntry | undefined {
    return this.callables.get(name);
  }

  ownValues(): Iterable<[string, ValueEntry]> {
    return this.values;
  }

  ownCallables(): Iterable<[string, CallableEntry]> {
    return this.callables;
  }

  lookup(name: string): ValueEntry | undefined {
    for (const scope of this.outward()) {
      const entry = scope.values.get(name);
      if (entry) return entry;
    }
    return undefined;
  }

  /** What a name means where no index can stand: `s[n, s]` may read a tensor s at an index s, `m: n` run as far as the index n. */
  lookupTensor(name: string): ValueEntry | undefined {
    for (const scope of this.outward()) {
      const entry = scope.values.get(name);
      if (entry && entry.kind !== 'index') return entry;
    }
    return undefined;
  }

  lookupCallable(name: string): CallableEntry | undefined {
    for (const scope of this.outward()) {
      const entry = scope.callables.get(name);
      if (entry) return entry;
    }
    return undefined;
  }

  /** Where a name will be defined, if it is used too early. */
  lookupPending(name: string): Span | undefined {
    for (const scope of this.outward()) {
      const span = scope.pending.get(name);
      if (span) return span;
    }
    return undefined;
  }

  /** The name, still to be defined, of whose layer call this may be a parameter: `h` for `h_W`. */
  pendingFor(parameter: string): { readonly name: string; readonly span: Span } | undefined {
    for (const scope of this.outward()) {
      for (const [name, span] of scope.pending) if (parameter.startsWith(`${name}_`)) return { name, span };
    }
    return undefined;
  }

  lookupRest(): Rest | undefined {
    for (const scope of this.outward()) if (scope.rest) return scope.rest;
    return undefined;
  }

  /** The names of a kind that can be seen from here, nearest first. */
  visible(kind: 'values' | 'callables'): string[] {
    return [...this.outward()].flatMap((scope) => [...scope[kind].keys()]);
  }

  private *outward(): Iterable<Scope> {
    for (let scope: Scope | undefined = this as Scope; scope; scope = scope.parent) yield scope;
  }
}

/** did you mean `hidden`? -- if a candidate is near enough. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const best = closest(name, candidates);
  return best === undefined ? undefined : `did you mean \`${best}\`?`;
}
