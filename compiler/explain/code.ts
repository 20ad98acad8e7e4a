/** @file The emitted functions: which compute a statement, and which of their lines are about it. */
import type { EmittedFunction } from '../emit/typescript/index.ts';
import { identifier } from '../emit/typescript/names.ts';
import type { LoopProgram } from '../schedule/types.ts';
import type { EmittedText, Excerpt } from './types.ts';

/** A function of more statements is shown by the lines that are about the one. */
const MOST_STATEMENTS = 2;

/** Longer ones are cut to what is about the statement, too. */
const MOST_LINES = 60;

export class EmittedCode {
  readonly texts: readonly EmittedText[];
  private readonly functions: readonly EmittedFunction[];
  private readonly linesOf: ReadonlyMap<string, readonly string[]>;
  private readonly buffers: LoopProgram['buffers'];
  private readonly forward: ReadonlySet<string>;
  private readonly backward: ReadonlySet<string>;

  /** @param formatted the text of each function, in their order */
  constructor(functions: readonly EmittedFunction[], formatted: readonly string[], loops: LoopProgram) {
    this.forward = new Set(loops.forward.map((step) => step.function));
    this.backward = new Set(loops.backward.map((step) => step.function));
    const isKernel = (each: EmittedFunction): boolean => each.function.computes.length === 0;
    const isRun = (each: EmittedFunction): boolean =>
      this.forward.has(each.function.name) || this.backward.has(each.function.name) || isKernel(each);
    this.functions = functions;
    this.buffers = loops.buffers;
    this.linesOf = new Map(functions.map(({ name }, k) => [name, (formatted[k] ?? '').split('\n')]));
    this.texts = functions.filter(isRun).map((each) => ({
      name: each.name,
      part: isKernel(each) ? 'kernel' : this.forward.has(each.function.name) ? 'forward' : 'backward',
      text: (this.linesOf.get(each.name) ?? []).join('\n'),
    }));
  }

  /** The functions that compute any of these statements, in a step's forward or backward pass. */
  excerpts(targets: readonly string[], part: 'forward' | 'backward'): Excerpt[] {
    const names = part === 'forward' ? this.forward : this.backward;
    const found: Excerpt[] = [];
    for (const { function: loop, name } of this.functions) {
      if (!names.has(loop.name)) continue;
      // a shared function calls its tensors by names of its own
      const own = loop.computes.flatMap(({ target }, k) => {
        const served = loop.uses?.flatMap((use) => use[k]?.tensor ?? []) ?? [target];
        return targets.some((each) => served.includes(each)) ? [target] : [];
      });
      if (own.length === 0) continue;
      const lines = this.linesOf.get(name) ?? [];
      const isWhole = loop.computes.length <= MOST_STATEMENTS && lines.length <= MOST_LINES;
      const computed = new Set(loop.computes.map(({ target }) => target));
      const has = (tensor: string): boolean =>
        this.buffers.has(tensor) || computed.has(tensor) || loop.tensors?.has(tensor) === true;
      const wanted: Wanted = { targets: own.map(identifier), tensors: { has } };
      found.push({ function: name, isWhole, lines: isWhole ? whole(lines, wanted) : cut(lines, wanted) });
    }
    return found;
  }
}

/** What the lines of a function are searched for. */
interface Wanted {
  /** As the code has them. */
  readonly targets: readonly string[];
  /** All tensors: `h_sum` is no part of `h`. */
  readonly tensors: { has(name: string): boolean };
}

const pattern = (targets: readonly string[]): string =>
  targets.map((target) => target.replaceAll('$', '\\$')).join('|');

/** Lines that store or bind one of the targets, or have a kernel do it; to the end of what they say. */
function linesAbout(lines: readonly string[], from: number, { targets, tensors }: Wanted): Set<number> {
  const names = pattern(targets);
  const part = '(?:_[a-z]{1,3}|_\\d+|_total|_value)*';
  const stores = new RegExp(`^\\s*(?:const |let )?((?:${names})(?!_at_)${part})(?:\\[.*\\]!?)? [-+*]?=`);
  const calls = new RegExp(`^\\s*(?:(?:${names})\\.fill\\(|\\w+\\((?:.*, )?(?:${names})[,)])`);
  const about = new Set<number>();
  for (let k = from; k < lines.length; k++) {
    const [, stored] = stores.exec(lines[k] ?? '') ?? [];
    const isOther = stored !== undefined && isAnother(stored, { targets, tensors });
    if (isOther || (stored === undefined && !calls.test(lines[k] ?? ''))) continue;
    about.add(k);
    while (k + 1 < lines.length && !/[;{}]$/.test(lines[k] ?? '')) about.add(++k);
  }
  return about;
}

/** `h_sum_0` is an element of `h_sum`, if there is one, and not of `h`. */
function isAnother(stored: string, { targets, tensors }: Wanted): boolean {
  const words = stored.split('_');
  const owners = words
    .map((_, k) => words.slice(0, k + 1).join('_'))
    .filter((name) => targets.includes(name) || tensors.has(name));
  return !targets.includes(owners.at(-1) ?? '');
}

function whole(lines: readonly string[], wanted: Wanted): Excerpt['lines'] {
  const about = linesAbout(lines, bodyOf(lines), wanted);
  return lines.map((text, k) => ({ text, isMarked: about.has(k) }));
}

/** The lines that are about the targets, and the braces around them; all, if none says that it is. */
function cut(lines: readonly string[], wanted: Wanted): Excerpt['lines'] {
  const head = headOf(lines);
  const body = bodyOf(lines) - 1;
  const own = linesAbout(lines, body + 1, wanted);
  if (own.size === 0) return whole(lines, wanted);
  const kept = new Set<number>([head, body, lines.length - 1]);
  const formula = new RegExp(`^//\\s+(?:${pattern(wanted.targets)})(?:\\[.*)? (?:[-+*]?=)`);
  for (let k = 0; k < head; k++) if (formula.test(lines[k] ?? '')) kept.add(k);
  for (const line of own) {
    kept.add(line);
    let depth = indentOf(lines[line] ?? '');
    for (let above = line - 1; above > body; above--) {
      const text = lines[above] ?? '';
      if (text.trim() === '' || indentOf(text) >= depth || !text.endsWith('{')) continue;
      kept.add(above);
      depth = indentOf(text);
    }
    depth = indentOf(lines[line] ?? '');
    for (let below = line + 1; below < lines.length; below++) {
      const text = lines[below] ?? '';
      if (text.trim() === '' || indentOf(text) >= depth || !text.trim().startsWith('}')) continue;
      kept.add(below);
      depth = indentOf(text);
    }
  }
  const shown = [...kept].filter((line) => line >= 0).toSorted((a, b) => a - b);
  return shown.flatMap((line, k) => {
    const text = lines[line] ?? '';
    const gap = k > 0 && line > (shown[k - 1] ?? 0) + 1;
    return [...(gap ? [undefined] : []), { text, isMarked: own.has(line) }];
  });
}

const headOf = (lines: readonly string[]): number =>
  lines.findIndex((line) => line.startsWith('export function'));

/** The first line behind the head of the function. */
function bodyOf(lines: readonly string[]): number {
  const head = headOf(lines);
  return 1 + lines.findIndex((line, k) => k >= head && line.endsWith('{'));
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
