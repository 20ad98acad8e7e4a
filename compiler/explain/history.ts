/**
 * @file What became of every statement: the programs after each pass, laid beside one another. A statement is followed by
 * the name of its target; where that is gone, by those who read it.
 */
import { tensorsReadBy } from '../graph/expressions.ts';
import { expandProgram } from '../graph/own-functions.ts';
import { printStatement } from '../graph/print.ts';
import type { Program, Statement } from '../graph/types.ts';
import type { Stage } from '../index.ts';
import { isChangeName, type ChangeName } from './passes.ts';

/** A pass changed a statement, made it needless, or moved it elsewhere. */
export interface Event {
  readonly pass: ChangeName;
  /** Absent where there is none of this target any more. */
  readonly after?: Statement;
  /** What it read before and that is gone now: it moved in here. */
  readonly taken: readonly string[];
  /** What it reads now and did not before. */
  readonly met: readonly string[];
  /** Of a statement that is gone: those in which it goes on. */
  readonly into: readonly string[];
}

export class History {
  readonly first = new Map<string, Statement>();
  private readonly events = new Map<string, Event[]>();
  private readonly last: ReadonlyMap<string, Statement>;

  constructor(stages: readonly Stage[]) {
    let before: ReadonlyMap<string, Statement> = new Map();
    for (const { pass, program } of stages) {
      const after = byTarget(program);
      for (const [target, statement] of after) if (!this.first.has(target)) this.first.set(target, statement);
      if (isChangeName(pass)) this.compare(pass, before, after);
      before = after;
      // before anything else is done to what will not be differentiated (any more)
      const isDifferentiated =
        pass === 'differentiate' || (pass === 'elaborate' && program.loss === undefined);
      if (!isDifferentiated) continue;
      before = byTarget(expandProgram(program));
      this.compare('expand', after, before);
    }
    this.last = before;
  }

  /** In the order of the passes; passes that follow one another under one name count as one. */
  of(target: string): readonly Event[] {
    return this.events.get(target) ?? [];
  }

  /** The statement as it is scheduled. */
  lastOf(target: string): Statement | undefined {
    return this.last.get(target);
  }

  /** The scheduled statements in which this one goes on; itself, if it is one. */
  endsIn(target: string): readonly string[] {
    const found = new Set<string>();
    const seen = new Set([target]);
    for (const name of seen) {
      if (this.last.has(name)) found.add(name);
      else for (const next of this.of(name).at(-1)?.into ?? []) seen.add(next);
    }
    return [...found];
  }

  private compare(
    pass: ChangeName,
    before: ReadonlyMap<string, Statement>,
    after: ReadonlyMap<string, Statement>,
  ): void {
    const isGone = (name: string): boolean => before.has(name) && !after.has(name);
    const readers = readersOf(before);
    for (const [target, old] of before) {
      const next = after.get(target);
      if (next === old || (next !== undefined && textOf(next) === textOf(old))) continue;
      if (next === undefined) {
        this.add(target, {
          pass,
          taken: [],
          met: [],
          into: this.heirs(pass, target, readers, before, after),
        });
        continue;
      }
      if (isReordered(textOf(old), textOf(next))) continue;
      const was = tensorsReadBy(old);
      const is = tensorsReadBy(next);
      this.add(target, {
        pass,
        after: next,
        taken: [...was].filter((name) => !is.has(name) && isGone(name)),
        met: [...is].filter((name) => !was.has(name)),
        into: [],
      });
    }
  }

  /** Of a statement that is gone: who has what it computed. */
  private heirs(
    pass: ChangeName,
    target: string,
    readers: ReadonlyMap<string, readonly string[]>,
    before: ReadonlyMap<string, Statement>,
    after: ReadonlyMap<string, Statement>,
  ): string[] {
    if (pass === 'dead') return [];
    const own = readers.get(target) ?? [];
    if (pass !== 'share') return [...own];
    // what its readers read in its place
    const twins = own.flatMap((reader) => {
      const [was, is] = [before.get(reader), after.get(reader)];
      if (was === undefined || is === undefined) return [];
      const known = tensorsReadBy(was);
      return [...tensorsReadBy(is)].filter((name) => !known.has(name) && after.has(name));
    });
    return twins.length > 0 ? [...new Set(twins)] : [...own];
  }

  private add(target: string, event: Event): void {
    const known = this.events.get(target) ?? [];
    const previous = known.at(-1);
    const joined: Event =
      previous?.pass === event.pass
        ? {
            ...event,
            taken: [...new Set([...previous.taken, ...event.taken])],
            met: [...new Set([...previous.met, ...event.met])],
          }
        : event;
    this.events.set(target, [...(previous?.pass === event.pass ? known.slice(0, -1) : known), joined]);
  }
}

/** Are it the same words in another order: a + b for b + a? That is no news. */
function isReordered(before: string, after: string): boolean {
  const sorted = (text: string): string =>
    text
      .split(/\b/)
      .map((word) => word.trim())
      .toSorted()
      .join(' ');
  return before.length === after.length && sorted(before) === sorted(after);
}

function byTarget({ statements }: Program): Map<string, Statement> {
  return new Map(statements.map((statement) => [statement.target, statement]));
}

function readersOf(statements: ReadonlyMap<string, Statement>): Map<string, string[]> {
  const readers = new Map<string, string[]>();
  for (const [target, statement] of statements)
    for (const name of tensorsReadBy(statement)) readers.set(name, [...(readers.get(name) ?? []), target]);
  return readers;
}

const texts = new WeakMap<Statement, string>();

function textOf(statement: Statement): string {
  const known = texts.get(statement) ?? printStatement(statement);
  texts.set(statement, known);
  return known;
}
