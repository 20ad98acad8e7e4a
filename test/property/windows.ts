/**
 * Random models of two or three statements that read one another through windows: strides that divide or not, gaps,
 * overlaps, dilation, padding at every edge, transposed windows, places that data decide and repeat, halves, flips and
 * diagonals; axes of one element among them. As text, so that a failing one can be read and tried.
 */
import * as fc from 'fast-check';

/** How one axis is read, at the index `o` of the axis that is made and the index `u` that runs over the window. */
type Place =
  | { readonly kind: 'window' | 'transposed'; readonly size: number; readonly stride: number }
  | { readonly kind: 'whole' | 'flip' | 'half' | 'parity' | 'diagonal' }
  | { readonly kind: 'data' | 'data window'; readonly size: number };

interface Axis {
  readonly place: Place;
  readonly dilation: number;
  readonly pad: number;
  /** Places more or fewer than the windows that fit: the last ones stick out, or some of the tensor is never read. */
  readonly more: number;
}

interface Step {
  readonly axes: readonly [Axis, Axis];
  /** Of the second read, in bodies that have one. */
  readonly shift: readonly [number, number];
  readonly combine: 'sum' | 'max' | 'min' | 'prod' | 'logsumexp';
  readonly body: number;
  readonly outside: number;
}

export interface WindowOptions {
  /** No kinks but those of `max` and `min`, which random values do not meet. Default false. */
  readonly smooth?: boolean;
}

/** What is computed of `r`, a read, `k`, an element of a kernel, and `s`, another read. The first six are smooth. */
const bodies = [
  'r * k',
  'r',
  'tanh(r) * k + r',
  'r / (1.5 + s^2) + k',
  'exp(0.5 * k) * r * s',
  'sin(2 * r + k)',
  'relu(r) * k',
  's > 0.1 ? r * k : 0.5 * s',
  'max(r, k * s)',
  'abs(r - k)',
] as const;

/** The texts of models with one parameter `w` that is read through windows, and a kernel for each step. */
export function windowModels({ smooth = false }: WindowOptions = {}): fc.Arbitrary<string> {
  const number = (min: number, max: number) => fc.integer({ min, max });
  const size = number(1, 4);
  const window = fc.constantFrom('window', 'window', 'transposed');
  const place: fc.Arbitrary<Place> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: window, size, stride: number(1, 4) }) as fc.Arbitrary<Place> },
    fc.constantFrom('whole', 'flip', 'half', 'parity', 'diagonal').map((kind) => ({ kind })),
    fc.record({ kind: fc.constantFrom('data', 'data window'), size }),
  );
  const axis = fc.record({ place, dilation: number(1, 2), pad: number(0, 3), more: number(-1, 1) });
  const step: fc.Arbitrary<Step> = fc.record({
    axes: fc.tuple(axis, axis),
    shift: fc.tuple(number(-1, 1), number(-1, 1)),
    combine: fc.constantFrom('sum', 'sum', 'max', 'min', 'prod', 'logsumexp'),
    body: number(0, smooth ? 5 : bodies.length - 1),
    outside: fc.constantFrom(0, 0, 0.75),
  });
  return fc
    .record({
      sizes: fc.tuple(number(1, 5), number(1, 5)),
      batch: fc.boolean(),
      steps: fc.array(step, { minLength: 1, maxLength: 3 }),
    })
    .map(({ sizes, batch, steps }) => textOf(sizes, batch, steps));
}

function textOf(sizes: readonly [number, number], batch: boolean, steps: readonly Step[]): string {
  const rows = batch ? 'n, ' : '';
  const declared = [`param w[${sizes.join(', ')}] ~ uniform(-1, 1)`];
  if (batch) declared.push(`input x[n, ${sizes.join(', ')}]`);
  const made = [batch ? `t0[n, i, j] = x[n, i, j] + w[i, j]` : `t0[i, j] = w[i, j]`];
  let extents: readonly number[] = sizes;
  for (const [position, step] of steps.entries()) {
    const [target, source, kernel] = [`t${position + 1}`, `t${position}`, `K${position + 1}`];
    const read = step.axes.map((axis, which) =>
      readOf(axis, extents[which] ?? 1, which === 0 ? 'i' : 'j', which === 0 ? 'u' : 'v', (size, range) => {
        const name = `k${position + 1}${which === 0 ? 'i' : 'j'}`;
        declared.push(`input ${name}[${size}]: ${range}`);
        return name;
      }),
    );
    const over = read.flatMap(({ over: index }) => index ?? []);
    const kernelAxes = read.map(({ over: index, extent }) =>
      index === undefined ? extent : Number(index.split(': ')[1]),
    );
    if (/\bk\b/.test(bodies[step.body] ?? ''))
      declared.push(`param ${kernel}[${kernelAxes.join(', ')}] ~ uniform(-1, 1)`);
    const first = `(${source}[${rows}${read.map(({ at }) => at).join(', ')}] else ${step.outside})`;
    const at = read.map((each, which) => `${each.at} + ${step.shift[which] ?? 0}`.replace('+ -', '- '));
    const second = `(${source}[${rows}${at.join(', ')}] else 0)`;
    const weight = `${kernel}[${read.map(({ over: index }, which) => index?.split(':')[0] ?? 'ij'[which]).join(', ')}]`;
    const body = (bodies[step.body] ?? 'r').replaceAll(
      /\b[rsk]\b/g,
      (letter) => ({ r: first, s: second })[letter] ?? weight,
    );
    const value = over.length === 0 ? body : `${step.combine}[${over.join(', ')}](${body})`;
    extents = read.map(({ extent }) => extent);
    made.push(`${target}[${rows}i: ${extents[0]}, j: ${extents[1]}] = ${value}`);
  }
  const last = `t${steps.length}[${rows}i, j]`;
  made.push(`loss = sum[${rows}i, j](sin(${last}) * (1 + i + 2 * j) + 0.1 * ${last})`);
  return ['model Windows {', ...[...declared, ...made].map((line) => `  ${line}`), '}', ''].join('\n');
}

interface ReadAxis {
  readonly at: string;
  /** Of the axis that is made. */
  readonly extent: number;
  /** The index that is reduced, with its extent, if there is one. */
  readonly over?: string;
}

function readOf(
  { place, dilation, pad, more }: Axis,
  extent: number,
  made: string,
  window: string,
  integers: (size: number, range: number) => string,
): ReadAxis {
  const atLeastOne = (count: number): number => Math.max(1, count);
  switch (place.kind) {
    case 'window': {
      const { size, stride } = place;
      const fitting = Math.floor((extent + 2 * pad - dilation * (size - 1) - 1) / stride) + 1;
      const at = `${stride} * ${made} + ${dilation} * ${window} - ${pad}`;
      return { at, extent: atLeastOne(fitting + more), over: `${window}: ${size}` };
    }
    case 'transposed': {
      const { size, stride } = place;
      const reached = (extent - 1) * stride - 2 * pad + dilation * (size - 1) + 1;
      const at = `exact((${made} + ${pad} - ${dilation} * ${window}) / ${stride})`;
      return { at, extent: atLeastOne(reached + more), over: `${window}: ${size}` };
    }
    case 'whole':
      return { at: window, extent: 2, over: `${window}: ${extent}` };
    case 'flip':
      return { at: `${extent - 1} - ${made}`, extent: atLeastOne(extent + more) };
    case 'half':
      return { at: `${made} / 2 - ${pad % 2}`, extent: atLeastOne(2 * extent + more) };
    case 'parity':
      return { at: `mod(${made} + ${pad}, 2)`, extent: atLeastOne(extent + more) };
    case 'diagonal':
      return { at: made === 'i' ? 'j - i' : 'i', extent: atLeastOne(extent + more) };
    case 'data':
      return { at: `${integers(place.size, extent)}[${made}]`, extent: place.size };
    case 'data window': {
      const name = integers(place.size, extent);
      return { at: `${name}[${made}] + ${window} - ${pad % 2}`, extent: place.size, over: `${window}: 2` };
    }
  }
}
