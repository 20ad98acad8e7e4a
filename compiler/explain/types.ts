/**
 * What is explained of a model, as plain data: the renderers (html.ts, markdown.ts) only set it.
 *
 * A statement is known by its target, and a tensor is the target of at most one: so names are links.
 */
import type { ChangeName } from './passes.ts';

/** Words, with names and code between backticks. */
export type Prose = string;

/** One line of an `aligned` block of LaTeX: `h_{n, j} &= ...`. */
export type Tex = string;

/** Where something stands in a text. */
export interface Place {
  /** Without folders. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The whole line. */
  readonly text: string;
  /** What is meant of it: columns, counted from 0, the end not included. */
  readonly start: number;
  readonly end: number;
}

/** What a pass did to a statement. */
export interface Change {
  readonly pass: ChangeName;
  /** In a word: stabilised, shared, fused. */
  readonly title: string;
  readonly why: Prose;
  /** What moved: ''. */
  readonly detail: Prose;
  /** As it stands then; absent where there is no statement of this name any more. */
  readonly after?: Tex;
}

/** The way of a statement through the passes. */
export interface Journey {
  /** As it was first. */
  readonly first: Tex;
  readonly changes: readonly Change[];
  /** As it is scheduled; absent where it is no statement any more. */
  readonly last?: Tex;
  /** What the code calls it, if that is another name: of the cotangents of `h` and of the sum in it, one may be left. */
  readonly codeName?: string;
  /** Where it went, if it is none: targets of statements that are scheduled. */
  readonly into: readonly string[];
}

/** The derivative of a statement by one thing that it reads. */
export interface Derivative {
  readonly operand: string;
  /** ∂T/∂A */
  readonly local: Tex;
  /** The chain rule, as it is: every element that was read gets its share. */
  readonly step: Tex;
  /** What the operand gets: its cotangent, or a share of that. */
  readonly target: string;
  readonly isShare: boolean;
  /** What `journey.first` is beside `step`: the same, or turned around so that each element collects its shares. */
  readonly turned: Prose;
  readonly journey: Journey;
}

/** The derivative of the loss by what a statement computes. */
export interface Cotangent {
  readonly name: string;
  /** Statements that read the value, and send a share each. */
  readonly from: readonly string[];
  /** Set if the shares are added up in a statement of their own. */
  readonly journey?: Journey;
}

/** A statement of the backward pass beside the shares: the sum of them for a parameter, what two share, what is computed again. */
export interface Extra {
  readonly target: string;
  readonly title: string;
  readonly journey: Journey;
}

export interface CodeLine {
  readonly text: string;
  /** True for what is about the statement. */
  readonly isMarked: boolean;
}

/** The function that computes a statement. */
export interface Excerpt {
  readonly function: string;
  /** All of it, or what is about this statement with what encloses it; `undefined` for lines left out. */
  readonly lines: readonly (CodeLine | undefined)[];
  readonly isWhole: boolean;
}

/** Why a statement has no part in the backward pass; '' if it has one. */
export type NoGradient = Prose;

export interface StatementExplanation {
  readonly target: string;
  /** The line of the layer that it comes from, if it is not one of the model itself. */
  readonly place: Place;
  readonly shape: Prose;
  /** What kind of thing it is: matrix product, activation. */
  readonly title: string;
  readonly forward: Prose;
  readonly journey: Journey;
  /** The form of which the derivative is taken, if it is not `journey.first`. */
  readonly differentiated?: Tex;
  readonly cotangent?: Cotangent;
  /** How the derivative goes, in words. */
  readonly backward: Prose;
  readonly noGradient: NoGradient;
  readonly derivatives: readonly Derivative[];
  readonly extras: readonly Extra[];
  /** What is worth saying of what came out: softmax and cross-entropy cancel. */
  readonly remarks: readonly Prose[];
  readonly code: { readonly forward: readonly Excerpt[]; readonly backward: readonly Excerpt[] };
}

/** What a line of the model became. */
export interface Group {
  readonly id: string;
  readonly place: Place;
  readonly statements: readonly StatementExplanation[];
  /** The picture of these statements; absent where the one of the model shows them. */
  readonly picture?: Picture;
}

export interface PictureNode {
  /** A tensor, or the id of a group. */
  readonly name: string;
  readonly kind: 'given' | 'parameter' | 'value' | 'group';
  readonly title: string;
  readonly detail: string;
  /** The anchor of its section, if it has one. */
  readonly leadsTo?: string;
  readonly isLoss: boolean;
  /** The cotangent: its name and where it is explained. */
  readonly cotangent?: { readonly name: string; readonly leadsTo: string };
}

/** An edge is a read; `returns` if a cotangent goes the other way. */
export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly returns: boolean;
}

export interface Picture {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

export interface ParameterRow {
  readonly name: string;
  readonly shape: string;
  readonly count: number;
  readonly isFrozen: boolean;
  /** Its gradient, if it has one. */
  readonly gradient?: string;
}

/** A statement of the backward pass as it is scheduled. */
export interface BackwardStep {
  readonly target: string;
  readonly formula: Tex;
  /** The statement of which it is the derivative. */
  readonly of: string;
}

export interface Update {
  readonly optimizer: string;
  readonly parameters: readonly string[];
  readonly formulas: readonly Tex[];
}

export interface SourceLine {
  readonly number: number;
  readonly text: string;
  /** The group of the line. */
  readonly group?: string;
}

export interface EmittedText {
  readonly name: string;
  readonly part: 'forward' | 'backward' | 'kernel';
  readonly text: string;
}

export interface Explanation {
  readonly model: string;
  readonly file: string;
  readonly source: readonly SourceLine[];
  readonly parameters: readonly ParameterRow[];
  readonly inputs: readonly string[];
  readonly loss?: string;
  readonly picture: Picture;
  /** The chain rule on a piece of this model: the parameter that is nearest to the loss. */
  readonly example?: { readonly statement: string; readonly derivative: Derivative };
  readonly groups: readonly Group[];
  readonly backward: readonly BackwardStep[];
  readonly updates: readonly Update[];
  readonly functions: readonly EmittedText[];
  /** Every name that has an anchor, with it. */
  readonly anchors: ReadonlyMap<string, string>;
  readonly version: string;
}
