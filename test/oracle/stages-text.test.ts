/** `--print PASS` after every pass, on a program of each kind: the text compiles by itself and computes the same numbers. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { printProgram } from '../../compiler/graph/print.ts';
import type { Stage } from '../../compiler/index.ts';
import { loadCases } from './cases.ts';
import { differences, givenValues, modelsOf, namesOf, resultsOf, textsOf } from './read-back.ts';

const KINDS = [
  'act_gelu_exact',
  'conv2d_stride2_pad1',
  'maxpool2d_overlapping_padded',
  'batchnorm_1d_train',
  'layernorm_last_axis',
  'lstm_two_layers',
  'mhsa_causal_one_head',
  'embedding_mean_pool',
  'dropout_in_mlp',
  'loss_ce_ignore_index',
  'einsum_bi_ijk_bk_to_bj',
  'scatter_add_rows',
  'cumprod',
  'where',
  'reduce_logsumexp_axis_0_2',
  'normalise_rows',
  'shape_pad_reflect',
  'broadcast_expression',
  'convention_max_ties_shared',
  'matmul_batched',
  'freeze_first_layer',
  'mlp_adam',
  'trace_lr_step',
  'softmax_iris',
  'loss_bce_logits_mean',
  'gru_masked_lengths',
];

const cases = loadCases(fileURLToPath(new URL('.', import.meta.url)));

/** Without those that changed nothing. */
const changing = (stages: readonly Stage[]): Stage[] =>
  stages.filter(({ program }, place) => place === 0 || program !== stages[place - 1]?.program);

describe('every stage as text', () => {
  it.each(KINDS)('%s', (kind) => {
    const of = cases.find(({ name }) => name === kind)!;
    for (const each of textsOf(of)) {
      const [model] = modelsOf(each.text);
      const { stages = [] } = model ?? {};
      expect(stages.length).toBeGreaterThan(5);
      for (const { pass, program } of changing(stages)) {
        const given = givenValues(of, each, program);
        const names = namesOf(program);
        const wanted = resultsOf(program, given, each.rows, names);
        const [again] = modelsOf(printProgram(program, { places: true }));
        const found = resultsOf(again!.model.program, given, each.rows, names);
        expect(differences(wanted, found), pass).toEqual([]);
      }
    }
  });
});
