import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../compiler/index.ts';
import type { DiagnosticCode } from '../../compiler/diagnostics/codes.ts';
import { explanations } from './codes/explanations.ts';
import {
  allCodes,
  analyseExample,
  documentPath,
  exampleOf,
  renderErrors,
  renderSection,
} from './codes/render.ts';

const document = readFileSync(documentPath, 'utf8');
const sections = document.split(/^(?=##)/m);
const examples = allCodes.flatMap((code) => {
  const source = exampleOf(code);
  return source === undefined ? [] : [{ code, source }];
});

/** Messages that say it all: an unclosed bracket or string, the values that a number may have. */
const selfEvident: ReadonlySet<DiagnosticCode> = new Set(['E103', 'E105', 'E501'] as const);

describe('every code', () => {
  it.each(allCodes)('%s has an example, or a reason why no text leads to it', (code) => {
    expect(exampleOf(code) === undefined).toBe(explanations[code].withoutExample !== undefined);
  });

  it.each(examples)('$code is the first thing that its example is told', ({ code, source }) => {
    const [first] = toJson(analyseExample(source).diagnostics);
    expect(first?.code).toBe(code);
    expect(first?.severity).toBe(code.startsWith('W') ? 'warning' : 'error');
  });

  it.each(examples)('$code says what to do, or shows a second place', ({ code, source }) => {
    const [first] = toJson(analyseExample(source).diagnostics);
    const helps = first?.hint !== undefined || (first?.notes.length ?? 0) > 0;
    expect(helps || selfEvident.has(code)).toBe(true);
  });

  it.each(examples)('$code stops the compiler only if it is an error', ({ code, source }) => {
    expect(analyseExample(source).models.length > 0).toBe(code.startsWith('W'));
  });
});

describe('docs/ERRORS.md (made by `npm run docs`)', () => {
  it.each(allCodes)('shows %s as it is printed', (code) => {
    const section = sections.find((text) => text.startsWith(`### ${code}:`));
    expect(section?.trimEnd()).toBe(renderSection(code).trimEnd());
  });

  it('is fresh', () => {
    expect(document).toBe(renderErrors());
  });
});
