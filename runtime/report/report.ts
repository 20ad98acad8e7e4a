/** A training as one HTML page: curves, gradients, classes, the model, and every number in a table. */
import { getTraining, type TrainingSnapshot } from '../snapshot.ts';
import { summary } from '../summary.ts';
import type { ModelDescription } from '../types.ts';
import { lineChart, type Series } from './chart.ts';
import { columnText, counted, html, Markup, type Part } from './html.ts';
import { checkReportOptions, type ReportOptions, type ReportSource } from './options.ts';
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
 * `ReportRecorder` among the callbacks of the fit there are the learning rate and the norms of gradients, too.
 * @throws DataError where the data of the split are wrong, or names of classes are given and no classes found
 */
export function reportOf<Inputs>(trainer: ReportSource<Inputs>, options: ReportOptions<Inputs> = {}): string {
  checkReportOptions(options);
  const { title, split } = options;
  const { description } = trainer;
  return reportHtml({
    ...(title !== undefined && { title }),
    description,
    training: getTraining(trainer),
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
            ${counted(training.step, 'step')}, ${counted(training.epoch, 'epoch')}, seed ${training.seed},
            ${training.dtype === 'f32' ? 'float32' : 'float64'}
          </p>
          ${curves(history, recordingIn(training, description), description, leftEpoch(training, description))}
          ${split === undefined ? '' : splitSection(split)}
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

/** What was not finite in an epoch that was left before its end, which has no place in the curves. */
function leftEpoch({ arrays, fit }: TrainingSnapshot, { metrics }: ModelDescription): string {
  const { epoch = 0, steps = 0 } = (fit ?? {}) as { readonly epoch?: number; readonly steps?: number };
  const sums = [...(arrays['running/sums']?.data ?? [])];
  const broken = ['loss', ...metrics].filter((_, k) => !Number.isFinite(sums[k] ?? 0));
  if (steps === 0 || broken.length === 0) return '';
  const who = `${broken.join(', ')} ${broken.length === 1 ? 'was' : 'were'}`;
  return ` Epoch ${epoch + 1} was left after ${counted(steps, 'step')}: ${who} not finite.`;
}

const VALIDATION = 'val_';

function curves(
  { epochs, values }: RunHistory,
  recording: Recording | undefined,
  description: ModelDescription,
  left: string,
): Markup {
  if (epochs.length === 0) return html`<p>No epoch has been finished yet.${left}</p>`;
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
  const { rates } = description.training;
  const notes = [
    ...(left === '' ? [] : [left]),
    ...(recording === undefined
      ? [
          'The learning rate and the norms of gradients are shown where a ReportRecorder is among the callbacks of fit.',
        ]
      : []),
    ...(rates.length === 0
      ? ['There is no learning rate: no optimizer of this model has a hyper-parameter named rate.']
      : []),
  ];
  return html`<h2>Curves</h2>
    <div class="charts">${charts}${recording === undefined ? '' : recorded(recording, rates)}</div>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}`;
}

function recorded({ epochs, rates, norms, seen }: Recording, names: readonly string[]): Markup {
  // with one schedule for two they lie upon each other
  const rateSeries = [...rates].map(([name, values], k): Series => {
    return {
      name: names.length === 1 ? 'learning rate' : name,
      values,
      known: values.map((rate) => !Number.isNaN(rate)),
      dashed: k % 2 === 1,
    };
  });
  const normSeries = [...norms]
    .map(([name, values]): Series => ({ name, values, known: seen }))
    .toSorted((one, other) => (other.values.at(-1) ?? 0) - (one.values.at(-1) ?? 0));
  const rateChart =
    rateSeries.length === 0
      ? ''
      : lineChart('Learning rate of the last step of an epoch', rateSeries, {
          epochs,
          logarithmic: isMostlySmall(rateSeries.flatMap(({ values }) => values)),
        });
  return html`${rateChart}
  ${lineChart('Norms of gradients, by parameter', normSeries, { epochs, logarithmic: true })}`;
}

/** A quarter of the rates is less than a twentieth of the greatest: on a linear axis they would lie on the ground. */
function isMostlySmall(rates: readonly number[]): boolean {
  const greatest = Math.max(...rates.filter(Number.isFinite));
  return rates.filter((rate) => rate < greatest / 20).length > rates.length / 4;
}

// ------------------------------------------------------------------------------------------------------------- tables

interface Table {
  readonly head: readonly Part[];
  readonly rows: readonly Markup[];
  readonly caption?: string;
  readonly style?: string;
}

function table({ head, rows, caption, style = '' }: Table): Markup {
  return html`<div class="wide">
    <table class="${style}">
      ${
        caption === undefined
          ? ''
          : html`<caption>
              ${caption}
            </caption>`
      }
      <thead>
        <tr>
          ${head.map((each) => (each instanceof Markup ? each : html`<th scope="col">${each}</th>`))}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** A row of numbers under its name. */
function row(name: Part, cells: readonly Part[]): Markup {
  return html`<tr>
    ${name instanceof Markup ? name : html`<th scope="row">${name}</th>`}
    ${cells.map((cell) => (cell instanceof Markup ? cell : html`<td>${cell}</td>`))}
  </tr>`;
}

/** Of a name in the head of a row or column. */
const MOST_CHARACTERS = 20;

/** A heading with a class: a long name is cut, and whole where it is pointed at. */
function classHeading(name: string, scope: 'row' | 'col'): Markup {
  const characters = [...name];
  if (characters.length <= MOST_CHARACTERS) return html`<th scope="${scope}">${name}</th>`;
  const short = `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…`;
  return html`<th scope="${scope}" title="${name}">${short}</th>`;
}

function splitSection({ name, results, classes, why }: SplitReport): Markup {
  const numbers = table({
    head: Object.keys(results),
    rows: [
      html`<tr>
        ${Object.values(results).map((value) => html`<td>${columnText(value)}</td>`)}
      </tr>`,
    ],
  });
  return html`<h2>Results on ${name}</h2>
    ${numbers} ${why === undefined ? '' : html`<p class="note">No confusion matrix: ${why}.</p>`}
    ${classes === undefined ? '' : classTables(name, classes)}`;
}

function classTables(
  of: string,
  { names, cut, matrix, scores }: NonNullable<SplitReport['classes']>,
): Markup {
  const counts = names.map((truth, place) => {
    const all = [...matrix.counts.subarray(place * names.length, (place + 1) * names.length)];
    const sum = all.reduce((total, count) => total + count, 0);
    const cells = all.map((count, column) => {
      const kind = column === place ? 'right' : 'wrong';
      const share = (count / Math.max(sum, 1)).toFixed(3);
      return html`<td class="${kind}" style="--share: ${share}">${count}</td>`;
    });
    return row(classHeading(truth, 'row'), cells);
  });
  const perClass = scores.perClass.map(({ precision, recall, f1, support }, k) =>
    row(classHeading(names[k]!, 'row'), [...[precision, recall, f1].map(columnText), support]),
  );
  return html`<h2>Confusion matrix of ${of}</h2>
    ${table({
      style: 'matrix',
      caption: `Rows are the true classes, columns the predicted ones${cut === undefined ? '' : ` (${names[1]}: ${cut})`}. A colour is the share of the row.`,
      head: ['true \\ predicted', ...names.map((each) => classHeading(each, 'col'))],
      rows: counts,
    })}
    ${table({ head: ['class', 'precision', 'recall', 'F1', 'rows'], rows: perClass })}`;
}

function historySection({ epochs, values }: RunHistory): Markup {
  if (epochs.length === 0) return html``;
  const columns = [...values.values()];
  return html`<h2>History</h2>
    <details>
      <summary>Every epoch in numbers</summary>
      ${table({
        head: ['epoch', ...values.keys()],
        rows: epochs.map((epoch, k) =>
          row(
            epoch,
            columns.map((column) => columnText(column[k] ?? NaN)),
          ),
        ),
      })}
    </details>`;
}
