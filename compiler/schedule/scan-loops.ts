/**
 * A recurrence as one function: a loop over its steps, in it the loops or the contraction kernel of each statement at that
 * step. Neighbouring elementwise statements of one box share their loops.
 */
import { scanAxis } from '../graph/scan.ts';
import type { LoopIndex, Statement, Tensor } from '../graph/types.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';
import { contractionLoops } from './contraction.ts';
import type { Contraction, ContractionOptions } from './contraction.ts';
import type { FunctionScope } from './function-scope.ts';
import { isElementwise, readsInPlace, sameBox } from './groups.ts';
import { integer, sum } from './integers.ts';
import { statementLoops } from './loops.ts';
import { partOf } from './places.ts';
import { sharedLoops } from './shared-loops.ts';
import type { LoopStatement } from './types.ts';

export interface ScanLoops {
  readonly statements: LoopStatement[];
  /** Whose kernels it calls. */
  readonly contractions: readonly Contraction[];
}

export function scanLoops(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: ReadonlyMap<string, Tensor>,
  options: ContractionOptions = {},
): ScanLoops {
  const { without = nothing } = options;
  const [first] = statements;
  const { scan } = first ?? {};
  const steps = first?.indices.find(({ name }) => name === scan?.index);
  if (scan === undefined || steps === undefined) throw new Error('a recurrence has steps');
  const index = scope.declare(scan.index);
  const contractions: Contraction[] = [];
  const [fills, body]: [LoopStatement[], LoopStatement[]] = [[], []];
  for (const together of runsOf(statements, tensors, without)) {
    const [only] = together;
    scope.around = new Map([[together.at(-1)?.scan?.index ?? '', index]]);
    const alone = together.length === 1 && !without.has('kernels');
    const contraction = only && alone ? contractionLoops(only, scope, tensors, options) : undefined;
    if (contraction) contractions.push(contraction);
    const made =
      contraction?.statements ??
      (only && together.length === 1
        ? statementLoops(only, scope, tensors)
        : sharedLoops(together, scope, tensors, { inside: new Set(), last: new Set() }));
    // each step writes its own elements: where all steps are stored, these have their first value at once
    const atOnce = together.every(({ target }) => tensors.get(target)?.stepAxis === undefined);
    for (const each of made)
      (atOnce && each.kind === 'fill' ? fills : body).push(
        together.length === 1 ? partOf(only?.target ?? '', each) : each,
      );
  }
  scope.around = new Map();
  return { statements: [...fills, loopOver(steps, index, scan.reversed, body, scope)], contractions };
}

function loopOver(
  { extent }: LoopIndex,
  index: string,
  reversed: boolean,
  body: readonly LoopStatement[],
  scope: FunctionScope,
): LoopStatement {
  const count = typeof extent === 'number' ? integer(extent) : scope.extent(extent);
  return reversed
    ? { kind: 'for', index, from: sum(count, integer(-1)), to: integer(-1), step: -1, body }
    : { kind: 'for', index, from: integer(0), to: count, step: 1, body };
}

/** Elementwise statements that stand side by side, of one box, that read each other only in place. */
function runsOf(
  statements: readonly Statement[],
  tensors: ReadonlyMap<string, Tensor>,
  without: Without,
): Statement[][] {
  const runs: Statement[][] = [];
  for (const statement of statements) {
    const last = runs.at(-1);
    const joins =
      last !== undefined &&
      !without.has('elementwise') &&
      [...last, statement].every((other) => isElementwise(other, tensors) && sameBox(other, statement)) &&
      last.every((other) => scanAxis(other) === scanAxis(statement)) &&
      last.every(({ target }) => readsInPlace(statement, target));
    if (joins) last.push(statement);
    else runs.push([statement]);
  }
  return runs;
}
