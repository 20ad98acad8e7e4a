/**
 * @file Emitted text as prettier writes it. Prettier is loaded only here, and only when something is formatted. Sections of a
 * module are formatted once: who compiles again after a change waits for what has changed.
 */

/** The settings of this repository, so that committed output passes its own check. */
const settings = { printWidth: 110, singleQuote: true } as const;

/** A line between sections that are formatted together. */
const seam = '// ~~~ chainrule: the next section ~~~';

/** As many sections as a large model has; the oldest are forgotten first. */
const mostKept = 2000;

/** Sections as they were given, and as prettier writes them. */
const formatted = new Map<string, string>();

/** Formats TypeScript. `babel-ts` gives the same text as prettier's `typescript` parser in half the time. */
export async function formatTypeScript(text: string): Promise<string> {
  const [prettier, babel, estree] = await loadPrettier();
  return prettier.format(text, { ...settings, parser: 'babel-ts', plugins: [babel, estree.default] });
}

/** The import alone, so that its time can be told from that of the formatting. */
export function loadPrettier(): ReturnType<typeof importPrettier> {
  prettierParts ??= importPrettier();
  return prettierParts;
}

let prettierParts: ReturnType<typeof importPrettier> | undefined;

function importPrettier() {
  return Promise.all([
    import('prettier/standalone'),
    import('prettier/plugins/babel'),
    import('prettier/plugins/estree'),
  ]);
}

/** Sections that stand for themselves, one by one. */
export async function formatSections(sections: readonly string[]): Promise<string[]> {
  const known = new Map(sections.map((section) => [section, formatted.get(section)]));
  const fresh = [...known].flatMap(([section, text]) => (text === undefined ? [section] : []));
  if (fresh.length > 0) {
    const text = await formatTypeScript(fresh.join(`\n\n${seam}\n\n`));
    const parts = text.split(`${seam}\n`).map((part) => part.trim());
    if (parts.length !== fresh.length) throw new Error('the seams of an emitted module were lost');
    fresh.forEach((section, place) => known.set(section, parts[place] ?? ''));
  }
  // what was needed last is forgotten last
  for (const [section, text = ''] of known) {
    formatted.delete(section);
    formatted.set(section, text);
  }
  for (const oldest of formatted.keys()) {
    if (formatted.size <= mostKept) break;
    formatted.delete(oldest);
  }
  return sections.map((section) => known.get(section) ?? '');
}
