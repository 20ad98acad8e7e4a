/** Deep models, for tests and benchmarks of what depth costs. */
export interface Transformer {
  readonly blocks: number;
  readonly width: number;
  readonly heads: number;
  readonly steps: number;
  readonly words: number;
}

/** A causal language model: embedding, positions, equal blocks, a head. */
export function transformer({ blocks, width, heads, steps, words }: Transformer): string {
  const layers = Array.from(
    { length: blocks },
    (_, k) => `  h${k + 1} = h${k} |> transformer_block(${heads})`,
  );
  return `model Gpt {
  input tokens[n, ${steps}]: ${words}
  input next[n, ${steps}]: ${words}

  h0 = tokens |> embedding(${words}, ${width}) |> learned_positions
${layers.join('\n')}
  logits = h${blocks} |> layer_norm |> dense(${words}, bias = false)

  output p[n, t, k] = softmax[k](logits[n, t, k])
  loss = mean[n, t](cross_entropy[k](logits[n, t, k], next[n, t]))

  train { optimizer: adamw(rate = 3e-4), batch: 8 }
}
`;
}
