/** How large a model may be: its numbers lie in arrays that are counted with 32 bits. */
import type { Tensor } from '../graph/types.ts';
import type { Elaboration } from './elaboration.ts';
import { greatestSize } from './sizes.ts';

/** E303 for a tensor, or all parameters together, of more numbers than an array can have. Of a batch: for one row. */
export function reportTooLarge(tensors: Iterable<Tensor>, elaboration: Elaboration): void {
  let total = 0;
  let last: Tensor | undefined;
  for (const tensor of tensors) {
    const count = countOf(tensor);
    if (count > greatestSize) {
      report(elaboration, tensor, `\`${tensor.name}\` has ${count} numbers`);
      return;
    }
    if (tensor.role !== 'parameter') continue;
    total += count;
    last = tensor;
  }
  if (total > greatestSize && last) report(elaboration, last, `the parameters have ${total} numbers in all`);
}

function report(elaboration: Elaboration, { span }: Tensor, what: string): void {
  elaboration.error('E303', span, `${what}, but at most ${greatestSize} fit`, {
    hint: 'make an axis smaller',
  });
}

function countOf({ axes }: Tensor): number {
  return axes.reduce<number>((product, extent) => product * (typeof extent === 'number' ? extent : 1), 1);
}
