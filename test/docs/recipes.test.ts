/** The recipes of docs/LANGUAGE.md give what their comments and names say. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { modelOf } from '../model/helpers.ts';
import { expectRightGradient, numbers } from '../prelude/support.ts';

const text = readFileSync(new URL('../../docs/LANGUAGE.md', import.meta.url), 'utf8');

/** The block of the page that defines a model. */
function blockOf(name: string): string {
  const blocks = [...text.matchAll(/^```dsl\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const found = blocks.find((block) => block.includes(`model ${name} {`));
  if (found === undefined) throw new Error(`there is no model ${name}`);
  return found;
}

const programOf = (name: string): Program => modelOf(blockOf(name)).program;

/** The outputs of a program for two rows. */
function outputsOf(name: string, tensors: Record<string, readonly number[]>): Record<string, number[]> {
  const values = interpret(programOf(name), { extents: { n: 2 }, tensors });
  return Object.fromEntries([...values].map(([tensor, value]) => [tensor, [...value]]));
}

const rows = [0, 1];
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('rearrangements', () => {
  const [x, y] = [numbers(48, 3), numbers(48, 4)];
  const outputs = outputsOf('Rearranged', { x, y });
  const at = (n: number, i: number, j: number): number => x[24 * n + 6 * i + j]!;
  const other = (n: number, i: number, j: number): number => y[24 * n + 6 * i + j]!;
  /** name -> its shape without the batch, and its elements */
  const wanted: Record<string, [number[], (n: number, a: number, b: number, c: number) => number]> = {
    transposed: [[6, 4, 1], (n, j, i) => at(n, i, j)],
    slice: [[2, 6, 1], (n, i, j) => at(n, i + 1, j)],
    every_other: [[4, 3, 1], (n, i, j) => at(n, i, 2 * j)],
    flipped: [[4, 6, 1], (n, i, j) => at(n, i, 5 - j)],
    rolled: [[4, 6, 1], (n, i, j) => at(n, i, (j + 5) % 6)],
    tiled: [[4, 12, 1], (n, i, j) => at(n, i, j % 6)],
    repeated: [[4, 12, 1], (n, i, j) => at(n, i, Math.floor(j / 2))],
    stacked: [[2, 4, 6], (n, s, i, j) => (s === 0 ? at(n, i, j) : other(n, i, j))],
    joined: [[8, 6, 1], (n, i, j) => (i < 4 ? at(n, i, j) : other(n, i - 4, j))],
    reshaped: [[8, 3, 1], (n, a, b) => x[24 * n + 3 * a + b]!],
    lower: [[4, 6, 1], (n, i, j) => (j <= i ? at(n, i, j) : 0)],
    diagonal: [[4, 1, 1], (n, i) => at(n, i, i)],
  };

  it.each(Object.keys(wanted))('%s', (name) => {
    const [[a = 1, b = 1, c = 1], element] = wanted[name]!;
    const values = rows.flatMap((n) =>
      range(a).flatMap((i) => range(b).flatMap((j) => range(c).map((k) => element(n, i, j, k)))),
    );
    expect(outputs[name]).toEqual(values);
  });

  it('are all there are', () => {
    const made = [...blockOf('Rearranged').matchAll(/output (\w+)/g)].map(([, name]) => name);
    expect(made).toEqual(Object.keys(wanted));
  });
});

it('picks by integers and conditions', () => {
  const x = numbers(12, 5);
  const at = [5, 0, 5, 2, 2, 1];
  const label = [3, 0];
  const outputs = outputsOf('Picked', { x, at, label });
  expect(outputs['gathered']).toEqual(at.map((place, i) => x[6 * Math.floor(i / 3) + place]));
  expect(outputs['one_hot']).toEqual(rows.flatMap((n) => range(6).map((k) => (label[n] === k ? 1 : 0))));
  expect(outputs['counts']).toEqual([1, 0, 0, 0, 0, 2, 0, 1, 2, 0, 0, 0]);
  expect(outputs['chosen']).toEqual(x.map((value) => Math.max(value, 0)));
});

it('sums up to each place', () => {
  const x = [1, 3, 2, 0, 5, 4, -1, -2, -1, 0, 0, 7];
  const outputs = outputsOf('Cumulative', { x });
  expect(outputs['total']).toEqual([1, 4, 6, 6, 11, 15, -1, -3, -4, -4, -4, 3]);
  expect(outputs['greatest']).toEqual([1, 3, 3, 3, 5, 5, -1, -1, -1, 0, 0, 7]);
  expect(outputs['remaining']).toEqual([15, 14, 11, 9, 9, 4, 3, 4, 6, 7, 7, 7]);
});

describe('sorting', () => {
  it('orders elements, equal ones as they stand', () => {
    const x = [1, 3, 2, 0, 5, 2, -1, -2, 7, 0, 0, 7];
    const outputs = outputsOf('Sorted', { x });
    expect(outputs['sorted']).toEqual([0, 1, 2, 2, 3, 5, -2, -1, 0, 0, 7, 7]);
    expect(outputs['order']).toEqual([3, 0, 2, 5, 1, 4, 1, 0, 3, 4, 2, 5]);
    expect(outputs['greatest_2']).toEqual([5, 3, 7, 7]);
    expect(outputs['median']).toEqual([2, 0]);
  });

  it('gives the gradient to the elements from which the values come', () => {
    const weighed = blockOf('Sorted')
      .replace('input x[n, 6]', 'param x[2, 6] ~ zeros\n  input w[2, 6]')
      .replace(/output median.*/, 'loss = sum[n, k](w[n, k] * sorted[n, k]^2)');
    expectRightGradient(modelOf(weighed).program);
  });
});

it('goes on beyond the border', () => {
  const outputs = outputsOf('Borders', { x: [1, 2, 3, 4, 1, 2, 3, 4] });
  for (const [name, values] of Object.entries({ nearest: 'edge', mirrored: 'reflect', around: 'circular' })) {
    const said = new RegExp(`else ${values} +// ([\\d ]+)`).exec(blockOf('Borders'))?.[1] ?? '';
    const wanted = said.trim().split(' ').map(Number);
    expect(outputs[name]).toEqual([...wanted, ...wanted]);
  }
});

it.each(['Siamese', 'Carried'])('the model %s has the gradient it should', (name) => {
  const fixed = blockOf(name).replaceAll(/\[n(?=[,\]])/g, (found, place: number, whole: string) =>
    /input \w+$/.test(whole.slice(0, place)) ? '[2' : found,
  );
  expectRightGradient(modelOf(fixed).program);
});
