/**
 * Kept for the backward pass, or computed again there: what is large, cheap and made of what is alive anyway need not be
 * kept. The rules are a table; the first that holds decides, and gives the reason that `--print schedule` shows.
 */
import { tensorsReadBy } from '../graph/expressions.ts';
import { pinned } from '../graph/results.ts';
import type { Program, Statement } from '../graph/types.ts';
import { costOfOne, costPerElement } from './cost.ts';
import { isElementwise, valueOf } from './definitions.ts';
import { volumeOf } from './inline.ts';
import { repeatInBackward } from './repeat.ts';

/** What a tensor costs that the forward pass leaves for the backward pass. */
interface Candidate {
  readonly statement: Statement;
  readonly isResult: boolean;
  /** True if all that it is made of is kept until it is read, also without it. */
  readonly fromAlive: boolean;
}

/** Fewer elements than this, run-time extents counting 64, are not worth a step of their own. */
const fewest = 16_384;

const rules = {
  result: { keeps: true, why: 'a result', holds: ({ isResult }) => isResult },
  recurrence: {
    keeps: true,
    why: 'a step of a recurrence, which needs all steps before it',
    holds: ({ statement }) => statement.scan !== undefined,
  },
  reduction: {
    keeps: true,
    why: 'a reduction: as dear to compute again as the first time',
    holds: ({ statement }) => !isElementwise(statement),
  },
  small: {
    keeps: true,
    why: 'too small to be worth a step of its own',
    holds: ({ statement }) => volumeOf(statement.indices) < fewest,
  },
  dear: {
    keeps: true,
    why: 'dearer per element than one exponential',
    holds: ({ statement }) => costPerElement(valueOf(statement)) > costOfOne('exp'),
  },
  operands: {
    keeps: true,
    why: 'what it is made of is not kept',
    holds: ({ fromAlive }) => !fromAlive,
  },
  again: {
    keeps: false,
    why: 'elementwise, cheap, and of what is kept anyway',
    holds: () => true,
  },
} as const satisfies Readonly<
  Record<string, { keeps: boolean; why: string; holds: (candidate: Candidate) => boolean }>
>;

/** Why something is computed again. */
export const recomputedWhy: string = rules.again.why;

export type KeepingRule = keyof typeof rules;

/** Whether a tensor that the backward pass reads is kept for it, and why. */
export interface Keeping {
  readonly tensor: string;
  readonly keeps: boolean;
  readonly rule: KeepingRule;
  readonly why: string;
}

/** A decision for each tensor of the forward pass that the backward pass reads, in the order of their statements. */
export function keepings(program: Program): Keeping[] {
  const results = pinned(program);
  const [first, last] = [new Map<string, number>(), new Map<string, number>()];
  program.statements.forEach((statement, position) => {
    if (statement.phase === 'forward') return;
    for (const tensor of tensorsReadBy(statement)) {
      if (!first.has(tensor)) first.set(tensor, position);
      last.set(tensor, position);
    }
  });
  const again = new Set<string>();
  return program.statements.flatMap((statement): Keeping[] => {
    const { target: tensor, phase } = statement;
    const from = first.get(tensor);
    if (phase !== 'forward' || from === undefined) return [];
    const isAlive = (source: string): boolean => {
      const role = program.tensors.get(source)?.role;
      if (role !== 'intermediate' && role !== 'random') return true;
      if (again.has(source) && (first.get(source) ?? Infinity) > from) return false;
      return (last.get(source) ?? -1) >= from;
    };
    const fromAlive = [...tensorsReadBy(statement)].every(isAlive);
    const rule = ruleFor({ statement, isResult: results.has(tensor), fromAlive });
    if (!rules[rule].keeps) again.add(tensor);
    return [{ tensor, rule, keeps: rules[rule].keeps, why: rules[rule].why }];
  });
}

function ruleFor(candidate: Candidate): KeepingRule {
  const names = Object.keys(rules) as KeepingRule[];
  return names.find((name) => rules[name].holds(candidate)) ?? 'again';
}

export function recompute(program: Program): Program {
  const again = keepings(program).flatMap(({ tensor, keeps }): [string, string][] =>
    keeps ? [] : [[tensor, tensor]],
  );
  return again.length === 0 ? program : repeatInBackward(program, new Map(again));
}
