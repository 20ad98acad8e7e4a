/**
 * The loop program as text: what runs in which order, how and why, what it costs, and where everything lives. For people;
 * nothing reads it back. Each function is explained where it is first called.
 */
import { formulaOf } from '../graph/formula.ts';
import { flopsOf } from '../graph/flops.ts';
import { placesOfOrigins } from '../graph/origin.ts';
import { scanHeader } from '../graph/print.ts';
import type { Program } from '../graph/types.ts';
import { keepings, recomputedWhy } from '../rewrite/recompute.ts';
import { evaluateSize, integer, sum } from './integers.ts';
import { memoryOf } from './memory.ts';
import type {
  Buffer,
  IntegerExpression,
  LoopFunction,
  LoopProgram,
  LoopStatement,
  Size,
  Step,
} from './types.ts';
import { grouped, multiplyAdds, printPolynomial } from './work.ts';

const indent = '      ';

/** The integers of a kernel that are told: how many rows, columns, products for each, and lines of columns. */
const kernelSizes: ReadonlySet<string> = new Set(['m', 'n', 'k', 'lines']);

/** @param rows the number of rows for which bytes are given */
export function printSchedule(loops: LoopProgram, program: Program, rows: number): string {
  return new SchedulePrinter(loops, program, rows).print();
}

class SchedulePrinter {
  private readonly loops: LoopProgram;
  private readonly program: Program;
  private readonly extents: ReadonlyMap<string, number>;
  private readonly functions: ReadonlyMap<string, LoopFunction>;
  private readonly rows: number;
  private readonly explained = new Set<string>();

  constructor(loops: LoopProgram, program: Program, rows: number) {
    this.loops = loops;
    this.program = program;
    this.rows = rows;
    const symbols = [...loops.buffers.values()].flatMap(({ size }) => size.symbol ?? []);
    this.extents = new Map(symbols.map((symbol) => [symbol, rows]));
    this.functions = new Map(loops.functions.map((each) => [each.name, each]));
  }

  print(): string {
    const { loops } = this;
    const [[symbol, rows] = []] = this.extents;
    const at = symbol === undefined ? '' : `, bytes for ${symbol} = ${rows}`;
    const [training = [], evaluation = [], prediction = []] = loops.moments;
    const length = loops.forward.length;
    return [
      `Schedule of ${loops.name}: ${loops.dtype === 'f32' ? 'float32' : 'float64'}${at}.`,
      ...this.list('forward', loops.forward, training.slice(0, length)),
      ...this.list('backward', loops.backward, training.slice(length)),
      ...(loops.evaluate === undefined ? [] : this.list('evaluate', loops.evaluate, evaluation)),
      ...this.list('predict', loops.predict, prediction),
      ...this.kernels(),
      ...this.kept(),
      ...this.buffers(),
      '',
    ].join('\n');
  }

  private list(title: string, steps: readonly Step[], alive: readonly Size[]): string[] {
    if (steps.length === 0) return [];
    const work = printPolynomial(multiplyAdds(this.loops, steps), this.symbol);
    const drawn = title === 'backward' ? [] : this.loops.draws[title as keyof LoopProgram['draws']];
    return [
      '',
      `${title}: ${count(steps.length, 'step')}, ${work} multiply-adds`,
      ...(drawn.length === 0 ? [] : [`      draws ${drawn.join(', ')}`]),
      ...steps.flatMap((step, place) => this.step(step, place + 1, alive[place])),
    ];
  }

  /** @param alive the bytes of intermediates that are alive while it runs */
  private step(step: Step, place: number, alive: Size | undefined): string[] {
    const given = [...step.buffers, ...(step.numbers ?? [])].join(', ');
    const sizes = step.integers.length === 0 ? '' : `; ${step.integers.join(', ')}`;
    const bytes = alive === undefined ? '' : `  ${grouped(this.sizeOf(alive))} bytes alive`;
    const call = `${String(place).padStart(4)}  ${step.function}(${given}${sizes})${bytes}`;
    const found = this.functions.get(step.function);
    if (found === undefined || this.explained.has(step.function)) return [call];
    this.explained.add(step.function);
    return [call, ...this.explanation(found)];
  }

  /** The mathematics, how it is done and why, and what one call costs. */
  private explanation(each: LoopFunction): string[] {
    const around = { tensors: each.tensors ?? this.program.tensors };
    const scan = scanHeader(each.computes);
    const formulas = each.computes.flatMap((statement) => {
      const { lines, names } = formulaOf(statement, around);
      return [...lines, ...names.map((line) => `    ${line}`)];
    });
    const uses = (each.uses ?? [each.computes]).flatMap((use) => use.map(({ origin }) => origin));
    const places = placesOfOrigins(uses);
    const calls = kernelCalls(each.body).map((call) => this.callText(call));
    const work = this.work(each);
    return [
      ...(scan === '' ? [] : [scan]),
      ...formulas,
      `at ${places}`,
      ...(each.decision === undefined ? [] : [`${each.decision.form}: ${each.decision.why}`]),
      ...calls.map((call) => `calls ${call}`),
      `work: ${work}`,
    ].map((line) => `${indent}${line}`);
  }

  private work({ name, computes }: LoopFunction): string {
    const step: Step = { function: name, buffers: [], integers: [] };
    const products = multiplyAdds(this.loops, [step]);
    const operations = printPolynomial(new Map(flopsOf(computes).entries()), this.symbol);
    if ([...products.values()].every((value) => value === 0)) return `${operations} operations`;
    return `${operations} operations, ${printPolynomial(products, this.symbol)} of them multiply-adds`;
  }

  /** `contract(x, K, y; m = batch, n = 6, k = 25) for i < 28`: strides and places are in the emitted code. */
  private callText({ name, buffers, integers, around }: KernelCall): string {
    const parameters = this.functions.get(name)?.integers ?? [];
    const sizes = integers.flatMap((value, place) =>
      kernelSizes.has(parameters[place] ?? '') ? [`${parameters[place]} = ${value}`] : [],
    );
    const where = around.length === 0 ? '' : ` for ${around.join(', ')}`;
    return `${name}(${buffers.join(', ')}; ${sizes.join(', ')})${where}`;
  }

  /** What is said of the kernels that functions call. */
  private kernels(): string[] {
    const { functions } = this.loops;
    const called = new Set(
      functions.flatMap(({ body, computes }) =>
        computes.length === 0 ? [] : kernelCalls(body).map(({ name }) => name),
      ),
    );
    const kernels = functions.filter(({ name }) => called.has(name));
    if (kernels.length === 0) return [];
    return ['', 'kernels', ...kernels.map(({ name, documentation = '' }) => `  ${name}: ${documentation}`)];
  }

  /** What the forward pass leaves for the backward pass. */
  private kept(): string[] {
    const written = new Set(this.loops.forward.flatMap((step) => this.touched(step, 'written')));
    const read = new Set(this.loops.backward.flatMap((step) => this.touched(step, 'read')));
    const kept = [...written].filter((name) => read.has(name));
    if (this.loops.backward.length === 0) return [];
    const bytes = kept.reduce((all, name) => all + this.bytesOf(this.loops.buffers.get(name)), 0);
    const names = kept.length === 0 ? 'nothing' : kept.join(', ');
    const isKept = new Set(kept);
    const why = keepings(this.program).filter(({ tensor }) => isKept.has(tensor));
    return [
      '',
      `kept by forward for backward: ${names} (${grouped(bytes)} bytes)`,
      ...byReason(why.map(({ tensor, why: reason }) => [tensor, reason])),
      ...this.again(),
    ];
  }

  /** What the backward pass computes once more. */
  private again(): string[] {
    const repeated = this.program.statements.flatMap(({ target, checkpoint }): [string, string][] => {
      if (checkpoint?.again !== true) return [];
      const alone = target.startsWith(`${checkpoint.block}_again`);
      return [[target, alone ? recomputedWhy : `inside of the checkpoint \`${checkpoint.block}\``]];
    });
    return repeated.length === 0 ? [] : ['computed again in backward', ...byReason(repeated)];
  }

  private touched(step: Step, how: 'written' | 'read'): string[] {
    const { buffers = [] } = this.functions.get(step.function) ?? {};
    const isMeant = (access: string): boolean => (how === 'read' ? access !== 'write' : access !== 'read');
    return step.buffers.filter((_, place) => isMeant(buffers[place]?.access ?? 'read'));
  }

  private buffers(): string[] {
    const header = ['buffer', 'shape', 'pool', 'begins', 'bytes'];
    const rows = [...this.loops.buffers.values()].map((buffer) => [
      buffer.tensor,
      `[${buffer.axes.join(', ')}]`,
      buffer.pool,
      buffer.pool === 'input' ? '' : grouped(this.width(buffer) * this.sizeOf(buffer.offset)),
      grouped(this.bytesOf(buffer)),
    ]);
    const own = new Set(this.loops.buffers.keys());
    const inside = this.program.statements.flatMap(({ target }) => (own.has(target) ? [] : [target]));
    return [
      '',
      ...table([header, ...rows]),
      ...(inside.length === 0
        ? []
        : ['', ...wrapped(`without a buffer, inside one function: ${inside.join(', ')}`)]),
      '',
      ...this.pools(),
    ];
  }

  private pools(): string[] {
    const { pools, dtype } = this.loops;
    const real = dtype === 'f32' ? 4 : 8;
    const widths = {
      parameters: real,
      gradients: real,
      state: real,
      workspace: real,
      doubles: 8,
      integers: 4,
    };
    const lines = Object.entries(widths).flatMap(([pool, width]) => {
      const size = pools[pool as keyof typeof widths];
      const bytes = width * this.sizeOf(size);
      return bytes === 0 ? [] : [`${pool}: ${grouped(bytes)} bytes (${bytesText(size, width, this.symbol)})`];
    });
    const { bytes, least, ratio } = memoryOf(this.loops, this.rows);
    const most = `${ratio.toFixed(2)} times the ${grouped(least)} that are alive at one moment`;
    return [...lines, `intermediates: ${grouped(bytes)} bytes, ${most}`];
  }

  private get symbol(): string {
    return this.loops.batch ?? 'n';
  }

  private width({ element }: Buffer): number {
    if (element === 'integer') return 4;
    return element === 'double' || this.loops.dtype === 'f64' ? 8 : 4;
  }

  private sizeOf(size: Size): number {
    return evaluateSize(size, this.extents);
  }

  private bytesOf(buffer: Buffer | undefined): number {
    return buffer === undefined ? 0 : this.width(buffer) * this.sizeOf(buffer.size);
  }
}

function bytesText(
  { constant, coefficient = 0, quadratic = 0 }: Size,
  width: number,
  symbol: string,
): string {
  return printPolynomial(
    new Map([constant, coefficient, quadratic].map((part, power) => [power, part * width])),
    symbol,
  );
}

interface KernelCall {
  readonly name: string;
  readonly buffers: readonly string[];
  readonly integers: readonly string[];
  /** The loops around it, as `i < 28`. */
  readonly around: readonly string[];
}

/** Constants of a body: a reader wants to see what they are. */
type Known = ReadonlyMap<string, IntegerExpression>;

function kernelCalls(body: readonly LoopStatement[]): KernelCall[] {
  const known = new Map<string, IntegerExpression>();
  const found: KernelCall[] = [];
  const visit = (statements: readonly LoopStatement[], around: readonly string[]): void => {
    for (const statement of statements) {
      if (statement.kind === 'integer_constant') known.set(statement.name, statement.value);
      else if (statement.kind === 'for') visit(statement.body, [...around, rangeText(statement, known)]);
      else if (statement.kind === 'if') {
        visit(statement.then, around);
        visit(statement.otherwise, around);
      } else if (statement.kind === 'call') {
        const given = statement.arguments;
        found.push({
          name: statement.function,
          buffers: given.flatMap((each) => (each.kind === 'buffer' ? [each.buffer] : [])),
          integers: given.flatMap((each) =>
            each.kind === 'integer' ? [integerText(each.value, known)] : [],
          ),
          around,
        });
      }
    }
  };
  visit(body, []);
  return found;
}

function rangeText({ index, from, to, step }: Extract<LoopStatement, { kind: 'for' }>, known: Known): string {
  if (step < 0)
    return `${index} = ${integerText(from, known)} down to ${integerText(sum(to, integer(1)), known)}`;
  const begin = from.kind === 'integer' && from.value === 0 ? '' : `${integerText(from, known)} <= `;
  return `${begin}${index} < ${integerText(to, known)}`;
}

function integerText(expression: IntegerExpression, known: Known): string {
  const text = (part: IntegerExpression): string => integerText(part, known);
  const factor = (part: IntegerExpression): string => {
    const written = text(part);
    return /^\w+$|^(min|max)\([^()]*\)$/.test(written) ? written : `(${written})`;
  };
  switch (expression.kind) {
    case 'integer':
      return String(expression.value);
    case 'variable': {
      const value = known.get(expression.name);
      return value === undefined ? expression.name : text(value);
    }
    case 'sum':
      return expression.terms
        .map(text)
        .toSorted((a, b) => Number(a.startsWith('-')) - Number(b.startsWith('-')))
        .join(' + ')
        .replaceAll('+ -', '- ');
    case 'product':
      if (expression.right.kind === 'integer' && expression.right.value === -1)
        return `-${factor(expression.left)}`;
      return `${factor(expression.left)} * ${factor(expression.right)}`;
    case 'floor_divide':
      return `floor(${text(expression.of)} / ${expression.by})`;
    case 'modulo':
      return `mod(${text(expression.of)}, ${expression.by})`;
    case 'minimum':
    case 'maximum':
      return `${expression.kind.slice(0, 3)}(${text(expression.left)}, ${text(expression.right)})`;
    case 'load_integer':
      return `${expression.buffer}[${text(expression.offset)}]`;
  }
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** Columns padded to the widest cell, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const [first = []] = rows;
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column >= first.length - 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** Names with their reasons, a line for each reason. */
function byReason(pairs: readonly (readonly [string, string])[]): string[] {
  const names = new Map<string, string[]>();
  for (const [name, why] of pairs) {
    const list = names.get(why);
    if (list) list.push(name);
    else names.set(why, [name]);
  }
  return [...names].map(([why, list]) => `  ${list.join(', ')}: ${why}`);
}

/** Words in lines of at most 120 characters, all but the first indented. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > 120) {
      lines.push(line);
      line = ' ';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
