/**
 * How long the compiler takes on digits.dsl, and how long a training step takes beside the same step written by hand with
 * plain loops. Samples of the two are interleaved; the figures are medians.
 */
import { createProgram as createDigits } from '../generated/digits.ts';
import { createProgram as createSmall } from '../generated/digits-small.ts';
import { createProgram as createXor } from '../generated/xor.ts';
import type { CompiledProgram } from '../runtime/index.ts';
import { printCompileTime } from './compile-time.ts';
import { median } from './measure.ts';
import { NaivePerceptron } from './naive.ts';

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Median milliseconds of each kind of work, sampled in turns for about two seconds after a warm-up. */
function interleaved(works: readonly (() => void)[]): number[] {
  const repeats = works.map((work) => {
    for (let i = 0; i < 30; i++) work();
    return Math.max(1, Math.round(5 / milliseconds(work)));
  });
  const samples = works.map((): number[] => []);
  const end = performance.now() + 2000 * works.length;
  while (performance.now() < end) {
    works.forEach((work, k) => {
      const count = repeats[k]!;
      const time = milliseconds(() => {
        for (let i = 0; i < count; i++) work();
      });
      samples[k]!.push(time / count);
    });
  }
  return samples.map(median);
}

function fill(program: CompiledProgram): void {
  for (const values of Object.values(program.inputs)) {
    for (let i = 0; i < values.length; i++) {
      values[i] = values instanceof Int32Array ? i % 10 : Math.max(0, Math.sin(i));
    }
  }
  for (let i = 0; i < program.parameters.length; i++) program.parameters[i] = Math.sin(i) / 20;
}

function stepOf(program: CompiledProgram): () => void {
  fill(program);
  let step = 0;
  return () => {
    program.forward(program.batch, step, 0);
    program.backward(program.batch);
    program.update(step++, 1);
  };
}

/** The figures on standard output. */
export async function printCompiling(): Promise<void> {
  await printCompileTime();

  const networks = [
    { name: 'digits-small  784-10-10  batch 32', program: createSmall(32), sizes: [784, 10, 10] },
    { name: 'digits       784-128-10  batch 64', program: createDigits(64), sizes: [784, 128, 10] },
  ];
  for (const { name, program, sizes } of networks) {
    const naive = new NaivePerceptron(sizes);
    const step = stepOf(program);
    const x = program.inputs['x'] as Float32Array;
    const label = program.inputs['label'] as Int32Array;
    const [ours = NaN, theirs = NaN] = interleaved([step, () => void naive.step(x, label, program.batch)]);
    console.log(
      `${name}   ${ours.toFixed(3)} ms a step   by hand, plain loops ${theirs.toFixed(3)} ms   ratio ${(theirs / ours).toFixed(1)}`,
    );
  }
  const [xor = NaN] = interleaved([stepOf(createXor(4))]);
  console.log(`xor                2-3-1  batch  4   ${(xor * 1000).toFixed(2)} µs a step`);
}
