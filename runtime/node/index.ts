/** What needs Node: callbacks that write files or to the terminal. */
export { CSVLogger, TensorBoard } from './callbacks.ts';
export { ProgressBar, type ProgressBarOptions } from './progress-bar.ts';
