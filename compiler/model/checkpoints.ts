/** `checkpoint h = x |> block`: what its statement brings into the program, but its result, is marked. */
import type { Span } from '../diagnostics/source.ts';
import type { Tensor } from '../graph/types.ts';
import type { Assignment } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';

/** Elaborates a statement; with `span`, as a block that is not kept. Inside of another one the outer counts. */
export function insideCheckpoint(
  target: string,
  span: Span | undefined,
  elaboration: Elaboration,
  elaborate: () => Tensor | undefined,
): Tensor | undefined {
  if (span === undefined || elaboration.checkpoint !== undefined) return elaborate();
  const { builder } = elaboration;
  const from = builder.size;
  elaboration.checkpoint = target;
  const tensor = elaborate();
  elaboration.checkpoint = undefined;
  // in inference a block may be less
  if (tensor !== undefined && elaboration.training !== false && builder.size - from < 2) {
    elaboration.error(
      'E604',
      span,
      `nothing lies inside of this checkpoint: \`${target}\` is one statement`,
      {
        hint: 'put it before the call of a layer, of which the result alone is kept: `checkpoint h = x |> block`',
      },
    );
  }
  return tensor;
}

/** Reports E604 for the next value of a state, which is kept in any case. */
export function refuseCheckpoint({ name, checkpoint }: Assignment, elaboration: Elaboration): void {
  if (checkpoint === undefined) return;
  elaboration.error('E604', checkpoint, `the next value of a state, \`${name.text}\`, is no checkpoint`, {
    hint: 'leave out `checkpoint`: the next value is kept',
  });
}

/** Reports E604 for the checkpoints of a model without a loss, which has no backward pass. */
export function refuseCheckpoints(
  model: string,
  items: readonly { readonly kind: string; readonly checkpoint?: Span }[],
  elaboration: Elaboration,
): void {
  for (const { checkpoint } of items) {
    if (checkpoint === undefined) continue;
    elaboration.error(
      'E604',
      checkpoint,
      `model \`${model}\` has no loss, so nothing is kept for a backward pass`,
      {
        hint: 'leave out `checkpoint`, or add `loss = ...`',
      },
    );
  }
}
