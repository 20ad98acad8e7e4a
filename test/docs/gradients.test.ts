import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { analyse } from '../../compiler/index.ts';
import { randomTensors } from '../property/programs.ts';
import { documentPath, gradientOf, renderGallery, sourceOf } from './gallery/render.ts';
import { exhibits } from './gallery/words.ts';

const page = readFileSync(documentPath, 'utf8');

describe('docs/GRADIENTS.md (made by `npm run docs`)', () => {
  it('is fresh', async () => {
    expect(page).toBe(await renderGallery());
  });

  it('shows every model of docs/gallery', () => {
    const files = readdirSync(new URL('../../docs/gallery', import.meta.url));
    expect(files.toSorted()).toEqual(exhibits.map(({ name }) => `${name}.dsl`).toSorted());
  });

  it.each(exhibits)('$name: model and gradient compile without a word', (exhibit) => {
    for (const source of [sourceOf(exhibit), { path: 'gradient.dsl', text: gradientOf(exhibit) }])
      expect(analyse(source).diagnostics).toEqual([]);
  });

  it.each(exhibits)('$name: the gradient that is shown is that of differences of the loss', (exhibit) => {
    const [model] = analyse({ path: 'gradient.dsl', text: gradientOf(exhibit) }).models;
    const { program } = model!.model;
    const extents = { n: 3 };
    const tensors = randomTensors(program, 1, extents);
    const values = interpret(program, { tensors, extents });
    const lossWith = (name: string, place: number, step: number): number => {
      const moved = Float64Array.from(tensors[name]!, (value, k) => (k === place ? value + step : value));
      return interpret(program, { tensors: { ...tensors, [name]: moved }, extents }).get('loss')![0]!;
    };
    for (const { name, role } of program.tensors.values()) {
      if (role !== 'parameter') continue;
      const gradient = values.get(`d${name}`)!;
      const step = 1e-5;
      for (const [place, value] of gradient.entries()) {
        const slope = (lossWith(name, place, step) - lossWith(name, place, -step)) / (2 * step);
        expect(value, `d${name}[${place}]`).toBeCloseTo(slope, 7);
      }
    }
  });
});
