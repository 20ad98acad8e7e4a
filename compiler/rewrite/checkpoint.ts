/**
 * `checkpoint h = x |> block`: of what lies inside the block nothing is kept for the backward pass. What that reads is
 * computed again there from the block's inputs, with the same random numbers, right before it is needed first (Chen, Xu,
 * Zhang and Guestrin 2016, Training Deep Nets with Sublinear Memory Cost). It stands after the passes that share and inline,
 * so that nothing takes a statement and its repetition for one.
 */
import { tensorsReadBy } from '../graph/expressions.ts';
import { pinned } from '../graph/results.ts';
import { scanUnits } from '../graph/scan.ts';
import type { Program } from '../graph/types.ts';
import { repeatInBackward } from './repeat.ts';

export function recomputeCheckpoints(program: Program): Program {
  const inner = innerOfBlocks(program);
  return inner.size === 0 ? program : repeatInBackward(program, inner);
}

/**
 * The targets inside of blocks whose values are not kept, with their blocks: none that is a result, and none that another
 * block reads (a pass may have seen through a block's result), which would have to repeat the one for the other.
 */
function innerOfBlocks(program: Program): Map<string, string> {
  const keep = pinned(program);
  const inner = new Map<string, string>();
  const forward = program.statements.filter(({ phase }) => phase === 'forward');
  for (const { target, checkpoint } of forward)
    if (checkpoint && !keep.has(target)) inner.set(target, checkpoint.block);
  for (const statement of forward) {
    if (statement.checkpoint === undefined) continue;
    for (const tensor of tensorsReadBy(statement))
      if (inner.get(tensor) !== statement.checkpoint.block) inner.delete(tensor);
  }
  // all of a recurrence, or nothing
  for (const unit of scanUnits(program.statements))
    if (unit.length > 1 && unit.some(({ target }) => !inner.has(target)))
      for (const { target } of unit) inner.delete(target);
  return inner;
}
