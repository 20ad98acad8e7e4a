/**
 * What depth costs: the compiler's time, the memory and the code of causal transformers of 2, 4, 8 and 16 blocks, and
 * of one as large as GPT-2 small. Each compiles in a process of its own, from a cold start. Beside the time on the clock
 * stands the processor's, which other work on the machine disturbs less.
 *
 *     node --import tsx bench/depth.ts           the table
 *     node --import tsx bench/depth.ts BLOCKS    one compilation, its figures as JSON
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile } from '../compiler/index.ts';
import { transformer } from '../test/support/deep.ts';

const shape = { width: 768, heads: 12, steps: 1024, words: 50_257 };
const depths = [2, 4, 8, 16];

/** As long as GPT-2 small, with the limits that it must keep. */
const reference = { blocks: 12, seconds: 10, megabytes: 1500 };

interface Figures {
  readonly blocks: number;
  readonly wall: number;
  readonly processor: number;
  readonly megabytes: number;
  readonly kilobytes: number;
  readonly functions: number;
}

async function measure(blocks: number): Promise<Figures> {
  const { modules } = await compile({ path: 'gpt.dsl', text: transformer({ ...shape, blocks }) });
  const text = modules[0]?.text;
  if (text === undefined) throw new Error('the model does not compile');
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    blocks,
    wall: performance.now() / 1000,
    processor: (userCPUTime + systemCPUTime) / 1e6,
    megabytes: maxRSS / 1024,
    kilobytes: text.length / 1000,
    functions: text.match(/^export function (?!create)/gm)?.length ?? 0,
  };
}

function inOwnProcess(blocks: number): Figures {
  const file = fileURLToPath(import.meta.url);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, file, String(blocks)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Figures;
}

/** The growth of each doubling, per block, beside that of the first: 1 is linear, 2 would be quadratic. */
function growth(rows: readonly Figures[], of: (row: Figures) => number): string {
  const perBlock = rows.slice(1).map((row, k) => (of(row) - of(rows[k]!)) / (row.blocks - rows[k]!.blocks));
  return perBlock.map((each) => (each / perBlock[0]!).toFixed(2)).join('  ');
}

/** The table on standard output. */
export function printDepths(): void {
  console.log(`\ncompiling a transformer, ${shape.width} wide, ${shape.heads} heads, from a cold start`);
  console.log('blocks   seconds   of the processor   peak MB   code KB   operations');
  const row = (figures: Figures): void => {
    const { blocks, wall, processor, megabytes, kilobytes, functions } = figures;
    const cells = [
      [blocks, 6, 0],
      [wall, 10, 2],
      [processor, 19, 2],
      [megabytes, 10, 0],
      [kilobytes, 10, 0],
      [functions, 13, 0],
    ] as const;
    console.log(cells.map(([value, width, digits]) => value.toFixed(digits).padStart(width)).join(''));
  };
  const rows = depths.map((blocks) => {
    const figures = inOwnProcess(blocks);
    row(figures);
    return figures;
  });
  console.log(`time a further block    ${growth(rows, ({ processor }) => processor)}   (1: linear in depth)`);
  console.log(`code a further block    ${growth(rows, ({ kilobytes }) => kilobytes)}`);
  const figures = inOwnProcess(reference.blocks);
  row(figures);
  const { processor, megabytes } = figures;
  const isWithin = processor < reference.seconds && megabytes < reference.megabytes;
  console.log(
    `${reference.blocks} blocks in ${processor.toFixed(1)} s of the processor and ${megabytes.toFixed(0)} MB: ` +
      `${isWithin ? 'within' : 'NOT WITHIN'} ${reference.seconds} s and ${reference.megabytes} MB`,
  );
}

const [, script, blocks] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  if (blocks === undefined) printDepths();
  else console.log(JSON.stringify(await measure(Number(blocks))));
}
