/** Networks that are trained for some steps: the program of each kind, and what it is given at every step. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import * as dense from './dense-networks.ts';
import { networkProgram } from './networks.ts';
import * as pictures from './pictures.ts';
import * as recurrent from './recurrent.ts';
import { isByStep } from './trained-writer.ts';
import * as transformers from './transformers.ts';
import type { CaseProgram } from './writer.ts';

type Maker = (of: OracleCase, rows: number, training: boolean) => CaseProgram;

const makers: Readonly<Record<string, Maker>> = {
  mlp: networkProgram,
  linear_regression: networkProgram,
  logistic_regression: networkProgram,
  softmax_regression: networkProgram,
  lenet: pictures.lenetProgram,
  resnet: pictures.resnetProgram,
  finetune_cnn: pictures.frozenNormProgram,
  gpt: transformers.gptProgram,
  lora_attention: transformers.loraAttentionProgram,
  autoencoder: dense.autoencoderProgram,
  vae: dense.vaeProgram,
  gru_classifier: recurrent.gruClassifierProgram,
  lstm_char: recurrent.lstmLettersProgram,
  finetune_mlp: dense.finetunedProgram,
};

export type Reader = (tensor: OracleTensor) => ArrayLike<number>;

export interface TrainedCase {
  /** The rows of a batch. */
  readonly rows: number;
  /** With all rows written, and inputs as parameters where their gradient is asked for. */
  readonly once: CaseProgram;
  /** With the batch open, and a train block. */
  readonly training: CaseProgram;
  /** The given tensors at a step; the step after the last is that of `loss_after_last_step`. */
  read(step: number): Reader;
}

export function trainedCase(of: OracleCase): TrainedCase | undefined {
  const maker = makers[of.op];
  if (maker === undefined) return undefined;
  const index = of.tensors.find(({ name }) => name === 'batch_index');
  const x = of.tensors.find(({ role }) => role === 'input');
  const rows = index?.shape[1] ?? (x === undefined ? 1 : x.shape[isByStep(x) ? 1 : 0]!);
  const batches = index === undefined ? undefined : of.read(index);
  const rowsOf = (step: number): ArrayLike<number> => {
    const first = (step % (index?.shape[0] ?? 1)) * rows;
    return batches === undefined
      ? Array.from({ length: rows }, (_, i) => i)
      : batches.subarray(first, first + rows);
  };
  const read =
    (step: number): Reader =>
    (tensor) => {
      if (isByStep(tensor)) return takeRows(of.read(tensor), tensor.shape, [step % tensor.shape[0]!]);
      const byRows = tensor.role === 'input' || tensor.role === 'target';
      return byRows ? takeRows(of.read(tensor), tensor.shape, rowsOf(step)) : of.read(tensor);
    };
  return { rows, once: maker(of, rows, false), training: maker(of, rows, true), read };
}

/** Chosen rows of a row-by-row tensor. */
function takeRows(values: ArrayLike<number>, shape: readonly number[], rows: ArrayLike<number>): number[] {
  const size = values.length / (shape[0] ?? 1);
  return Array.from(rows).flatMap((row) => Array.from({ length: size }, (_, i) => values[row * size + i]!));
}
