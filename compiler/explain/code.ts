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
        return targets.some((each) => served.includes(each) || each === target) ? [target] : [];
      });
      if (own.length === 0) continue;
      const lines = this.linesOf.get(name) ?? [];
      const isWhole = loop.computes.length <= MOST_STATEMENTS && lines.length <= MOST_LINES;
      found.push({ function: name, isWhole, lines: isWhole ? whole(lines, own) : cut(lines, own) });
    }
    return found;
  }
}

/** Lines that store or bind one of the targets, to the end of what they say. */
function linesAbout(lines: readonly string[], from: number, targets: readonly string[]): Set<number> {
  const names = targets.map((target) => identifier(target).replaceAll('$', '\\$')).join('|');
  const pattern = new RegExp(
    `^\\s*(?:const |let )?(?:${names})(?:_[a-z]{1,3}|_\\d+|_total|_value)*(?:\\[.*\\])? (?:[-+*]?=)`,
  );
  const about = new Set<number>();
  for (let k = from; k < lines.length; k++) {
    if (!pattern.test(lines[k] ?? '')) continue;
    about.add(k);
    while (k + 1 < lines.length && !/[;{}]$/.test(lines[k] ?? '')) about.add(++k);
  }
  return about;
}

function whole(lines: readonly string[], targets: readonly string[]): Excerpt['lines'] {
  const about = linesAbout(lines, 0, targets);
  return lines.map((text, k) => ({ text, isMarked: about.has(k) }));
}

/** The lines that are about the targets, and the braces around them; all, if none says that it is. */
function cut(lines: readonly string[], targets: readonly string[]): Excerpt['lines'] {
  const head = lines.findIndex((line) => line.startsWith('export function'));
  const body = lines.findIndex((line, k) => k >= head && line.endsWith('{'));
  const own = linesAbout(lines, body + 1, targets);
  if (own.size === 0) return whole(lines, targets);
  const kept = new Set<number>([head, body, lines.length - 1]);
  const names = targets.map((target) => identifier(target).replaceAll('$', '\\$')).join('|');
  const formula = new RegExp(`^//\\s+(?:${names})(?:\\[.*)? (?:[-+*]?=)`);
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

const indentOf = (line: string): number => line.length - line.trimStart().length;
