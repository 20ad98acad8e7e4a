/** `chainrule/report`: a training as one HTML page that needs no network and no script. Text only: it runs in a page, too. */
export { reportHtml, reportOf } from './report.ts';
export type { ReportContent } from './report.ts';
export { ReportRecorder } from './recorder.ts';
export type { ReportOptions, ReportSource, SplitOptions } from './options.ts';
export type { SplitReport } from './split.ts';
