/** What the tests of the parser share: parsing from a text, trees without places, expressions as s-expressions. */
import { expect } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { positionAt } from '../../compiler/diagnostics/source.ts';
import { parse } from '../../compiler/syntax/index.ts';
import type {
  FnDefinition,
  ModelDefinition,
  ModelItem,
  SyntaxExpression,
  SyntaxFile,
  SyntaxItem,
} from '../../compiler/syntax/tree.ts';

export function parseText(text: string): { file: SyntaxFile; list: readonly Diagnostic[] } {
  const diagnostics = new Diagnostics();
  const file = parse({ path: 'test.dsl', text }, diagnostics);
  return { file, list: diagnostics.list };
}

/** Parses what must be free of mistakes. */
export function parseClean(text: string): readonly SyntaxItem[] {
  const { file, list } = parseText(text);
  expect(summary(list)).toEqual([]);
  return file.items;
}

/** `E102 3:14 message`, in the order of the text. */
export function summary(list: readonly Diagnostic[]): string[] {
  return list
    .toSorted((a, b) => a.span.start - b.span.start)
    .map(({ code, span, message }) => {
      const { line, column } = positionAt(span.source, span.start);
      return `${code} ${line}:${column} ${message}`;
    });
}

export const errorsOf = (text: string): string[] => summary(parseText(text).list);

/** The only diagnostic, as a summary and its hint. */
export function theError(text: string): { error: string; hint: string | undefined } {
  const { list } = parseText(text);
  expect(list.length, summary(list).join('\n')).toBe(1);
  return { error: summary(list)[0] ?? '', hint: list[0]?.hint };
}

/** The error in one statement of a model. */
export const statementError = (statement: string) => theError(`model M {\n${statement}\n}`);

export function expression(text: string): SyntaxExpression {
  const [item] = parseClean(`fn test() = ${text}`);
  expect(item?.kind).toBe('fn');
  return (item as FnDefinition).value;
}

export function modelItems(body: string): readonly ModelItem[] {
  const [item, ...others] = parseClean(`model M {\n${body}\n}`);
  expect(item?.kind).toBe('model');
  expect(others).toEqual([]);
  return (item as ModelDefinition).items;
}

/** The tree as plain data without places, and numbers by their value. */
export function bare(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) =>
      key === 'span' || key === 'source'
        ? undefined
        : value === Infinity || value === -Infinity
          ? String(value)
          : value,
    ),
  ) as unknown;
}

/** An expression as an s-expression: `-x^2` is `(- (^ x 2))`. */
export function show(node: SyntaxExpression): string {
  switch (node.kind) {
    case 'number':
      return node.text;
    case 'string':
      return JSON.stringify(node.value);
    case 'list':
      return `(list${node.items.map((item) => ` ${show(item)}`).join('')})`;
    case 'reference':
      return node.name.text;
    case 'read': {
      const outside = node.outside === undefined ? '' : ` else ${node.outside.value}`;
      return `(read ${[node.tensor, ...node.indices].map(show).join(' ')}${outside})`;
    }
    case 'call': {
      const binders = node.binders === undefined ? '' : `[${node.binders.map(({ text }) => text).join(' ')}]`;
      const values = node.arguments.map(
        ({ name, value }) => ` ${name === undefined ? '' : `${name.text}=`}${show(value)}`,
      );
      return `(${node.callee.text}${binders}${values.join('')})`;
    }
    case 'unary':
      return `(${node.operator} ${show(node.operand)})`;
    case 'binary':
      return `(${node.operator} ${show(node.left)} ${show(node.right)})`;
    case 'conditional':
      return `(? ${[node.condition, node.then, node.otherwise].map(show).join(' ')})`;
    case 'error':
      return '<error>';
  }
}

/** Every object of a tree that has a kind or a span, with the text of its span. */
export function nodesOf(root: unknown): { node: Record<string, unknown>; text: string }[] {
  const found: { node: Record<string, unknown>; text: string }[] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const node = pending.pop();
    if (Array.isArray(node)) pending.push(...(node as unknown[]));
    else if (typeof node === 'object' && node !== null) {
      const record = node as Record<string, unknown>;
      const { span } = record as { span?: { source: { text: string }; start: number; end: number } };
      if (span !== undefined)
        found.push({ node: record, text: span.source.text.slice(span.start, span.end) });
      for (const [key, child] of Object.entries(record))
        if (key !== 'span' && key !== 'source') pending.push(child);
    }
  }
  return found;
}
