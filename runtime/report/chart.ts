/** Curves as inline SVG: paths by d3-shape. No script, no style of its own: classes and `--series-K`. */
import { ticks } from 'd3-array';
import { line } from 'd3-shape';
import { counted, html, numberText, type Markup } from './html.ts';
import { apart, axisOf, drawn, type Axis } from './scale.ts';

export interface Series {
  readonly name: string;
  /** One value for each place of the x axis; what is not finite is a gap, and said. */
  readonly values: readonly number[];
  /** By place: false where nobody knows the value, which is a gap alone. */
  readonly known?: readonly boolean[];
  /** Drawn with dashes, so that it can be told apart without colours. */
  readonly dashed?: boolean;
}

export interface ChartOptions {
  /** The places of the x axis, ascending. */
  readonly epochs: readonly number[];
  /** By powers of ten, where values of 0 and below are gaps. Without it, positive values of many decades are. */
  readonly logarithmic?: boolean;
  /** Series from this one on are drawn alike, in the background. */
  readonly coloured?: number;
}

const WIDTH = 640;
const HEIGHT = 240;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 36;
/** Of a character of a tick, at most. */
const CHARACTER = 7.2;
/** Colours that the page has, `--series-0` and on. */
export const COLOURS = 6;
/** With more epochs there are curves without points. */
const MOST_POINTS = 60;
/** With more there is a number in place of their names. */
const MOST_NAMES = 3;

type Scale = (value: number) => number;

function linear([low, high]: readonly [number, number], from: number, to: number): Scale {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** A figure with a legend. Series without a finite value are left out; without any there is a sentence instead. */
export function lineChart(title: string, all: readonly Series[], options: ChartOptions): Markup {
  const { epochs, logarithmic, coloured = COLOURS } = options;
  const axis = axisOf(
    all.flatMap(({ values }) => values),
    logarithmic,
  );
  const own = (value: number): number => drawn(value, axis.logarithmic);
  const series = all.filter(({ values }) => values.some((value) => Number.isFinite(own(value))));
  const notes = [...brokenNotes(all, epochs), ...axisNotes(series, epochs, axis)];
  const note = notes.length === 0 ? '' : html`<p class="note">${notes.join(' ')}</p>`;
  if (series.length === 0)
    return html`<figure>
      <figcaption>${title}</figcaption>
      <p>
        ${axis.logarithmic && all.some(({ values }) => values.includes(0)) ? 'Nothing above 0.' : 'No finite value.'}
      </p>
      ${note}
    </figure>`;

  const left = Math.max(40, 16 + CHARACTER * Math.max(...axis.ticks.map(({ text }) => text.length)));
  const [low, high] = axis.extent;
  const place = linear(axis.extent, HEIGHT - BOTTOM, TOP);
  const y = (value: number): number => place(Math.min(Math.max(own(value), low), high));
  const x = linear(apart([epochs[0]!, epochs.at(-1)!]), left, WIDTH - RIGHT);
  const xTicks = ticks(epochs[0]!, epochs.at(-1)!, Math.min(8, epochs.length)).filter(Number.isInteger);
  const path = line<number>()
    .defined((value) => Number.isFinite(own(value)))
    .x((_, k) => x(epochs[k]!))
    .y(y)
    .digits(1);
  const colour = (k: number): string => (k < coloured ? `series-${k}` : 'series-rest');
  const styleOf = ({ dashed }: Series, k: number): string =>
    `${colour(k)}${dashed === true ? ' dashed' : ''}`;

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
              >${counted(series.length - coloured, 'other')}
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
        ${axis.ticks.map(({ at }) => html`<path d="M${left},${place(at).toFixed(1)}H${WIDTH - RIGHT}" />`)}
      </g>
      <g class="ticks">
        ${axis.ticks.map(({ at, text }) => html`<text x="${left - 8}" y="${(place(at) + 4).toFixed(1)}" text-anchor="end">${text}</text>`)}${xTicks.map((tick) => html`<text x="${x(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`)}
        <text x="${(left + WIDTH - RIGHT) / 2}" y="${HEIGHT - 3}" text-anchor="middle">epoch</text>
      </g>
      ${series.map((each, k) => html`<path class="curve ${styleOf(each, k)}" d="${path(each.values) ?? ''}" />`).toReversed()}
      ${series.slice(0, coloured).map((each, k) => points(each, k))} ${all.map((each) => broken(each))}
    </svg>
    ${note}
  </figure>`;

  /** Each with the text that a browser shows when it is pointed at; a triangle where it is beyond the axis. */
  function points({ name, values }: Series, k: number): Markup[] {
    return values.flatMap((value, at) => {
      const height = own(value);
      if (!Number.isFinite(height)) return [];
      const told = html`<title>${`${name}, epoch ${epochs[at]}: ${numberText(value)}`}</title>`;
      const [cx, cy] = [x(epochs[at]!), y(value)];
      if (height < low || height > high) {
        const up = height > high ? -8 : 8;
        return html`<path
          class="beyond ${colour(k)}"
          d="M${(cx - 5).toFixed(1)},${cy.toFixed(1)}h10l-5,${up}z"
          >${told}</path
        >`;
      }
      if (epochs.length > MOST_POINTS) return [];
      return html`<circle class="${colour(k)}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="2.5"
        >${told}</circle
      >`;
    });
  }

  /** A line across the chart where a curve begins to be no more. */
  function broken(series: Series): Markup | '' {
    const { name, values } = series;
    const at = brokenPlaces(series)[0];
    if (at === undefined) return '';
    const told = `${name}, epoch ${epochs[at]}: ${numberText(values[at]!)}`;
    return html`<path class="broken" d="M${x(epochs[at]!).toFixed(1)},${TOP}V${HEIGHT - BOTTOM}"
      ><title>${told}</title></path
    >`;
  }
}

function spoken({ name, values }: Series): string {
  return `${name} from ${numberText(values[0] ?? NaN)} to ${numberText(values.at(-1) ?? NaN)}`;
}

const brokenPlaces = ({ values, known }: Series): number[] =>
  [...values.keys()].filter((at) => !Number.isFinite(values[at]) && known?.[at] !== false);

const NEVER = 'in no epoch';

/** `loss was not finite from epoch 19 on.` Those that broke alike share a sentence. */
function brokenNotes(all: readonly Series[], epochs: readonly number[]): string[] {
  const names = new Map<string, string[]>();
  for (const series of all) {
    const { name, values } = series;
    const places = brokenPlaces(series);
    const [first] = places;
    if (first === undefined) continue;
    const count = places.length;
    const when =
      count === values.length - first && count > 1
        ? first === 0
          ? NEVER
          : `from epoch ${epochs[first]} on`
        : `in ${count === 1 ? '' : `${count} epochs, first in `}epoch ${epochs[first]}`;
    names.set(when, [...(names.get(when) ?? []), name]);
  }
  return [...names].map(([when, those]) => {
    const who = those.length > MOST_NAMES ? `${those.length} curves` : those.join(', ');
    const not = when === NEVER ? '' : 'not ';
    return `${who} ${those.length === 1 ? 'was' : 'were'} ${not}finite ${when}.`;
  });
}

/** What the axis is like, where it is not what one expects. */
function axisNotes(
  series: readonly Series[],
  epochs: readonly number[],
  { logarithmic, clips, extent }: Axis,
): string[] {
  const [low, high] = extent;
  const beyond = series.flatMap(({ name, values }) =>
    values.flatMap((value, at) => {
      const height = drawn(value, logarithmic);
      return height < low || height > high ? [{ value, told: `${name}, epoch ${epochs[at]}` }] : [];
    }),
  );
  const farthest = beyond.toSorted((one, other) => Math.abs(other.value) - Math.abs(one.value))[0];
  const ends = clips.below || clips.above;
  return [
    ...(logarithmic ? ['The axis is logarithmic.'] : []),
    ...(ends && farthest !== undefined
      ? [
          `${counted(beyond.length, 'value')} beyond the axis ${beyond.length === 1 ? 'is' : 'are'} marked by triangles; the largest is ${numberText(farthest.value)} (${farthest.told}).`,
        ]
      : []),
  ];
}
