/** A training as one HTML page: curves, gradients, classes, the model, and every number in a table. */
import type { TrainingSnapshot } from '../snapshot.ts';
import { summary } from '../summary.ts';
import type { ModelDescription } from '../types.ts';
import { COLOURS, lineChart, type Series } from './chart.ts';
import { columnText, html, Markup } from './html.ts';
import type { ReportOptions, ReportSource } from './options.ts';
import { recordingIn, type Recording } from './recorder.ts';
import { judge, type SplitReport } from './split.ts';
import { STYLE } from './style.ts';

export interface ReportContent {
  readonly title?: string;
  readonly description: ModelDescription;
  /** Of a trainer, or of a checkpoint file. */
  readonly training: TrainingSnapshot;
  readonly split?: SplitReport;
}

/**
 * The report of a trainer as it is: its last `fit` with the history, or that of the training that was loaded. With a
 * `ReportRecorder` among the callbacks of the fit there are the rate and the norms of gradients, too.
 * @throws DataError where the data of the split are wrong
 */
export function reportOf<Inputs>(trainer: ReportSource<Inputs>, options: ReportOptions<Inputs> = {}): string {
  const { title, split } = options;
  const { description } = trainer;
  return reportHtml({
    ...(title !== undefined && { title }),
    description,
    training: trainer.getTraining(),
    ...(split !== undefined && { split: judge(trainer, split) }),
  });
}

/** A whole page. It loads nothing and runs nothing: its own policy forbids both. */
export function reportHtml(content: ReportContent): string {
  const { description, training, split, title = `Training of ${description.name}` } = content;
  const history = historyIn(training);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p class="note">
            ${training.step} steps, ${training.epoch} epochs, seed ${training.seed},
            ${training.dtype === 'f32' ? 'float32' : 'float64'}
          </p>
          ${curves(history, recordingIn(training))} ${split === undefined ? '' : splitSection(split)}
          <h2>Model</h2>
          ${html`<pre>${summary({ description })}</pre>`} ${historySection(history)}
        </main>
      </body>
    </html> `.text;
}

interface RunHistory {
  readonly epochs: readonly number[];
  readonly values: ReadonlyMap<string, readonly number[]>;
}

function historyIn({ arrays, fit }: TrainingSnapshot): RunHistory {
  const start = 'history/';
  const entries = Object.entries(arrays).flatMap(([name, { data }]): [string, number[]][] =>
    name.startsWith(start) ? [[name.slice(start.length), [...data]]] : [],
  );
  const before = Number((fit as { readonly initialEpoch?: number } | null)?.initialEpoch ?? 0);
  const length = Math.max(0, ...entries.map(([, values]) => values.length));
  return { epochs: Array.from({ length }, (_, k) => before + k + 1), values: new Map(entries) };
}

const VALIDATION = 'val_';

function curves({ epochs, values }: RunHistory, recording: Recording | undefined): Markup {
  if (epochs.length === 0) return html`<p>No epoch has been finished yet.</p>`;
  // a figure of the validation data stands with that of the training data
  const isTwin = (name: string): boolean =>
    name.startsWith(VALIDATION) && values.has(name.slice(VALIDATION.length));
  const names = [...values.keys()].filter((name) => !isTwin(name));
  const charts = names.map((name) => {
    const series = [name, VALIDATION + name].flatMap((each): Series[] =>
      values.has(each) ? [{ name: each, values: values.get(each)!, dashed: each !== name }] : [],
    );
    return lineChart(name, series, { epochs });
  });
  return html`<h2>Curves</h2>
    <div class="charts">${charts}${recording === undefined ? '' : recorded(recording)}</div>
    ${recording === undefined ? html`<p class="note">The rate and the norms of gradients are shown where a ReportRecorder is among the callbacks of fit.</p>` : ''}`;
}

function recorded({ epochs, rateFactors, norms }: Recording): Markup {
  const series = [...norms]
    .map(([name, values]): Series => ({ name, values }))
    .toSorted((one, other) => (other.values.at(-1) ?? 0) - (one.values.at(-1) ?? 0));
  const spread = Math.max(...rateFactors) / Math.min(...rateFactors);
  return html`${lineChart('Rate: what callbacks multiply the rate of the model by', [{ name: 'rate factor', values: rateFactors }], { epochs, logarithmic: spread >= 10 })}
  ${lineChart('Norms of gradients, by parameter', series, { epochs, logarithmic: true, coloured: COLOURS })}`;
}

function splitSection({ name, results, classes }: SplitReport): Markup {
  const numbers = html`<div class="wide">
    <table>
      <thead>
        <tr>
          ${Object.keys(results).map((key) => html`<th scope="col">${key}</th>`)}
        </tr>
      </thead>
      <tbody>
        <tr>
          ${Object.values(results).map((value) => html`<td>${columnText(value)}</td>`)}
        </tr>
      </tbody>
    </table>
  </div>`;
  if (classes === undefined)
    return html`<h2>Results on ${name}</h2>
      ${numbers}`;
  const { names, matrix, scores } = classes;
  const rows = names.map((truth, row) => {
    const counts = [...matrix.counts.subarray(row * names.length, (row + 1) * names.length)];
    const all = counts.reduce((sum, count) => sum + count, 0);
    return html`<tr>
      <th scope="row">${truth}</th>
      ${counts.map((count, column) => html`<td class="${column === row ? 'right' : 'wrong'}" style="--share: ${(count / Math.max(all, 1)).toFixed(3)}">${count}</td>`)}
    </tr>`;
  });
  const perClass = scores.perClass.map(
    ({ precision, recall, f1, support }, k) =>
      html`<tr>
        <th scope="row">${names[k]!}</th>
        ${[precision, recall, f1].map((value) => html`<td>${columnText(value)}</td>`)}
        <td>${support}</td>
      </tr>`,
  );
  return html`<h2>Results on ${name}</h2>
    ${numbers}
    <h2>Confusion matrix of ${name}</h2>
    <div class="wide">
      <table class="matrix">
        <caption>
          Rows are the true classes, columns the predicted ones. A colour is the share of the row.
        </caption>
        <thead>
          <tr>
            <th scope="col">true \\ predicted</th>
            ${names.map((each) => html`<th scope="col">${each}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    <div class="wide">
      <table>
        <thead>
          <tr>
            ${['class', 'precision', 'recall', 'F1', 'rows'].map((each) => html`<th scope="col">${each}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${perClass}
        </tbody>
      </table>
    </div>`;
}

function historySection({ epochs, values }: RunHistory): Markup {
  if (epochs.length === 0) return html``;
  const rows = epochs.map(
    (epoch, k) =>
      html`<tr>
        <th scope="row">${epoch}</th>
        ${[...values.values()].map((column) => html`<td>${columnText(column[k] ?? NaN)}</td>`)}
      </tr>`,
  );
  return html`<h2>History</h2>
    <details>
      <summary>Every epoch in numbers</summary>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">epoch</th>
              ${[...values.keys()].map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
    </details>`;
}
