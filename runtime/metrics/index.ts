/**
 * `chainrule/metrics`: pure functions of predictions and truth, over a whole split. Predictions come first. Flat arrays, row after
 * row; wrong ones are a DataError that names the row.
 */
export {
  accuracy,
  argmax,
  classReport,
  confusionMatrix,
  f1,
  precision,
  recall,
  threshold,
  topK,
} from './classes.ts';
export type { Average, ClassOptions, ClassReport, ClassScores, ConfusionMatrix } from './classes.ts';
export { auc, aucOneVsRest, logLoss, perplexity } from './probabilities.ts';
export { meanAbsoluteError, meanSquaredError, rootMeanSquaredError, rSquared } from './regression.ts';
