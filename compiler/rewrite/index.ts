/**
 * Graph to graph, the value unchanged: what is done to a program before and after it is differentiated. Each pass is one
 * file, one table, one function from programs to programs; `passes` names them for `--print PASS` and for switching off.
 */
import { expandProgram } from '../graph/own-functions.ts';
import { arrangeScans } from '../graph/scan.ts';
import type { Program } from '../graph/types.ts';
import { recomputeCheckpoints } from './checkpoint.ts';
import { removeDead } from './dead.ts';
import { makeDense } from './dense.ts';
import { fuseEpilogues } from './epilogue.ts';
import { inline } from './inline.ts';
import { keepDear } from './keep.ts';
import { nestSums } from './nest.ts';
import { withPlainNames } from './plain-names.ts';
import { pickTerms } from './pick.ts';
import { recompute } from './recompute.ts';
import { scatterThrough } from './scatter.ts';
import { share } from './share.ts';
import { simplify } from './simplify.ts';
import { splitContractions } from './split.ts';
import { stabilise } from './stabilise.ts';

export type Pass = (program: Program) => Program;

/** The pass, after which every recurrence is in order again: what a pass makes of its statements may have left it. */
const keepingScans =
  (pass: Pass): Pass =>
  (program) =>
    arrangeScans(pass(program));

export const passes = {
  stabilise: keepingScans(stabilise),
  simplify: keepingScans(simplify),
  nest: keepingScans(nestSums),
  dense: keepingScans(makeDense),
  pick: keepingScans(pickTerms),
  share: keepingScans(share),
  split: keepingScans(splitContractions),
  dead: keepingScans(removeDead),
  inline: keepingScans(inline),
  scatter: keepingScans(scatterThrough),
  keep: keepingScans(keepDear),
  epilogue: keepingScans(fuseEpilogues),
  checkpoint: keepingScans(recomputeCheckpoints),
  recompute: keepingScans(recompute),
} as const satisfies Record<string, Pass>;

export type PassName = keyof typeof passes;

/** What each pass does, in one line. */
export const passMeanings: Readonly<Record<PassName, string>> = {
  stabilise:
    'formulas become ones that neither overflow nor lose digits; without it they are computed as written',
  simplify: 'algebra: constants, like terms, what no index moves out of sums',
  nest: 'a sum of sums becomes one sum',
  dense: 'a scatter in which each element is written once becomes a choice at each element',
  pick: 'a sum in which a condition leaves one term is that term',
  share: 'what an earlier statement computes already is read from there',
  split: 'a sum over a product of many factors becomes products of two, in the cheapest order',
  dead: 'statements that no result depends on are dropped',
  inline: 'elementwise statements move into their readers where that is cheaper than storing them',
  scatter: 'a factor or a mask of scattered elements is applied before they are scattered',
  keep: 'what the forward pass computes dearly is kept for the backward pass',
  epilogue: 'what is done to a finished sum is done where it is stored: bias, activation',
  checkpoint: 'what lies inside of a `checkpoint` is computed again in the backward pass instead of kept',
  recompute: 'what is large, cheap and made of what is alive anyway is computed again in the backward pass',
};

export interface RewriteOptions {
  /** Passes that are left out, for looking at what they do. */
  readonly without?: ReadonlySet<string> | undefined;
  /** Called with the program after every pass. */
  readonly observe?: (name: PassName, program: Program) => void;
}

const before: readonly PassName[] = ['stabilise', 'simplify', 'nest', 'split', 'dead'];
const settling: readonly PassName[] = ['dense', 'simplify', 'pick', 'share', 'dead', 'inline', 'nest'];
const last: readonly PassName[] = [
  'keep',
  'share',
  'split',
  'simplify',
  'share',
  'dead',
  'scatter',
  'epilogue',
  'simplify',
  'checkpoint',
  'recompute',
];

/** One pass opens the way for another; it takes few rounds until none finds anything. */
const mostRounds = 5;

/** Before differentiation: the stable form, contractions of two. */
export function prepare(program: Program, options: RewriteOptions = {}): Program {
  // where nothing will be differentiated, functions with derivatives of their own are their values
  const isFinal =
    program.loss === undefined && program.statements.every(({ body }) => body.kind !== 'derivative');
  return run(before, isFinal ? expandProgram(program) : program, options);
}

/** After differentiation: nothing twice, nothing for nothing, elementwise steps in one statement. */
export function optimise(program: Program, options: RewriteOptions = {}): Program {
  let current = expandProgram(program);
  for (let round = 0; round < mostRounds; round++) {
    const next = run(settling, current, options);
    if (next === current) break;
    current = next;
  }
  return withPlainNames(run(last, current, options), program);
}

function run(names: readonly PassName[], program: Program, options: RewriteOptions): Program {
  let current = program;
  for (const name of names) {
    if (options.without?.has(name)) continue;
    current = passes[name](current);
    options.observe?.(name, current);
  }
  return current;
}
