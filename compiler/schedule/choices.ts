/**
 * What the scheduler does beyond one plain loop nest a statement. Each can be left out by name (`--no-pass NAME`), so that
 * a user can ask whether it is to blame: the numbers stay the same to rounding, only time and memory differ.
 */
export const choices = {
  kernels: 'contractions by a shared kernel that holds blocks of one operand',
  blocks: 'the blocks of these kernels take their shape from the sizes of the contraction',
  lines: 'kernels run along two indices, as the lines of a picture and the places in a line',
  elementwise: 'elementwise statements over one box share a loop',
  rows: 'values per row are computed inside the loop over rows that reads them',
  softmax:
    'each exponential of a softmax is taken once: it stays where the result will be, until the sum is known',
  windows: 'the greatest value of a small window and where it stands are found in one pass',
  aliases: 'reshapes and copies that move nothing are the same memory, and no statement runs',
  overwriting: 'an elementwise result is written over an operand that is read there for the last time',
  workspace: 'intermediates that are never alive together share a place',
  steps: 'what a step of a recurrence alone reads is stored for one step at a time',
  unroll: 'tiny models as one loop over rows: sums written out, every element a constant',
  polynomials: 'exp, tanh, erf and what is made of them by polynomials, to the accuracy of float32',
  pieces: 'a loop is cut where its guards change, and each piece has none',
  functions: 'operations that are equal but for their tensors share a function',
} as const satisfies Readonly<Record<string, string>>;

export type Choice = keyof typeof choices;

/** The choices that are left out; names of other passes may be among them. */
export interface Without {
  has(choice: Choice): boolean;
}

export const nothing: Without = new Set();
