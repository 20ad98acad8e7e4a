/** A model as a table: what it computes in which shapes, with how many parameters, operations and bytes. */
import type { ModelDescription, Polynomial, PredictorDescription } from './types.ts';

/**
 * The table of a trainer or a predictor (`console.log(summary(trainer))`): a line for each tensor on the way to the
 * outputs, with its shape, the parameters that it is the first to read, and its operations on real numbers.
 * @param rows of the batch that bytes are given for; the model's own by default
 */
export function summary(
  { description }: { readonly description: ModelDescription | PredictorDescription },
  rows = 'batch' in description ? description.batch : description.training.batch,
): string {
  const { name, inputs, outputs, parameters, layers, work, dtype } = description;
  const bytes = dtype === 'f32' ? 4 : 8;
  const batched = [...inputs, ...outputs, ...layers].some((each) => each.batched);
  const shape = (of: { readonly shape: readonly number[]; readonly batched: boolean }): string =>
    `[${[...(of.batched ? ['n'] : []), ...of.shape].join(', ')}]`;
  const sizes = new Map(parameters.map((parameter) => [parameter.name, parameter.size]));
  const seen = new Set<string>();
  const table = [
    ['layer', 'shape', 'parameters', 'flops', 'reads'],
    ...inputs
      .filter(({ predicts }) => predicts === true)
      .map((input) => [input.name, shape(input), '', '', 'input']),
    ...layers.map((layer) => {
      const own = layer.parameters.filter((parameter) => !seen.has(parameter));
      for (const parameter of own) seen.add(parameter);
      const count = own.reduce((sum, parameter) => sum + sizes.get(parameter)!, 0);
      return [
        layer.name,
        shape(layer),
        count === 0 ? '' : grouped(count),
        inRows(layer.flops),
        layer.parameters.join(', '),
      ];
    }),
  ];
  const widths = table[0]!.map((_, k) => Math.max(...table.map((row) => row[k]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, k) => (k === 2 || k === 3 ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
      .join('  ')
      .trimEnd(),
  );
  const line = '-'.repeat(Math.max(...lines.map(({ length }) => length)));

  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const frozen = parameters.reduce(
    (sum, parameter) => sum + ('frozen' in parameter && parameter.frozen ? parameter.size : 0),
    0,
  );
  const forward = layers.reduce((sum, { flops }) => added(sum, flops), [] as Polynomial);
  const one = batched ? ' for n rows' : '';
  const states = description.states.reduce((sum, { size }) => sum + size, 0);
  return [
    name,
    line,
    lines[0],
    line,
    ...lines.slice(1),
    line,
    `parameters: ${grouped(total)}${frozen === 0 ? '' : `, ${grouped(frozen)} of them frozen`}, ${grouped(total * bytes)} bytes`,
    ...(states === 0 ? [] : [`states: ${grouped(states)} numbers`]),
    `flops${one}: ${inRows(forward)} to predict${work.backward === undefined ? '' : `, ${inRows(work.backward)} of a backward pass`}`,
    `inputs and intermediates: ${inRows(work.bytes)} bytes${one}${batched ? `, ${grouped(valueAt(work.bytes, rows))} for ${rows}` : ''}`,
  ].join('\n');
}

function added(left: Polynomial, right: Polynomial): Polynomial {
  const [long, short] = left.length >= right.length ? [left, right] : [right, left];
  return long.map((value, power) => value + (short[power] ?? 0));
}

function valueAt(polynomial: Polynomial, rows: number): number {
  return polynomial.reduceRight((sum, value) => sum * rows + value, 0);
}

/** `200,704 n + 16` */
function inRows(polynomial: Polynomial): string {
  const symbols = ['', ' n'];
  const terms = polynomial.flatMap((value, power) =>
    value === 0 ? [] : `${grouped(value)}${symbols[power] ?? ` n^${power}`}`,
  );
  return terms.toReversed().join(' + ') || '0';
}

/** 1234567 as `1,234,567`, the same on every machine. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
