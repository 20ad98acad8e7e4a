/** The state of one elaboration: what has been made of the program so far, and the statement that is being made. */
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics, Note } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { ProgramBuilder } from '../graph/builder.ts';
import { freshName } from '../graph/expressions.ts';
import type { Combine, CotangentEdit, Expression, Extent, IndexExpression, Tensor } from '../graph/types.ts';
import type { Border, Call, FnDefinition, LayerDefinition, SyntaxExpression } from '../syntax/tree.ts';
import { atCaller, callOfLibrary } from './blame.ts';
import type { Report } from './blame.ts';
import type { OwnFunctions } from './own-functions.ts';
import type { Scope } from './scope.ts';
import type { Instance } from './sharing.ts';
import { IndexVariables } from './variables.ts';

/**
 * A reduction (or, with `assign`, an expression that needs a tensor of its own) that will be a statement before the one
 * it occurs in. In bodies it is read as the tensor `id` at `free`, or at what was substituted for them.
 */
export interface Definition {
  /** `#5` */
  readonly id: string;
  readonly combine: Combine;
  /** The index variables of its axes. */
  readonly free: readonly string[];
  /** The reduced ones. */
  readonly bound: readonly string[];
  readonly body: Expression;
  /** The end of its name: `sum` in `h_sum`. */
  readonly label: string;
  /** Once it is a statement: its tensor. */
  tensor?: string;
}

/** What a condition says of an index where it holds. */
export interface Bound {
  readonly variable: string;
  readonly least?: number;
  readonly greatest?: number;
  /** The one value that it does not have. */
  readonly not?: number;
}

/** An index that is not simply a loop index and must stay inside its axis; checked when all extents are known. */
export interface RangeCheck {
  readonly index: IndexExpression;
  readonly extent: Extent;
  readonly span: Span;
  /** `axis 2 of x` */
  readonly what: string;
  readonly hint?: string;
  /** What is read. */
  readonly tensor?: Tensor;
  /** What the conditions around the read say. */
  readonly known: readonly Bound[];
  /** True: it is checked, but says nothing of how far an index runs. */
  readonly late?: boolean;
  /** Set for a read that goes on beyond its axis, of `extent` places: `index` is that of the read plus `reach`. */
  readonly border?: { readonly border: Border; readonly reach: number; readonly extent: number };
}

/** An index of a read that may be outside its axis. */
export interface InnerPlace {
  readonly index: IndexExpression;
  readonly extent: number;
}

/** A statement of a `scan` block. */
export interface StepFrame {
  /** Its index variable that counts the steps. */
  readonly index: string;
  readonly reversed: boolean;
  /** Its place in the block. */
  readonly place: number;
  /** Indices of reads with `else` of the block's tensors, and the axes at which they stand alone. */
  readonly alike: { readonly index: string; readonly axis: string }[];
}

/** The statement being elaborated. */
export interface Frame {
  /** The tensor it defines; hoisted reductions are named after it. */
  readonly target: string;
  /** What its layer calls are named after. */
  readonly instance: string;
  readonly span: Span;
  /** The right side, to see whether it is nothing but a layer call. */
  readonly value?: SyntaxExpression;
  /** True if the left side has indices. */
  readonly indexed: boolean;
  /** True for a scatter, whose indices stand after `for`. */
  readonly scattered?: boolean;
  readonly checks: RangeCheck[];
  /** Index variables that stand alone in reads with `else`. */
  readonly padded: string[];
  /** Arithmetic on indices in reads with `else`: it says nothing of extents, but something is meant. */
  readonly paddedArithmetic: { readonly index: IndexExpression; readonly extent: Extent }[];
  /** Indices that nothing binds, reported once each. */
  readonly unbound: Set<string>;
  /** What the conditions around the present expression say of indices. */
  known: readonly Bound[];
  /**
   * Set between the brackets of a read with `else`: the places of the reads there, `name[n, t - 1]`. Where one of them is
   * outside its tensor, so is the read around it.
   */
  inner?: InnerPlace[] | undefined;
  /** Set in a `scan` block. */
  step?: StepFrame;
  /** How many calls of each layer the statement has (2 for many), and how many were met. */
  readonly layerCalls: ReadonlyMap<string, number>;
  readonly layersMet: Map<string, number>;
}

/** A fn or layer whose body is being elaborated for a call, and the scope of the call. */
export interface Calling {
  readonly definition: FnDefinition | LayerDefinition;
  readonly call: Call;
  readonly scope: Scope;
  /** Of a layer: the scope of its body, and what its parameters are named after. */
  readonly inner?: Scope;
  readonly instance?: Instance;
}

/** How deep expressions and calls may be nested in all: far from the end of the stack, far from what a person writes. */
const depthLimit = 1200;

export class Elaboration {
  readonly diagnostics: Diagnostics;
  readonly builder: ProgramBuilder;
  readonly variables = new IndexVariables();
  readonly definitions = new Map<string, Definition>();
  /** Tensors of a `scan` block that will hold a place, `k[n, t] = argmax[j](...)`, and how they are computed. */
  readonly stepPlaces = new Map<string, Definition>();
  /** Canonical text of a hoisted definition -> its tensor. */
  readonly hoisted = new Map<string, string>();
  /** fns and layers that are being called, outermost first. */
  readonly calling: Calling[] = [];
  /** Layers around the statement, for origins: `dense, called at digits.dsl:12`. */
  history: readonly string[] = [];
  /** The place in a model where an optimizer or a schedule is called, whose statements these are. */
  site: Span | undefined;
  /** The name of the open dimension. */
  batch: string | undefined;
  /** Absent while a constant is evaluated. */
  frame: Frame | undefined;
  /** Parameters of layers that stand only where a condition known at compile time does not lead: there are none such. */
  readonly unmade = new Set<string>();
  /** The calls of layers, by what they are named. */
  readonly instances = new Map<string, Instance>();
  /** The parameters that layer calls made and the model's scope has not been given yet. */
  readonly layerParameters: Tensor[] = [];
  /** The names that the user gives to tensors, and where. */
  readonly named = new Map<string, Span>();
  /** What `training` is here; undefined where it means nothing: in optimizers, schedules, files. */
  readonly training: boolean | undefined;
  /** Of a model: the functions with derivatives of their own. */
  readonly ownFunctions: OwnFunctions | undefined;
  /** The block being elaborated whose inside is not kept for the backward pass: its result. */
  checkpoint: string | undefined;
  /** What is done to cotangents, in the order of the text. */
  readonly edits: CotangentEdit[] = [];
  /** True once something has asked for `training`, or for the next value of a state. */
  readsTraining = false;
  /** Tensor of a layer -> the calls that made it, outermost first. */
  readonly callsOf = new Map<string, readonly Call[]>();
  private readonly reserved = new Set<string>();
  private readonly reported = new Set<string>();
  /** Calls of the library that were reported. */
  private readonly blamed = new Set<Call>();
  private depth = 0;

  constructor(
    diagnostics: Diagnostics,
    builder = new ProgramBuilder('constants'),
    training: boolean | undefined = undefined,
    ownFunctions: OwnFunctions | undefined = undefined,
  ) {
    this.diagnostics = diagnostics;
    this.builder = builder;
    this.training = training;
    this.ownFunctions = ownFunctions;
  }

  /** Reports an error, once: a layer that is called ten times has its mistakes once, unless they differ. */
  error(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: { notes?: readonly Note[]; hint?: string | undefined } = {},
  ): void {
    const entered = callOfLibrary(span, this.calling);
    if (entered) {
      // what follows inside the same call is mostly a consequence
      if (this.blamed.has(entered.call)) return;
      this.blamed.add(entered.call);
      const { notes = [], hint } = more;
      this.report(atCaller({ code, span, message, notes, hint }, entered, this.calling));
      return;
    }
    const inside = this.calling.length > 0 ? message : '';
    const key = `${code} ${span.source.path} ${span.start} ${span.end} ${inside}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    if (this.diagnostics.hasOther(code, span)) return;
    const { notes = [], hint } = more;
    this.report({ code, span, message, notes, hint });
  }

  private report({ code, span, message, notes, hint }: Report): void {
    this.diagnostics.error(code, span, message, {
      notes: [...notes, ...this.callNotes(code, [span, ...notes.map((note) => note.span)])],
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** In the body of a fn or layer: the call that brought us there, since what is wrong may be its arguments. */
  private callNotes(code: DiagnosticCode, shown: readonly Span[]): Note[] {
    const [outermost] = this.calling;
    if (outermost === undefined || code === 'E206') return [];
    const { callee, span } = outermost.call;
    const isShown = (at: Span) => span.source === at.source && span.start <= at.start && at.end <= span.end;
    return shown.some(isShown) ? [] : [{ span: callee.span, message: 'in this call' }];
  }

  /** Keeps the names that the user gives to tensors from being given to others before. */
  reserve(name: string, span: Span): void {
    if (!this.named.has(name)) this.named.set(name, span);
    this.reserved.add(name);
  }

  release(name: string): void {
    this.reserved.delete(name);
  }

  /** A name for a tensor that the user did not name; reserved. */
  freshTensor(base: string): string {
    const taken = { has: (name: string) => this.builder.has(name) || this.reserved.has(name) };
    const name = freshName(base, taken);
    this.reserved.add(name);
    return name;
  }

  /** Goes some levels deeper, to be followed by `leave`. False, after a report, where there is no room. */
  enter(span: Span, levels: number): boolean {
    if (this.depth + levels > depthLimit) {
      this.error('E106', span, `this is nested more than ${depthLimit} levels deep, calls included`, {
        hint: 'give a name to a part of it',
      });
      return false;
    }
    this.depth += levels;
    return true;
  }

  leave(levels: number): void {
    this.depth -= levels;
  }

  /** Runs `work` as the elaboration of another statement. */
  within<T>(frame: Frame, work: () => T): T {
    const outer = this.frame;
    this.frame = frame;
    const result = work();
    this.frame = outer;
    return result;
  }

  /** Makes a definition; it becomes a statement when the statement that reads it is lowered. */
  define(definition: Omit<Definition, 'id'>): Definition {
    const made: Definition = { id: `#${this.definitions.size}`, ...definition };
    this.definitions.set(made.id, made);
    return made;
  }
}
