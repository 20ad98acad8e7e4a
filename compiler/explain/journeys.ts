/** @file The way of a statement through the passes, in formulas and words. */
import type { LatexPrinter } from '../emit/latex.ts';
import type { Statement } from '../graph/types.ts';
import type { Event, History } from './history.ts';
import { passWords } from './passes.ts';
import type { Change, Journey } from './types.ts';

export class Journeys {
  private readonly history: History;
  private readonly latex: LatexPrinter;
  private readonly texts = new Map<Statement, string>();

  private readonly codeNames: ReadonlyMap<string, string>;

  constructor(history: History, latex: LatexPrinter, codeNames: ReadonlyMap<string, string>) {
    this.codeNames = codeNames;
    this.history = history;
    this.latex = latex;
  }

  /** @throws Error where no program has such a statement */
  of(target: string): Journey {
    const first = this.history.first.get(target);
    if (first === undefined) throw new Error(`no statement computes ${target}`);
    const last = this.history.lastOf(target);
    const codeName = this.codeNames.get(target) ?? target;
    return {
      first: this.formula(first),
      changes: this.history.of(target).map((event) => this.change(event)),
      ...(last === undefined ? {} : { last: this.formula(last) }),
      ...(codeName === target ? {} : { codeName }),
      into: last === undefined ? this.history.endsIn(target) : [],
    };
  }

  formula(statement: Statement): string {
    const known = this.texts.get(statement) ?? this.latex.statement(statement);
    this.texts.set(statement, known);
    return known;
  }

  private change({ pass, after, taken, met, into }: Event): Change {
    const { title, why, taken: takes, gone } = passWords[pass];
    const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
    const moved = [
      ...(taken.length > 0 ? [`${takes} ${list(taken)}.`] : []),
      ...(pass === 'share' && met.length > 0 ? [`It reads ${list(met)}.`] : []),
    ];
    const detail =
      after === undefined ? `${gone}${into.length > 0 ? ` ${list(into)}.` : ''}` : moved.join(' ');
    return {
      pass,
      title,
      why: after === undefined ? '' : why,
      detail,
      ...(after === undefined ? {} : { after: this.formula(after) }),
    };
  }
}
