/** Why a statement is scheduled as it is, for the printed schedule. */
import { isScatter } from '../graph/expressions.ts';
import type { Statement } from '../graph/types.ts';
import { choices } from './choices.ts';
import type { Choice, Without } from './choices.ts';
import type { Decision } from './types.ts';
import { factorsIn } from './work.ts';

/** Of what a choice does. */
export function byChoice(choice: Choice): Decision {
  return { form: choice, why: choices[choice] };
}

/** Of a statement alone, in loops of its own. */
export function plainLoops(statement: Statement, without: Without): Decision {
  return { form: 'loops', why: whyLoops(statement, without) };
}

function whyLoops(statement: Statement, without: Without): string {
  const { combine, body, indices, write } = statement;
  if (isScatter(statement)) return 'it writes where the data say';
  if (combine === 'assign') return 'elementwise, with no neighbour that works on the same elements';
  if (combine !== 'sum') return `a reduction by ${combine}`;
  if (indices.length === write.length) return 'nothing is reduced';
  if (factorsIn(body) < 2) return 'a sum of single terms, of which nothing is used twice';
  return without.has('kernels')
    ? 'kernels are left out'
    : 'a sum of products that no kernel takes: too small, or of another form';
}
