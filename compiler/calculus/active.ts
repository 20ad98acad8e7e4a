/** What a derivative has to do with: the tensors between those that vary and the one that is differentiated. */
import { reads } from '../graph/expressions.ts';
import { scanUnits } from '../graph/scan.ts';
import type { Program } from '../graph/types.ts';

/** The real tensors on a way of reads from one of the given to the root, these included. */
export function activeTensors(
  { tensors, statements }: Pick<Program, 'tensors' | 'statements'>,
  by: ReadonlySet<string>,
  reached: ReadonlySet<string>,
): Set<string> {
  const varied = new Set(by);
  for (const unit of scanUnits(statements)) {
    // in a recurrence what varies may be read before it is written
    for (let size = -1; size !== varied.size;) {
      size = varied.size;
      for (const { target, body } of unit) {
        const isReal = tensors.get(target)?.element !== 'integer';
        if (isReal && reads(body).some(({ tensor }) => varied.has(tensor))) varied.add(target);
      }
    }
  }
  return new Set([...varied].filter((name) => reached.has(name)));
}
