/** The files that a file imports, and theirs: parsed once each, found by the loader that the caller gives. */
import type { Diagnostics } from './diagnostics/diagnostic.ts';
import type { Source } from './diagnostics/source.ts';
import { parse } from './syntax/index.ts';
import type { ImportDeclaration, SyntaxFile } from './syntax/tree.ts';

/** The source of an imported path, as written in `importer`; undefined where there is none. */
export type Loader = (path: string, importer: Source) => Source | undefined;

/**
 * What every import of `root`, and of the files it imports, means. One file is parsed once, however it is named.
 * Reports E207 (not found) and E208 (a circle); such an import is left out.
 */
export function loadImports(
  root: SyntaxFile,
  load: Loader,
  diagnostics: Diagnostics,
): Map<ImportDeclaration, SyntaxFile> {
  const meaning = new Map<ImportDeclaration, SyntaxFile>();
  const files = new Map<string, SyntaxFile>();
  const open = [root.source.path];

  const visit = (file: SyntaxFile): void => {
    for (const item of file.items) {
      if (item.kind !== 'import') continue;
      const { value: path, span } = item.path;
      const source = load(path, file.source);
      if (source === undefined) {
        diagnostics.error('E207', span, `there is no file \`"${path}"\` to import`, {
          hint: `paths are relative to \`${file.source.path}\``,
        });
        continue;
      }
      if (open.includes(source.path)) {
        const circle = [...open.slice(open.indexOf(source.path)), source.path].join(' → ');
        diagnostics.error('E208', span, `\`"${path}"\` is already being imported: ${circle}`, {
          hint: 'move what both files need to a third one',
        });
        continue;
      }
      let imported = files.get(source.path);
      if (imported === undefined) {
        imported = parse(source, diagnostics);
        files.set(source.path, imported);
        open.push(source.path);
        visit(imported);
        open.pop();
      }
      meaning.set(item, imported);
    }
  };
  visit(root);
  return meaning;
}
