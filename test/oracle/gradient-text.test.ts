/** The gradient of every reference program is a program: its text compiles by itself and computes the same numbers. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { emitGradient } from '../../compiler/emit/dsl.ts';
import { flopsOf } from '../../compiler/graph/flops.ts';
import { textbookGradient, type AnalysedModel } from '../../compiler/index.ts';
import { loadCases, type OracleCase } from './cases.ts';
import { Unsupported } from './programs/writer.ts';
import {
  differences,
  emittedResults,
  givenValues,
  modelsOf,
  namesOf,
  resultsOf,
  textsOf,
  type CaseText,
} from './read-back.ts';

const cases = loadCases(fileURLToPath(new URL('.', import.meta.url)));

interface Check {
  readonly of: OracleCase;
  readonly each: CaseText;
}

/** What the reference cases are checked with, by topic; a case that nothing can express has no program. */
const programs = new Map<string, Check[]>();
for (const of of cases) {
  const topic = `${of.family}/${of.topic}`;
  programs.set(topic, [...(programs.get(topic) ?? []), ...expressible(of).map((each) => ({ of, each }))]);
}

function expressible(of: OracleCase): CaseText[] {
  try {
    return textsOf(of);
  } catch (error) {
    if (error instanceof Unsupported) return [];
    throw error;
  }
}

/** A program of more operations than this is emitted: the interpreter would take seconds. */
const MOST_OPERATIONS = 400_000;

/** Texts that were checked, without the names that do not matter: cases differ in data and training alone. */
const checked = new Set<string>();

async function problemsOf(of: OracleCase, each: CaseText): Promise<string[]> {
  const [model] = modelsOf(each.text);
  if (model === undefined) return ['no model'];
  const text = emitGradient(textbookGradient(model));
  const key = text.replaceAll(/ *\/\/.*|^model \w+/gm, '');
  if (checked.has(key)) return [];
  checked.add(key);
  const [again] = modelsOf(text);
  if (again === undefined) return ['what is printed has no model'];
  return isHeavy(model, each.rows)
    ? emittedProblems(of, each, model, text)
    : interpretedProblems(of, each, model, again);
}

function isHeavy({ program }: AnalysedModel, rows: number): boolean {
  const operations = flopsOf(program.statements).reduce(
    (sum, count, power) => sum + count * rows ** power,
    0,
  );
  return operations > MOST_OPERATIONS;
}

function interpretedProblems(
  of: OracleCase,
  each: CaseText,
  { program }: AnalysedModel,
  again: AnalysedModel,
): string[] {
  const given = givenValues(of, each, program);
  const names = namesOf(program);
  const wanted = resultsOf(program, given, each.rows, names);
  return differences(wanted, resultsOf(again.model.program, given, each.rows, names));
}

async function emittedProblems(
  of: OracleCase,
  each: CaseText,
  { program }: AnalysedModel,
  text: string,
): Promise<string[]> {
  const given = givenValues(of, each, program);
  const wanted = await emittedResults(each.text, given, each.rows);
  const found = await emittedResults(text, given, each.rows);
  const gradients = [...program.gradients].map(
    ([parameter, gradient]) => [gradient, wanted.gradients.get(parameter) ?? []] as const,
  );
  return differences(new Map([...wanted.results, ...gradients]), found.results);
}

describe('the gradient of each reference program, as text', () => {
  const topics = [...programs].filter(([, checks]) => checks.length > 0);

  it('is there for each topic that the language can express', () => {
    expect(topics.length).toBeGreaterThanOrEqual(32);
    expect(topics.flatMap(([, checks]) => checks).length).toBeGreaterThan(400);
  });

  it.each(topics)('%s', async (_, checks) => {
    for (const { of, each } of checks) expect(await problemsOf(of, each), of.name).toEqual([]);
  });

  it('is a model with a gradient of its own', () => {
    for (const [, [check]] of topics) {
      const [model] = modelsOf(check!.each.text);
      const [again] = modelsOf(emitGradient(textbookGradient(model!)));
      const twice = emitGradient(textbookGradient(again!));
      expect(modelsOf(twice), twice).toHaveLength(1);
    }
  });

  it('is found out where a number in it is another', async () => {
    const of = cases.find(({ name }) => name === 'act_sigmoid')!;
    const [each] = textsOf(of);
    const [model] = modelsOf(each!.text);
    const text = emitGradient(textbookGradient(model!)).replace('1 - ', '1.0000000001 - ');
    expect(interpretedProblems(of, each!, model!, modelsOf(text)[0]!)).toHaveLength(1);
  });
});
