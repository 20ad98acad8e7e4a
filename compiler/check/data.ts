/** Data that a user gives for a check, held against the inputs of the model: every mistake with its own place. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { closest } from '../diagnostics/suggest.ts';
import type { Program } from '../graph/types.ts';
import { DataError } from '../../runtime/errors.ts';
import { checkData, sizeOf } from '../../runtime/ports.ts';
import type { Port } from '../../runtime/types.ts';
import type { GivenData } from './types.ts';

/**
 * Reported (E803): an input that is missing, of a wrong size or shape, with values that are not finite or out of its range; arrays that are
 * no input; numbers of rows that disagree.
 * @returns the number of rows; undefined where something was reported
 */
export function checkGiven(
  ports: readonly Port[],
  data: GivenData,
  program: Program,
  diagnostics: Diagnostics,
): number | undefined {
  const before = diagnostics.list.length;
  const spanOf = (name: string): Span => {
    const tensor = program.tensors.get(name) ?? [...program.tensors.values()][0];
    if (tensor === undefined) throw new Error(`model ${program.name} has no tensor`);
    return tensor.span;
  };
  const report = (name: string, what: string, hint?: string): void =>
    diagnostics.error('E803', spanOf(name), `${data.name}: ${what}`, hint === undefined ? {} : { hint });
  const rowsOf = new Map<string, number>();
  for (const port of ports) {
    const values = data.arrays[port.name];
    if (values === undefined) {
      if (port.default === undefined) report(port.name, `input '${port.name}' is missing`, expected(port));
      continue;
    }
    const shape = data.shapes?.[port.name];
    if (shape !== undefined && 'ragged' in shape) {
      report(port.name, shape.ragged, expected(port));
      continue;
    }
    try {
      checkData([port], { [port.name]: values });
      if (shape !== undefined && !fits(port, shape))
        report(port.name, `input '${port.name}' has the shape [${shape.join(', ')}]`, expected(port));
      if (port.batched) rowsOf.set(port.name, values.length / sizeOf(port));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      report(port.name, error.message);
    }
  }
  const names = ports.map(({ name }) => name);
  for (const name of Object.keys(data.arrays)) {
    if (names.includes(name)) continue;
    const near = closest(name, names);
    const hint = near === undefined ? `the inputs are ${names.join(', ')}` : `did you mean '${near}'?`;
    report(near ?? names[0] ?? '', `there is no input '${name}'`, hint);
  }
  const [first, ...others] = rowsOf;
  for (const [name, rows] of others)
    if (first !== undefined && rows !== first[1])
      report(name, `input '${name}' has ${rows} rows, but input '${first[0]}' has ${first[1]}`);
  if (first === undefined && ports.some(({ batched }) => batched) && diagnostics.list.length === before)
    report(ports[0]?.name ?? '', 'nothing says how many rows there are');
  return diagnostics.list.length > before ? undefined : (first?.[1] ?? 1);
}

/** Whether an array of this shape, whose length fits, is laid out as the input: flat, row by row, or with all axes. */
function fits(port: Port, shape: readonly number[]): boolean {
  const length = shape.reduce((size, axis) => size * axis, 1);
  const own = port.batched ? [length / sizeOf(port)] : [];
  const long = (axes: readonly number[]): string => axes.filter((axis) => axis !== 1).join();
  const layouts = [
    [...own, sizeOf(port)],
    [...own, ...port.shape],
  ];
  if (shape.length <= 1) return true;
  if (port.batched && shape[0] !== own[0]) return false;
  return layouts.some((axes) => long(axes) === long(shape));
}

function expected({ name, shape, batched }: Port): string {
  const axes = [...(batched ? ['rows'] : []), ...shape].join(', ');
  return `give an array named ${name} with the shape [${axes}]`;
}
