/**
 * Loop indices while their extents are being found. A variable has a unique provisional name (`i#3`); variables that must
 * run over the same values (a fn's binder and the index given for it) are linked and share what is known.
 */
import type { Span } from '../diagnostics/source.ts';
import type { Extent } from '../graph/types.ts';

/** Where an extent comes from: "x has 784 here". */
export interface ExtentSource {
  readonly extent: Extent;
  readonly span: Span;
  readonly what: string;
}

interface Variable {
  readonly name: string;
  readonly order: number;
  readonly span: Span;
  parent?: Variable;
  known?: ExtentSource;
  /** Is the extent written by the user (`i: 3`)? It may then be less than that of an axis it reads: a slice. */
  given: boolean;
  /** From reads with `else`, which bind only if nothing else does. */
  readonly padded: ExtentSource[];
}

export class IndexVariables {
  private readonly all = new Map<string, Variable>();

  /** `extent` absent: to be inferred. */
  fresh(name: string, span: Span, extent?: Extent, what = 'declared here', given = false): string {
    const order = this.all.size;
    const id = `${name}#${order}`;
    const known = extent === undefined ? {} : { known: { extent, span, what } };
    this.all.set(id, { name, order, span, padded: [], given, ...known });
    return id;
  }

  /** An index of a left side or of a reduction: its extent, if there is one, is as the user wrote it. */
  bound(name: string, span: Span, extent?: Extent): string {
    const what = extent === undefined ? '' : `\`${name}\` has ${extent} places`;
    return this.fresh(name, span, extent, what, extent !== undefined);
  }

  /** What the user calls it; '' for the axis of a whole tensor. */
  nameOf(id: string): string {
    return this.get(id).name;
  }

  spanOf(id: string): Span {
    return this.get(id).span;
  }

  /** Variables are ordered as they were made: left side first, then reductions from the outside in. */
  orderOf(id: string): number {
    return this.get(id).order;
  }

  /** True if the extent is written by the user, so that reads need not agree with it but must stay inside. */
  isGiven(id: string): boolean {
    return this.root(id).given;
  }

  extentOf(id: string): Extent | undefined {
    return this.root(id).known?.extent;
  }

  /** The same for all linked variables. */
  same(id: string): object {
    return this.root(id);
  }

  /** Returns the source it contradicts, if it does. */
  require(id: string, source: ExtentSource): ExtentSource | undefined {
    const variable = this.root(id);
    if (variable.known === undefined) variable.known = source;
    return variable.known.extent === source.extent ? undefined : variable.known;
  }

  /** An extent that holds if nothing else gives one. */
  suggest(id: string, source: ExtentSource): void {
    this.root(id).padded.push(source);
  }

  suggestionsFor(id: string): readonly ExtentSource[] {
    return this.root(id).padded;
  }

  /** Makes two variables run over the same values. Returns the two sources if they contradict each other. */
  link(left: string, right: string): [ExtentSource, ExtentSource] | undefined {
    const first = this.root(left);
    const second = this.root(right);
    if (first === second) return undefined;
    second.parent = first;
    first.given ||= second.given;
    first.padded.push(...second.padded);
    const [known, other] = [first.known, second.known];
    if (known && other && known.extent !== other.extent) return [known, other];
    if (other && !known) first.known = other;
    return undefined;
  }

  private get(id: string): Variable {
    const variable = this.all.get(id);
    if (variable === undefined) throw new Error(`no index variable ${id}`);
    return variable;
  }

  private root(id: string): Variable {
    let variable = this.get(id);
    while (variable.parent) {
      if (variable.parent.parent) variable.parent = variable.parent.parent;
      variable = variable.parent;
    }
    return variable;
  }
}
