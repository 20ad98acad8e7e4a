/** @file What kind of thing a statement is, and how its derivative goes, in the words of a textbook. */
import { isPlainIndex, reads, reducedIndices, visitAtoms } from '../graph/expressions.ts';
import type { Expression, Program, Read, Statement, UnaryOperator } from '../graph/types.ts';

export type Form =
  | 'embedding'
  | 'copy'
  | 'rearranged'
  | 'matrix_product'
  | 'convolution'
  | 'chosen'
  | 'sum'
  | 'product'
  | 'maximum'
  | 'minimum'
  | 'place'
  | 'logsumexp'
  | 'softmax'
  | 'bias'
  | 'added'
  | 'mean'
  | 'scaled'
  | 'dropout'
  | 'gate'
  | 'relu'
  | 'sigmoid'
  | 'tanh'
  | 'softplus'
  | 'exponential'
  | 'logarithm'
  | 'own'
  | 'derivative'
  | 'elementwise';

export interface FormWords {
  readonly title: string;
  readonly forward: string;
  readonly backward: string;
}

const lookup = 'Nothing is computed but which element stands where.';

export const formWords: Readonly<Record<Form, FormWords>> = {
  embedding: {
    title: 'embedding',
    forward: 'An integer of the data says which row of a table is read.',
    backward:
      'A row gets the cotangents of all the places that read it, added up; a row that nobody read gets zero. The integers have no derivative.',
  },
  copy: {
    title: 'copy',
    forward: 'The same numbers under another name.',
    backward: 'The cotangent goes through as it is.',
  },
  rearranged: {
    title: 'rearranged',
    forward: lookup,
    backward: 'Each cotangent goes back to the place that its value came from.',
  },
  matrix_product: {
    title: 'matrix product',
    forward: 'Products of two are added up over the index that they have in common.',
    backward:
      'In a product, the derivative by one factor is the other factor. So the cotangent is multiplied by the other factor, and summed over the indices that the operand does not have.',
  },
  convolution: {
    title: 'convolution',
    forward: 'The same weights look at every place: a product with a window that slides along.',
    backward:
      'Each weight touched every place, so its gradient is a sum over all of them. Each element of the input lay in several windows, and collects a share from each: that is a convolution with the window turned around.',
  },
  chosen: {
    title: 'choice by a label',
    forward:
      'The condition is 1 at one place and 0 elsewhere, so that the sum picks one element out (a one-hot row times a row).',
    backward: 'The derivative is 1 at the place that was picked and 0 elsewhere: the one-hot row itself.',
  },
  sum: {
    title: 'sum',
    forward: 'Many numbers become one.',
    backward:
      'Each summand moves the sum by as much as it moves itself, so each gets the whole cotangent, times the derivative of what stands under the sum.',
  },
  product: {
    title: 'product',
    forward: 'All the values are multiplied.',
    backward: 'The derivative by one factor is the product of all the others.',
  },
  maximum: {
    title: 'maximum',
    forward: 'The greatest value of a window goes on; where it stood is remembered.',
    backward:
      'Only the greatest value moved the result, so it alone gets the cotangent, at the place that was remembered (of equals, the first); the others get zero.',
  },
  minimum: {
    title: 'minimum',
    forward: 'The least value goes on; where it stood is remembered.',
    backward:
      'Only the least value moved the result, so it alone gets the cotangent, at the place that was remembered (of equals, the first).',
  },
  place: {
    title: 'place of an extreme value',
    forward: 'An integer: where the extreme value stands, counted row by row.',
    backward: 'An integer does not change with small changes of what it is found in.',
  },
  logsumexp: {
    title: 'log-sum-exp',
    forward:
      'The logarithm of a sum of exponentials, computed with the greatest one taken out, so that nothing overflows. It is the part of a softmax that makes it add up to 1.',
    backward:
      'Its derivative is the softmax: each operand gets the cotangent times its own share of the sum of exponentials.',
  },
  softmax: {
    title: 'softmax',
    forward:
      'Each exponential over the sum of all: positive numbers that add up to 1. With the logarithm of the sum known, the division is a difference in the exponent.',
    backward: 'The derivative of an exponential is the exponential itself, so that the result is used again.',
  },
  bias: {
    title: 'bias',
    forward: 'The same numbers are added to every row.',
    backward:
      'The derivative of a sum by a summand is 1: the cotangent goes through. The bias was used by every row, so its gradient is the sum over all of them.',
  },
  added: {
    title: 'sum of terms',
    forward: 'Added element by element.',
    backward:
      'The derivative of a sum by a summand is 1: each term gets the cotangent as it is. Where a path forks, it is this that brings gradients past everything in between.',
  },
  mean: {
    title: 'mean',
    forward: 'The sum over the number of what was summed.',
    backward:
      'Each part gets the cotangent over that number: this is where the 1/n of every gradient comes from.',
  },
  scaled: {
    title: 'scaled',
    forward: 'Multiplied by a constant.',
    backward: 'The cotangent is multiplied by the same constant.',
  },
  dropout: {
    title: 'random mask',
    forward:
      'Multiplied by numbers that are drawn anew for each step. In dropout some are zero, and the others make up for them.',
    backward:
      'The numbers drawn are constants for this step: the cotangent is multiplied by them, so that what was dropped gets nothing.',
  },
  gate: {
    title: 'product of two',
    forward: 'Multiplied element by element.',
    backward: 'The derivative by one factor is the other: each gets the cotangent times its partner.',
  },
  relu: {
    title: 'relu',
    forward: 'What is negative becomes zero.',
    backward:
      'The derivative is 1 where the result is positive and 0 elsewhere: the cotangent passes or stops.',
  },
  sigmoid: {
    title: 'sigmoid',
    forward: 'Any number becomes one between 0 and 1.',
    backward: 'The derivative needs nothing but the result a that the forward pass kept: σ′ = a (1 − a).',
  },
  tanh: {
    title: 'tanh',
    forward: 'Any number becomes one between −1 and 1.',
    backward: 'The derivative needs nothing but the result a that the forward pass kept: tanh′ = 1 − a².',
  },
  softplus: {
    title: 'softplus',
    forward: 'log(1 + eˣ): a relu without the corner.',
    backward: 'Its derivative is the sigmoid.',
  },
  exponential: {
    title: 'exponential',
    forward: 'Element by element.',
    backward: 'The exponential is its own derivative: the cotangent is multiplied by the result.',
  },
  logarithm: {
    title: 'logarithm',
    forward: 'Element by element.',
    backward: 'The derivative of log u is 1 / u.',
  },
  own: {
    title: 'own function',
    forward: 'Computed element by element.',
    backward:
      'The function says itself what its derivative is (`derivative f(x) = ...`): that is taken, whatever its formula is.',
  },
  derivative: {
    title: 'derivative',
    forward:
      'The model asks for this derivative: it is taken by the chain rule, before the loss is differentiated.',
    backward: 'What computes it is differentiated like everything else.',
  },
  elementwise: {
    title: 'formula',
    forward: 'Computed element by element.',
    backward: 'The rules for each operation are multiplied from the outside to the inside.',
  },
};

const activations: Partial<Record<UnaryOperator, Form>> = {
  relu: 'relu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  softplus: 'softplus',
  exp: 'exponential',
  log: 'logarithm',
};

/** What a statement is, as far as one word can say it. */
export function formOf(statement: Statement, program: Program): Form {
  const { body, combine } = statement;
  if (combine === 'argmax' || combine === 'argmin') return 'place';
  if (reducedIndices(statement).length > 0) return reductionForm(statement);
  if (body.kind === 'read') return readForm(body, statement);
  if (body.kind !== 'binary') return formOfExpression(body, program);
  const parts = [body.left, body.right];
  const isRandom = (part: Expression): boolean =>
    reads(part).some(({ tensor }) => program.tensors.get(tensor)?.role === 'random');
  switch (body.operator) {
    case 'add':
      if (parts.some((part) => isBias(part, statement, program))) return 'bias';
      return parts.every(({ kind }) => kind === 'read') ? 'added' : 'elementwise';
    case 'divide':
      if (body.left.kind === 'binary' && body.left.operator === 'multiply' && isRandom(body))
        return 'dropout';
      if (body.right.kind === 'extent_value') return 'mean';
      return body.left.kind === 'read' && body.right.kind === 'constant' ? 'scaled' : 'elementwise';
    case 'multiply':
      if (parts.some(isRandom)) return 'dropout';
      if (parts.some(({ kind }) => kind === 'constant') && parts.some(({ kind }) => kind === 'read'))
        return 'scaled';
      return parts.every(({ kind }) => kind === 'read') ? 'gate' : 'elementwise';
    default:
      return 'elementwise';
  }
}

/** What an operation of one operand is. */
export function formOfExpression(body: Expression, program: Program): Form {
  if (isSoftmax(body, program)) return 'softmax';
  if (body.kind === 'call') return 'own';
  return body.kind === 'unary' ? (activations[body.operator] ?? 'elementwise') : 'elementwise';
}

function reductionForm({ combine, body }: Statement): Form {
  if (combine === 'max') return 'maximum';
  if (combine === 'min') return 'minimum';
  if (combine === 'product') return 'product';
  if (combine === 'logsumexp') return 'logsumexp';
  if (body.kind !== 'binary' || body.operator !== 'multiply') return 'sum';
  const parts = [body.left, body.right];
  if (parts.some((part) => part.kind === 'binary' && part.operator === 'equal')) return 'chosen';
  if (!parts.every((part): part is Read => part.kind === 'read')) return 'sum';
  const slides = parts.some(({ at }) => at.some(({ terms }) => terms.length > 1));
  return slides ? 'convolution' : 'matrix_product';
}

function readForm({ at, tensor }: Read, { indices }: Statement): Form {
  let fetches = false;
  for (const index of at) visitAtoms(index, (atom) => (fetches ||= atom.kind === 'fetch'));
  if (fetches) return 'embedding';
  const isSame =
    at.length === indices.length && at.every((index, k) => isPlainIndex(index) === indices[k]?.name);
  return isSame && tensor !== '' ? 'copy' : 'rearranged';
}

function isBias(part: Expression, { indices }: Statement, { tensors }: Program): boolean {
  return (
    part.kind === 'read' && tensors.get(part.tensor)?.role === 'parameter' && part.at.length < indices.length
  );
}

/** exp(z - logsumexp(z)) */
function isSoftmax(body: Expression, program: Program): boolean {
  if (body.kind !== 'unary' || body.operator !== 'exp') return false;
  const { operand } = body;
  if (operand.kind !== 'binary' || operand.operator !== 'subtract' || operand.right.kind !== 'read')
    return false;
  const { tensor } = operand.right;
  return program.statements.some(({ target, combine }) => target === tensor && combine === 'logsumexp');
}
