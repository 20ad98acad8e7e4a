/** The callbacks of the runtime. Whoever imports none pays for none. */
export { CSVLogger, type CSVLoggerOptions } from './csv-logger.ts';
export { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.ts';
export { GradientMonitor, type GradientMonitorOptions, type GradientReport } from './gradient-monitor.ts';
export { LearningRateScheduler, type RateOfEpoch } from './learning-rate-scheduler.ts';
export { MagnitudePruning, type MagnitudePruningOptions } from './magnitude-pruning.ts';
export { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.ts';
export type { MonitorOptions } from './monitor.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.ts';
export { TensorBoard, type TensorBoardOptions, type TensorBoardRun } from './tensor-board.ts';
export { TerminateOnNaN, type TerminateOnNaNOptions } from './terminate-on-nan.ts';
