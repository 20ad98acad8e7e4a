/** @file What each pass does to a statement and why, for a reader who meets it for the first time. */
import { passes, type PassName } from '../rewrite/index.ts';

export interface PassWords {
  /** What a statement is after it, in a word. */
  readonly title: string;
  /** Of a statement that is changed: one plain sentence. */
  readonly why: string;
  /** What is said of the names that a statement reads no more, since they moved into it. */
  readonly taken: string;
  /** What is said of a statement that is none any more, and why; the names of those in which it goes on follow. */
  readonly gone: string;
}

/**
 * What changes statements: the passes, the step that puts statements in the place of `grad` and its like, and the one that puts the formulas
 * of functions with derivatives of their own in the place of their calls.
 */
export type ChangeName = PassName | 'derive' | 'expand';

/** A pass without words does not compile. */
export const passWords: Readonly<Record<ChangeName, PassWords>> = {
  derive: {
    title: 'derivative put in',
    why: 'The model itself asks for a derivative here: it is taken by the chain rule, as statements of its own that are read in its place.',
    taken: 'It takes in',
    gone: 'It is a part of',
  },
  expand: {
    title: 'spelled out',
    why: 'Its function has a derivative of its own; now that all derivatives are taken, its formula stands in its place.',
    taken: 'It takes in',
    gone: 'It is a part of',
  },
  stabilise: {
    title: 'stabilised',
    why: 'Computed as it is written, a large or a small number would overflow or lose its digits; this form is equal on paper and safe in floating point.',
    taken: 'It takes in',
    gone: 'It is a part of a stable formula now, in',
  },
  simplify: {
    title: 'simplified',
    why: 'This is algebra: constants are multiplied out, like terms are gathered, and what no index moves leaves the sum. The value is the same, the work is less.',
    taken: 'It takes in',
    gone: 'Algebra made it a part of',
  },
  nest: {
    title: 'sums joined',
    why: 'A sum of sums is one sum over all the indices, so that the inner result need not be stored.',
    taken: 'It takes in',
    gone: 'A sum of sums is one sum over all the indices, so that this inner one is not stored. It is a part of',
  },
  dense: {
    title: 'made dense',
    why: 'Every element is written exactly once, so that its value can be chosen where it stands instead of being scattered there.',
    taken: 'It takes in',
    gone: 'It is chosen in',
  },
  pick: {
    title: 'picked out',
    why: 'Of the terms of the sum a condition leaves one: that term is read where it is, and nothing is added up.',
    taken: 'It takes in',
    gone: 'It is read where it stands, in',
  },
  share: {
    title: 'shared',
    why: 'The value is computed already: to read it again costs next to nothing, to compute it twice does.',
    taken: 'It no longer needs',
    gone: 'The same numbers are computed elsewhere already, and are read from there:',
  },
  split: {
    title: 'split',
    why: 'A sum over a product of many factors is done two factors at a time, in the cheapest order; that saves multiplications.',
    taken: 'It takes in',
    gone: 'It is split into',
  },
  dead: {
    title: 'dropped',
    why: 'No result needs it.',
    taken: 'It no longer needs',
    gone: 'Nothing that is wanted reads it.',
  },
  inline: {
    title: 'inlined',
    why: 'What is cheap is computed where it is read, and never stored.',
    taken: 'It takes in',
    gone: 'It is cheap, so that it is computed where it is read, and never stored: in',
  },
  scatter: {
    title: 'masked early',
    why: 'A factor is applied before elements are scattered, where there are fewer of them.',
    taken: 'It takes in',
    gone: 'It is done before the scattering, in',
  },
  keep: {
    title: 'kept',
    why: 'The forward pass has computed this at some cost: the backward pass reads it instead of computing it again.',
    taken: 'It no longer needs',
    gone: 'It is kept as',
  },
  epilogue: {
    title: 'fused',
    why: 'What is done to a finished sum (a bias, an activation) is done right where the sum ends, before it is stored: one pass over memory instead of two.',
    taken: 'It is fused with',
    gone: 'What is done to a finished sum is done right where the sum ends, before it is stored: one pass over memory instead of two. So it is fused with',
  },
  checkpoint: {
    title: 'computed again',
    why: 'It lies inside of a `checkpoint`: it is forgotten after the forward pass and computed again for the backward pass, which saves memory.',
    taken: 'It takes in',
    gone: 'It is computed again as',
  },
  recompute: {
    title: 'computed again',
    why: 'It is large, cheap, and made of what is kept anyway: to compute it again costs less than to keep it.',
    taken: 'It takes in',
    gone: 'It is computed again as',
  },
};

/** The steps between programs that are looked at; `expand` is done inside of others. */
export function isChangeName(name: string): name is ChangeName {
  return name === 'derive' || isPassName(name);
}

function isPassName(name: string): name is PassName {
  return Object.hasOwn(passes, name);
}
