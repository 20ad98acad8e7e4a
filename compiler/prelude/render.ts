/** The text of library.generated.ts, for the script that writes it and the test that it is fresh. */

/** @param files the .dsl files in the order in which they are to be read */
export function renderLibrary(files: readonly { readonly name: string; readonly text: string }[]): string {
  const entries = files.map(
    ({ name, text }) => `  {\n    path: 'prelude/${name}',\n    text: ${quote(text)},\n  },\n`,
  );
  return [
    '// Made from the .dsl files of this folder by `npm run prelude`. Change those, not this.\n',
    "import type { Source } from '../diagnostics/source.ts';\n\n",
    'export const library: readonly Source[] = [\n',
    ...entries,
    '];\n',
  ].join('');
}

/** A template literal, so that the text can be read line by line. */
function quote(text: string): string {
  return '`' + text.replace(/[\\`]|\$\{/g, '\\$&') + '`';
}
