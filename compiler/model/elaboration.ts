/** The state of one elaboration: what has been made of the program so far, and the statement that is being made. */
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics, Note } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { freshName } from '../graph/expressions.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  Phase,
  Statement,
  Tensor,
} from '../graph/types.ts';
import type { SyntaxExpression } from '../syntax/tree.ts';
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
  readonly span: Span;
  /** The end of its name: `sum` in `h_sum`. */
  readonly label: string;
  /** Once it is a statement: its tensor. */
  tensor?: string;
}

/** An index that is not simply a loop index and must stay inside its axis; checked when all extents are known. */
export interface RangeCheck {
  readonly index: IndexExpression;
  readonly extent: Extent;
  readonly span: Span;
  /** `axis 2 of x` */
  readonly what: string;
  readonly hint?: string;
}

/** The statement being elaborated. */
export interface Frame {
  /** The tensor it defines; hoisted reductions are named after it. */
  readonly target: string;
  /** What its layer calls are named after. */
  readonly instance: string;
  /** The right side, to see whether it is nothing but a layer call. */
  readonly value?: SyntaxExpression;
  /** True if the left side has indices. */
  readonly indexed: boolean;
  readonly checks: RangeCheck[];
  /** Layer calls of the statement in all, and how many of each layer were met. */
  readonly layerCalls: { readonly total: ReadonlyMap<string, number>; readonly met: Map<string, number> };
}

/** How deep expressions and calls may be nested in all: far from the end of the stack, far from what a person writes. */
const depthLimit = 600;

export class Elaboration {
  readonly diagnostics: Diagnostics;
  readonly phase: Phase;
  readonly tensors = new Map<string, Tensor>();
  readonly statements: Statement[] = [];
  readonly variables = new IndexVariables();
  readonly definitions = new Map<string, Definition>();
  /** Names that the user gives to tensors, so that no generated name takes one. */
  readonly reserved = new Set<string>();
  /** fns and layers that are being called, outermost first. */
  readonly calling: { readonly name: string; readonly definition: object; readonly span: Span }[] = [];
  /** Layers around the statement, for origins: `dense, called at digits.dsl:12`. */
  history: readonly string[] = [];
  private readonly reported = new Set<string>();
  private depth = 0;
  frame: Frame = emptyFrame('value');

  constructor(diagnostics: Diagnostics, phase: Phase = 'forward') {
    this.diagnostics = diagnostics;
    this.phase = phase;
  }

  /** Reports an error, once: a layer that is called ten times has its mistakes once. */
  error(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: { notes?: readonly Note[]; hint?: string | undefined } = {},
  ): void {
    const key = `${code} ${span.source.path} ${span.start} ${span.end}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const { notes, hint } = more;
    this.diagnostics.error(code, span, message, {
      ...(notes === undefined ? {} : { notes }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** A name for a tensor that the user did not name. */
  freshTensor(base: string): string {
    return freshName(base, {
      has: (name) => this.tensors.has(name) || (this.reserved.has(name) && name !== this.frame.target),
    });
  }

  /** Runs `work` one level deeper; `tooDeep` instead where there is no room. */
  deeper<T>(span: Span, tooDeep: T, work: () => T): T {
    if (this.depth >= depthLimit) {
      this.error('E106', span, `this is nested more than ${depthLimit} levels deep, calls included`, {
        hint: 'give a name to a part of it',
      });
      return tooDeep;
    }
    this.depth++;
    const result = work();
    this.depth--;
    return result;
  }

  /** Runs `work` as the elaboration of another statement. */
  within<T>(frame: Frame, work: () => T): T {
    const outer = this.frame;
    this.frame = frame;
    const result = work();
    this.frame = outer;
    return result;
  }

  /** Makes a definition and the read of it at its own free indices. */
  define(definition: Omit<Definition, 'id'>): Definition {
    const made: Definition = { id: `#${this.definitions.size}`, ...definition };
    this.definitions.set(made.id, made);
    return made;
  }
}

export function emptyFrame(target: string): Frame {
  return {
    target,
    instance: target,
    indexed: false,
    checks: [],
    layerCalls: { total: new Map(), met: new Map() },
  };
}
