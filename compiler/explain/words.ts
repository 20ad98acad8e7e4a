/** @file What both renderers say of every model. */
import type { Excerpt, Explanation } from './types.ts';

export const reading: readonly string[] = [
  'Every line of the model is a section. Under it stand the statements that the line became: layers are put in, and every sum has a statement of its own.',
  'A statement is read from the top down: what it computes, then what comes back through it, then the code of both.',
  'The name `dA` stands for ∂loss/∂A, the cotangent of A: an array as large as A, that says of each element by how much the loss grows when that element does.',
  'In formulas |n| is the size of the index n (the rows of a batch), and a comparison in parentheses is 1 where it holds and 0 elsewhere.',
];

export const chainRule = [
  'A change of A changes everything that reads A, and through it the loss.',
  'So the derivative of the loss by A is, for every reader T of A, the derivative of the loss by T times the derivative of T by A; and all of it added up.',
  'Begin at the loss, where the derivative is 1, and go backwards: every dT is known when it is needed.',
];

export function summary({ model, parameters, inputs, loss, groups, backward }: Explanation): string {
  const trained = parameters.filter(({ isFrozen }) => !isFrozen);
  const count = trained.reduce((sum, each) => sum + each.count, 0);
  const statements = groups.reduce((sum, group) => sum + group.statements.length, 0);
  const parts = [
    `\`${model}\` reads ${list(inputs)}.`,
    parameters.length === 0
      ? 'It has no parameters.'
      : `It has ${count.toLocaleString('en')} trained ${count === 1 ? 'weight' : 'weights'} in ${trained.length} ${trained.length === 1 ? 'parameter' : 'parameters'}.`,
    loss === undefined
      ? 'It has no loss: it predicts, and nothing is differentiated.'
      : `Its ${groups.length} lines of formulas became ${statements} statements; ${backward.length} more compute the gradient of \`${loss}\` by every weight.`,
  ];
  return parts.join(' ');
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'no input' : names.map((name) => `\`${name}\``).join(' and ');
}

/** The lines of an excerpt; what stands for lines left out is indented as what follows. */
export function excerptLines(
  { lines }: Excerpt,
  gap: string,
): { text: string; isMarked: boolean; isGap: boolean }[] {
  return lines.map((line, k) => {
    if (line !== undefined) return { ...line, isGap: false };
    const next = lines[k + 1]?.text ?? '';
    return { text: next.slice(0, next.length - next.trimStart().length) + gap, isMarked: false, isGap: true };
  });
}
