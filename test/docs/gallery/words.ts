/** @file What docs/GRADIENTS.md says of each model of docs/gallery, beside what the compiler makes of it. */

export interface Exhibit {
  /** The file in docs/gallery, without its ending. */
  readonly name: string;
  readonly title: string;
  /** The gradient as a textbook has it. */
  readonly formula: string;
  /** What the model is, and what to see in its gradient. */
  readonly text: string;
}

export const exhibits: readonly Exhibit[] = [
  {
    name: 'dense',
    title: 'Dense layer',
    formula: 'dW = xᵀ dh, db = Σₙ dhₙ, with dh = ∂loss/∂h · tanh′ and tanh′ = 1 - h²',
    text: `A matrix product, a bias, an activation. The derivative of tanh is written in terms of its value, which the
forward pass has anyway. It is multiplied in where the gradient is first computed: \`dh\` is by what stands inside of tanh, as the
note behind the line says, so that \`db\` and \`dW\` are one sum each.`,
  },
  {
    name: 'softmax',
    title: 'Softmax and cross-entropy',
    formula: 'dz = (p - onehot(label)) / n',
    text: `The model is spelled as in a lecture, the logarithm of a softmax. The compiler makes it stable before it
differentiates: the logarithm of the quotient becomes a difference, and no \`exp\` can overflow. What is left of the gradient
is the well-known difference; \`k == label[n]\` is 1 at the right class and 0 elsewhere.`,
  },
  {
    name: 'convolution',
    title: 'Convolution',
    formula: 'dhᵢ = Σᵤ dzᵢ₋ᵤ₊₁ Bᵤ, dBᵤ = Σᵢ hᵢ₊ᵤ₋₁ dzᵢ',
    text: `Two convolutions over a line, so that there is a gradient by the input of one. It is a convolution again, with the
kernel turned around: the read \`h[n, i + u - 1]\` is solved for \`i\`. What is read outside counts as 0 in both directions. In a
picture each index has a second one beside it, and nothing else changes.`,
  },
  {
    name: 'max-pooling',
    title: 'Max pooling',
    formula: 'daᵢ = dm where aᵢ is the greatest of its window, else 0',
    text: `The forward pass notes which element of each window was the greatest, the first one if several are equal
(\`m_argmax\`). The backward pass writes to just that place: a scatter, \`+=\`, since which element it is depends on the data.`,
  },
  {
    name: 'batch-norm',
    title: 'Batch normalisation',
    formula: 'da = (dq - mean(dq) - q · mean(dq · q)) / √(σ² + ε)',
    text: `Each feature is normalised over the rows of the batch (Ioffe & Szegedy 2015). The three terms of \`da\` are those of
the paper: the way past the moments, the one through the variance, and the one through the mean. The mean inside of the variance
has no share, since the distances from a mean sum to 0; the compiler knows that. \`dvar_sum\` and \`dmu_sum\` are by the
sums in \`var\` and \`mu\`, before they are divided by the count.`,
  },
  {
    name: 'layer-norm',
    title: 'Layer normalisation',
    formula: 'da = (dq - mean(dq) - q · mean(dq · q)) / √(σ² + ε), along the row',
    text: `The same along the features of each row (Ba, Kiros & Hinton 2016). Only the index that the means run over is another.
In the TypeScript the two sums of a row are computed inside of the loop that uses them and are never stored.`,
  },
  {
    name: 'lstm',
    title: 'One step of an LSTM',
    formula: 'ds = dh · o · (1 - tanh² s), do = dh · tanh s · o (1 - o), dg = ds · i · (1 - g²), ...',
    text: `Four gates, a cell \`s\`, an output \`h\` (Hochreiter & Schmidhuber 1997; Gers et al. 2000). \`v\` is the input beside the
last output, \`c\` the last cell. Each gate's gradient is the cell's or the output's, times the factor beside it, times the slope of its
activation. Inside of a \`scan\` these lines run from the last step to the first.`,
  },
  {
    name: 'attention',
    title: 'Attention',
    formula: 'dv = aᵀ do, ds = a · (da - Σ da · a), dq = ds k / √d, dk = dsᵀ q / √d',
    text: `One head (Vaswani et al. 2017). A softmax \`a\` over the places gives each place a mixture of the values.
\`ds_1\` is the share of \`ds\` that goes straight through the exponential, \`da_logsumexp\` the one through the sum that it is divided
by; \`ds_sum\` is by the products, before they are divided by √d.`,
  },
  {
    name: 'embedding',
    title: 'Embedding',
    formula: 'dEw = Σ de over the rows whose word is w',
    text: `A row of a table for each word. The gradient writes where the model reads: words that do not occur get none, and words
that occur twice get both.`,
  },
];
