/** Curves as inline SVG: paths by d3-shape, ticks by d3-array. No script, no style of its own: classes and `--series-K`. */
import { ticks } from 'd3-array';
import { line } from 'd3-shape';
import { html, numberText, type Markup } from './html.ts';

export interface Series {
  readonly name: string;
  /** One value for each place of the x axis; what is not finite is a gap. */
  readonly values: readonly number[];
  /** Drawn with dashes, so that it can be told apart without colours. */
  readonly dashed?: boolean;
}

export interface ChartOptions {
  /** The places of the x axis, ascending. */
  readonly epochs: readonly number[];
  /** By powers of ten; values of 0 and below are gaps. */
  readonly logarithmic?: boolean;
  /** Series from this one on are drawn alike, in the background. */
  readonly coloured?: number;
}

const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 64;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 36;
/** Colours that the page has, `--series-0` and on. */
export const COLOURS = 6;
/** With more epochs there are curves without points. */
const MOST_POINTS = 60;

type Scale = (value: number) => number;

function linear([low, high]: readonly [number, number], from: number, to: number): Scale {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** Least and greatest; apart, where they are the same. */
function extentOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const margin = low === high ? Math.max(Math.abs(low) * 0.1, 1e-9) : 0;
  return [low - margin, high + margin];
}

/** Logarithms of 1, 2 and 5 times powers of ten or, where the range is wide, of powers alone. */
function logarithmicTicks([low, high]: readonly [number, number]): number[] {
  if (high - low > 2.5) return ticks(low, high, 6).filter(Number.isInteger);
  const powers = Array.from(
    { length: Math.floor(high) - Math.floor(low) + 1 },
    (_, k) => Math.floor(low) + k,
  );
  return powers
    .flatMap((power) => [1, 2, 5].map((digit) => power + Math.log10(digit)))
    .filter((tick) => tick >= low && tick <= high);
}

/** A figure with a legend. Series without a finite value are left out; without any there is a sentence instead. */
export function lineChart(title: string, all: readonly Series[], options: ChartOptions): Markup {
  const { epochs, logarithmic = false, coloured = COLOURS } = options;
  const own = (value: number): number => (logarithmic ? Math.log10(value) : value);
  const series = all.filter(({ values }) => values.some((value) => Number.isFinite(own(value))));
  const heights = series.flatMap(({ values }) => values.map(own).filter(Number.isFinite));
  if (heights.length === 0)
    return html`<figure>
      <figcaption>${title}</figcaption>
      <p>No finite value.</p>
    </figure>`;

  const yExtent = extentOf(heights);
  const y = linear(yExtent, HEIGHT - BOTTOM, TOP);
  const x = linear(extentOf(epochs), LEFT, WIDTH - RIGHT);
  const yTicks = logarithmic ? logarithmicTicks(yExtent) : ticks(...yExtent, 5);
  const xTicks = ticks(epochs[0]!, epochs.at(-1)!, Math.min(8, epochs.length)).filter(Number.isInteger);
  const path = line<number>()
    .defined((value) => Number.isFinite(own(value)))
    .x((_, k) => x(epochs[k]!))
    .y((value) => y(own(value)))
    .digits(1);
  const colour = (k: number): string => (k < coloured ? `series-${k}` : 'series-rest');
  const styleOf = ({ dashed }: Series, k: number): string =>
    `${colour(k)}${dashed === true ? ' dashed' : ''}`;
  const yLabel = (tick: number): string => numberText(logarithmic ? 10 ** tick : tick);

  return html`<figure>
    <figcaption>${title}</figcaption>
    <ul class="legend">
      ${series.slice(0, coloured).map(
        (each, k) =>
          html`<li>
            <svg class="key" viewBox="0 0 24 8" aria-hidden="true">
              <path class="${styleOf(each, k)}" d="M0,4L24,4" /></svg
            >${each.name}
          </li>`,
      )}${
        series.length > coloured
          ? html`<li>
              <svg class="key" viewBox="0 0 24 8" aria-hidden="true">
                <path class="series-rest" d="M0,4L24,4" /></svg
              >${series.length - coloured} others
            </li>`
          : ''
      }
    </ul>
    <svg
      class="chart"
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-label="${`${title}: ${series.map(spoken).join('; ')}`}"
    >
      <g class="grid">
        ${yTicks.map((tick) => html`<path d="M${LEFT},${y(tick).toFixed(1)}H${WIDTH - RIGHT}" />`)}
      </g>
      <g class="ticks">
        ${yTicks.map((tick) => html`<text x="${LEFT - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${yLabel(tick)}</text>`)}${xTicks.map((tick) => html`<text x="${x(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`)}
        <text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 3}" text-anchor="middle">epoch</text>
      </g>
      ${series.map((each, k) => html`<path class="curve ${styleOf(each, k)}" d="${path(each.values) ?? ''}" />`).toReversed()}
      ${epochs.length <= MOST_POINTS ? series.slice(0, coloured).map((each, k) => points(each, k)) : ''}
    </svg>
  </figure>`;

  /** Each with the text that a browser shows when it is pointed at. */
  function points({ name, values }: Series, k: number): Markup[] {
    return values.flatMap((value, place) =>
      Number.isFinite(own(value))
        ? html`<circle
            class="${colour(k)}"
            cx="${x(epochs[place]!).toFixed(1)}"
            cy="${y(own(value)).toFixed(1)}"
            r="2.5"
            ><title>${`${name}, epoch ${epochs[place]}: ${numberText(value)}`}</title></circle
          >`
        : [],
    );
  }
}

function spoken({ name, values }: Series): string {
  return `${name} from ${numberText(values[0] ?? NaN)} to ${numberText(values.at(-1) ?? NaN)}`;
}
