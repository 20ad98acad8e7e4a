/** docs/ERRORS.md, made of the examples in this folder, what the compiler says of them, and explanations.ts. */
import { existsSync, readFileSync } from 'node:fs';
import { analyse, renderDiagnostics } from '../../../compiler/index.ts';
import type { Analysis, Source } from '../../../compiler/index.ts';
import { codes } from '../../../compiler/diagnostics/codes.ts';
import type { DiagnosticCode } from '../../../compiler/diagnostics/codes.ts';
import { explanations } from './explanations.ts';

export const documentPath = new URL('../../../docs/ERRORS.md', import.meta.url);

export const allCodes = Object.keys(codes) as DiagnosticCode[];

/** The example of a code, E101.dsl; undefined if no text leads to it. */
export const exampleOf = (code: DiagnosticCode): Source | undefined => sourceOf(`${code}.dsl`);

/** What the compiler says of an example. */
export const analyseExample = (example: Source): Analysis => analyse(example, { load: sourceOf });

function sourceOf(path: string): Source | undefined {
  const place = new URL(path, import.meta.url);
  return existsSync(place) ? { path, text: readFileSync(place, 'utf8') } : undefined;
}

const families: Readonly<Record<string, string>> = {
  E1: 'Syntax',
  E2: 'Names',
  E3: 'Sizes and shapes',
  E4: 'Indices and reads',
  E5: 'Training',
  E6: 'Gradients',
  W7: 'Warnings',
  E8: 'Checking a gradient',
};

const introduction = `# Errors and warnings

Everything that the compiler can report, each with a small file that causes it and what is printed. An error (\`E\`)
means that nothing is written; a warning (\`W\`) does not hinder anything. One run reports all the mistakes that it finds.

A message has a code, one sentence, the place (\`file:line:column\`), perhaps further places that explain it (\`note\`), and
mostly a \`hint\`, which says what to do. With \`--json\` the same comes as data. The language itself is described in
[LANGUAGE.md](LANGUAGE.md).

<!-- Made by \`npm run docs\` from test/diagnostics/codes: do not edit. -->
`;

/** The whole document. */
export function renderErrors(): string {
  const parts = [introduction];
  let family = '';
  for (const code of allCodes) {
    const own = code.slice(0, 2);
    if (own !== family) parts.push(`## ${families[own] ?? own}\n`);
    family = own;
    parts.push(renderSection(code));
  }
  return parts.join('\n');
}

/** The section of one code. */
export function renderSection(code: DiagnosticCode): string {
  const { meaning, mend, withoutExample } = explanations[code];
  const example = exampleOf(code);
  const shown =
    example === undefined
      ? `${withoutExample ?? ''}\n`
      : `${fence('', example.text)}\n${fence('text', messageOf(example))}`;
  return `### ${code}: ${codes[code]}\n\n${wrap(meaning)}\n\n${shown}\n${wrap(`**What to do.** ${mend}`)}\n`;
}

/** All that is printed for an example, without color. */
export function messageOf(example: Source): string {
  return renderDiagnostics(analyseExample(example).diagnostics, { color: false });
}

const widestLine = 110;

const wrap = (text: string): string => text.replaceAll(/(.{1,110})(?: |$)/g, '$1\n').trimEnd();

/** A block of code; lines that would need scrolling are cut. */
function fence(language: string, text: string): string {
  const lines = text.trimEnd().split('\n');
  const cut = lines.map((line) => (line.length > widestLine ? `${line.slice(0, widestLine)}…` : line));
  return `\`\`\`${language}\n${cut.join('\n')}\n\`\`\`\n`;
}
