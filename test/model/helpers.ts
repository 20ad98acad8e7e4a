/** What the tests of elaboration share: from a text to models, printed statements, and errors with their places. */
import { expect } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { positionAt } from '../../compiler/diagnostics/source.ts';
import type { Span } from '../../compiler/diagnostics/source.ts';
import { printStatement } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import type { Source } from '../../compiler/diagnostics/source.ts';
import { loadImports } from '../../compiler/imports.ts';
import { elaborate } from '../../compiler/model/index.ts';
import type { Model } from '../../compiler/model/types.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { parse } from '../../compiler/syntax/index.ts';

const prelude = preludeSources().map((source) => parse(source, new Diagnostics()));

export function elaborateText(
  text: string,
  imported: Readonly<Record<string, string>> = {},
): { models: readonly Model[]; list: readonly Diagnostic[] } {
  const diagnostics = new Diagnostics();
  const file = parse({ path: 'test.dsl', text }, diagnostics);
  const load = (path: string): Source | undefined => {
    const content = imported[path];
    return content === undefined ? undefined : { path, text: content };
  };
  const imports = loadImports(file, load, diagnostics);
  const models = elaborate(file, { imports, prelude }, diagnostics);
  return { models, list: diagnostics.list };
}

/** The model of a text without errors, its program checked. */
export function modelOf(text: string, imported: Readonly<Record<string, string>> = {}): Model {
  const { models, list } = elaborateText(text, imported);
  expect(list.filter(({ severity }) => severity === 'error').map(describeDiagnostic)).toEqual([]);
  const [model] = models;
  if (model === undefined) throw new Error('no model');
  expect(validate(model.program)).toEqual([]);
  return model;
}

/** The program of the body of a model, all of whose statements are kept alive by an output of the last. */
export function programOf(body: string, around = ''): Program {
  return modelOf(`${around}\nmodel M {\n${body}\n}`).program;
}

/** One line a statement: `h[n, j] = relu(h_sum[n, j] + b1[j])`. */
export function lines(program: Program): string[] {
  return program.statements.map((statement) => printStatement(statement, program));
}

export const statementsOf = (body: string, around = ''): string[] => lines(programOf(body, around));

/** `E301 'i' message`, with the text that is underlined. */
export function describeDiagnostic({ code, span, message }: Diagnostic): string {
  return `${code} '${textOf(span)}' ${message}`;
}

export function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end);
}

export function lineOf(span: Span): number {
  return positionAt(span.source, span.start).line;
}

/** The diagnostics of the body of a model. */
export function diagnose(body: string, around = ''): readonly Diagnostic[] {
  return elaborateText(`${around}\nmodel M {\n${body}\n}`).list;
}

/** The only error that the body of a model has. */
export function errorOf(body: string, around = ''): Diagnostic {
  const errors = diagnose(body, around).filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code }) => code)).toHaveLength(1);
  const [error] = errors;
  if (error === undefined) throw new Error('no error');
  return error;
}
