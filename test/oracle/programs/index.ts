/** The program of a case, by its topic and op. */
import type { OracleCase } from '../cases.ts';
import { attentionProgram } from './attentions.ts';
import { blockProgram } from './blocks.ts';
import { calculusProgram } from './calculus.ts';
import * as convolutions from './convolutions.ts';
import { indexProgram } from './indices.ts';
import * as losses from './losses.ts';
import { denseProgram } from './networks.ts';
import { normalisationProgram } from './normalisations.ts';
import * as operations from './operations.ts';
import * as recurrent from './recurrent.ts';
import * as reductions from './reductions.ts';
import { shapeProgram } from './shapes.ts';
import { Unsupported, type CaseProgram } from './writer.ts';

type Maker = (of: OracleCase) => CaseProgram;

const byOp: Readonly<Record<string, Maker>> = {
  softmax: operations.softmaxProgram,
  log_softmax: operations.softmaxProgram,
  prelu: operations.preluProgram,
  glu: operations.gluProgram,
  pow: operations.powerProgram,
  matmul: operations.matmulProgram,
  einsum: operations.einsumProgram,
  where: operations.whereProgram,
  masked_fill: operations.maskedFillProgram,
  norm: reductions.normProgram,
  normalize: reductions.normProgram,
  expression: reductions.expressionProgram,
  cross_entropy: losses.crossEntropyProgram,
  cross_entropy_prob: losses.crossEntropyProbabilitiesProgram,
  nll: losses.nllProgram,
  kl_div: losses.divergenceProgram,
  multi_margin: losses.multiMarginProgram,
  cosine_similarity: losses.distanceProgram,
  cosine_embedding: losses.distanceProgram,
  triplet_margin: losses.distanceProgram,
  dense: denseProgram,
};

const byTopic: Readonly<Record<string, Maker>> = {
  'ops/convention': reductions.conventionProgram,
  'ops/shape': shapeProgram,
  'ops/index': indexProgram,
  'ops/scan': recurrent.cumulativeProgram,
  'layers/recurrent': recurrent.recurrentProgram,
  'layers/embedding': indexProgram,
  'layers/conv': convolutions.convolutionProgram,
  'layers/pool': convolutions.poolProgram,
  'layers/norm': normalisationProgram,
  'layers/attention': attentionProgram,
  'layers/residual': blockProgram,
  'layers/dropout': blockProgram,
  'ops/reduce': (of) =>
    of.op === 'expression' ? reductions.expressionProgram(of) : reductions.reduceProgram(of),
  'ops/broadcast': (of) =>
    of.op === 'expression' ? reductions.expressionProgram(of) : operations.binaryProgram(of),
};

/** A program for cases that are one forward and one backward pass. @throws Unsupported */
export function programOf(of: OracleCase): CaseProgram {
  if (of.family === 'calculus') return calculusProgram(of);
  const maker = byTopic[`${of.family}/${of.topic}`] ?? byOp[of.op];
  if (maker !== undefined) return maker(of);
  if (of.op in operations.unaryFormulas) return operations.unaryProgram(of);
  if (losses.isElementwiseLoss(of.op)) return losses.elementwiseLossProgram(of);
  throw new Unsupported(`${of.topic}: ${of.op}`);
}
