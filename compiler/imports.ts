/** The files that a file imports, and theirs: parsed once each, found by the loader that the caller gives. */
import type { Diagnostics } from './diagnostics/diagnostic.ts';
import type { Source } from './diagnostics/source.ts';
import { parse } from './syntax/index.ts';
import type { SyntaxFile } from './syntax/tree.ts';

/** The source of an imported path, as written in `importer`; undefined where there is none. */
export type Loader = (path: string, importer: Source) => Source | undefined;

/** All files that `root` imports, by the path as written. Reports E207 (not found) and E208 (a circle). */
export function loadImports(
  root: SyntaxFile,
  load: Loader,
  diagnostics: Diagnostics,
): Map<string, SyntaxFile> {
  const found = new Map<string, SyntaxFile>();
  const open = [root.source.path];

  const visit = (file: SyntaxFile): void => {
    for (const item of file.items) {
      if (item.kind !== 'import') continue;
      const { value: path, span } = item.path;
      const source = load(path, file.source);
      if (source === undefined) {
        diagnostics.error('E207', span, `there is no file '${path}' to import`, {
          hint: `paths are taken relative to ${file.source.path}`,
        });
      } else if (open.includes(source.path)) {
        diagnostics.error(
          'E208',
          span,
          `'${path}' is already being imported: ${[...open, source.path].join(' → ')}`,
        );
      } else if (!found.has(path)) {
        const imported = parse(source, diagnostics);
        found.set(path, imported);
        open.push(source.path);
        visit(imported);
        open.pop();
      }
    }
  };
  visit(root);
  return found;
}
