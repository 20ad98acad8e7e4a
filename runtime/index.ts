/** What a generated trainer imports. */
export { makeTrainer } from './trainer.ts';
export type { EvaluateOptions, Trainer, TrainerOptions } from './trainer.ts';
export type { NamePattern } from './pattern.ts';
export { summary } from './summary.ts';
export { makePredictor, type Predictor, type PredictorOptions, type WeightsByName } from './predictor.ts';
export type { BatchStream, StreamSource } from './batches.ts';
export { evaluateStream, predictStream } from './streams.ts';
export type {
  BatchReport,
  Callback,
  CallbackState,
  EpochReport,
  FitContext,
  History,
  Learner,
  Outcome,
} from './callback.ts';
export * from './callbacks/index.ts';
export type { Results } from './engine.ts';
export type { Augmentation, FitOptions } from './options.ts';
export type { SplitMetric, SplitMetrics } from './evaluate-metrics.ts';
export { getTraining, setTraining } from './snapshot.ts';
export type { Json, SnapshotArray, TrainingSnapshot } from './snapshot.ts';
export { CheckError, DEFAULT_LIMIT } from './check-error.ts';
export type { CheckFinding, CheckOptions, CheckPhase, Operand } from './check-error.ts';
export { Checks } from './checks.ts';
export type { CheckedStatement, CheckedUpdate, ElementReader } from './checks.ts';
export { DataError } from './errors.ts';
export type { IntegerData, RealData } from './ports.ts';
export * from './math.ts';
export { readNpy, writeNpy } from './formats/npy.ts';
export type { Tensor, TensorData, Tensors } from './formats/tensor.ts';
export { mergeLora, transferWeights, type MergeOptions } from './fine-tuning.ts';
export type { LoadOptions, LoadReport } from './loading.ts';
export type { WeightsHolder, WeightsSource } from './tensors.ts';
export { fillOrthogonal } from './orthogonal.ts';
export { drawBernoulli, drawNormal, drawUniform, Random } from './random.ts';
export type * from './types.ts';
export { summarizeTrace, Tracer } from './trace.ts';
export type { TracedTensor, TraceEvent, TraceKind, TraceOptions, TracePhase, TraceSummary } from './trace.ts';
export { rowWeights, type RowWeighting } from './weights.ts';
