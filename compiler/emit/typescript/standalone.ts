/**
 * @file The runtime inside the emitted file (`--standalone`). Declarations that nothing reaches would fail
 * `noUnusedLocals`, and nobody wants to read them: they are left out.
 */

const DECLARATION =
  /^(?:export )?(?:abstract |async )*(?:function\*?|class|const|let|interface|type) +([A-Za-z_$][\w$]*)/gm;

/** Names that a formatted module declares at its outermost level. */
export function topLevelNames(text: string): string[] {
  return [...text.matchAll(DECLARATION)].map((match) => match[1]!);
}

/**
 * Those paragraphs of the runtime that the module needs, directly or through others, in their order. What the module has
 * itself (its `sigmoid` may be another one) is not among them.
 * @param runtime formatted text without imports and exports: bodies are indented, so that a paragraph begins at an empty
 *   line with text at the left margin after it
 */
export function neededRuntime(runtime: string, module: string): string {
  const paragraphs = runtime
    .trim()
    .split(/\n{2,}(?=\S)/)
    .map((text) => ({ text, names: topLevelNames(text), words: wordsOf(text) }));
  const needed = new Set<string>();
  const pending = [...wordsOf(module)];
  const own = new Set(topLevelNames(module));
  const homes = new Map(
    paragraphs.flatMap((paragraph) =>
      paragraph.names.flatMap((name) => (own.has(name) ? [] : [[name, paragraph] as const])),
    ),
  );
  while (pending.length > 0) {
    const word = pending.pop()!;
    if (needed.has(word)) continue;
    needed.add(word);
    pending.push(...(homes.get(word)?.words ?? []));
  }
  return paragraphs
    .filter(({ names }) => names.some((name) => needed.has(name) && homes.has(name)))
    .map(({ text }) => text)
    .join('\n\n');
}

/** Identifiers of the code, not of its comments. */
function wordsOf(text: string): Set<string> {
  const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
  return new Set(code.match(/[A-Za-z_$][\w$]*/g));
}
