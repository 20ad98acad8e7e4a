/**
 * What `checkpoint` costs and saves: a transformer of 16 blocks with every block kept, and with every block computed again
 * in the backward pass. Bytes of intermediates for the batch, what is alive at one moment, and the time of forward and
 * backward pass, in turns.
 *
 *     npm run bench:checkpoint
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { analyse, compile, scheduleModel } from '../compiler/index.ts';
import { memoryOf } from '../compiler/schedule/memory.ts';
import type { MemoryReport } from '../compiler/schedule/memory.ts';
import type { CompiledProgram } from '../runtime/index.ts';
import { transformer } from '../test/support/deep.ts';

const batch = 4;
const shape = { blocks: 16, width: 64, heads: 4, steps: 64, words: 96 };
const repetitions = 7;

const plain = transformer(shape);
const variants = {
  kept: plain,
  checkpoint: plain.replace(/^ {2}(h[1-9]\d* = )/gm, '  checkpoint $1'),
} as const;

interface Variant {
  readonly name: string;
  readonly memory: MemoryReport;
  readonly program: CompiledProgram;
}

async function prepare(name: string, text: string): Promise<Variant> {
  const source = { path: `${name}.dsl`, text };
  const [model] = analyse(source).models;
  const { modules } = await compile(source, { runtime: '../../runtime/index.ts', format: false });
  if (model === undefined || modules[0] === undefined) throw new Error(`${name} does not compile`);
  const folder = fileURLToPath(new URL('out/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${name}.ts`;
  writeFileSync(file, modules[0].text);
  const { createProgram } = (await import(pathToFileURL(file).href)) as {
    createProgram: (rows: number, seed: number) => CompiledProgram;
  };
  const program = createProgram(batch, 1);
  program.parameters.forEach((_, place) => (program.parameters[place] = 0.1 * Math.sin(place)));
  for (const input of Object.values(program.inputs))
    input.forEach((_, place) => (input[place] = (7 * place) % shape.words));
  return { name, memory: memoryOf(scheduleModel(model, {}), batch), program };
}

/** Milliseconds of the processor for one forward and backward pass. */
function step({ program }: Variant): number {
  const start = process.cpuUsage();
  program.forward(batch, 1, 0);
  program.backward(batch);
  return process.cpuUsage(start).user / 1000;
}

/** The table on standard output. */
export async function printCheckpoints(): Promise<void> {
  const prepared: Variant[] = [];
  for (const [name, text] of Object.entries(variants)) prepared.push(await prepare(name, text));
  const times = prepared.map(() => Infinity);
  for (let turn = 0; turn < repetitions; turn++)
    for (const [place, variant] of prepared.entries())
      times[place] = Math.min(times[place] ?? Infinity, step(variant));
  const [first] = prepared;
  const alike = prepared.every(({ program }) =>
    program.gradients.every((value, place) => {
      const other = first?.program.gradients[place] ?? NaN;
      return Math.abs(value - other) <= 1e-4 * Math.max(1e-3, Math.abs(other));
    }),
  );
  console.log(
    `\na transformer of ${shape.blocks} blocks, ${shape.width} wide, batch ${batch}: checkpoints\n` +
      '              bytes        alive   ratio   of all kept   ms a step   times',
  );
  for (const [place, { name, memory }] of prepared.entries()) {
    const { bytes, least, ratio } = memory;
    const part = (bytes / (first?.memory.bytes ?? NaN)).toFixed(3);
    const time = times[place] ?? NaN;
    console.log(
      [
        name.padEnd(10),
        String(bytes).padStart(9),
        String(least).padStart(12),
        ratio.toFixed(3).padStart(7),
        part.padStart(13),
        time.toFixed(1).padStart(11),
        (time / (times[0] ?? NaN)).toFixed(2).padStart(7),
      ].join(' '),
    );
  }
  console.log(`gradients: ${alike ? 'the same' : 'NOT the same'}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await printCheckpoints();
