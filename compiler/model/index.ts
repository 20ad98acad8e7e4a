/** Elaboration: from the syntax tree to models. Names, shapes, layers and hyper-parameters are settled here. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { ImportDeclaration, SyntaxFile } from '../syntax/tree.ts';
import { fileScope, preludeScope } from './files.ts';
import { elaborateModel } from './model.ts';
import type { Model } from './types.ts';
import { warnUncalled } from './usage.ts';

export interface ElaborationContext {
  /** The file that each import means. What is missing or in a circle has been reported and is left out. */
  readonly imports: ReadonlyMap<ImportDeclaration, SyntaxFile>;
  /** The library: its definitions can be used, and shadowed, everywhere. */
  readonly prelude: readonly SyntaxFile[];
}

/**
 * The models of a file, in order. Never throws, whatever the tree holds: mistakes are reported, and what they spoil is
 * left out. The models are complete only if `diagnostics` has no error.
 */
export function elaborate(file: SyntaxFile, context: ElaborationContext, diagnostics: Diagnostics): Model[] {
  const prelude = preludeScope(context.prelude, diagnostics);
  const scope = fileScope(file, prelude, { imports: context.imports, diagnostics });
  const models: Model[] = [];
  const seen = new Map<string, SyntaxFile['items'][number]>();
  for (const item of file.items) {
    if (item.kind !== 'model') continue;
    const { text, span } = item.name;
    const earlier = seen.get(text);
    if (earlier) {
      diagnostics.error('E202', span, `there are two models \`${text}\``, {
        notes: [{ span: earlier.span, message: 'first here' }],
      });
      continue;
    }
    seen.set(text, item);
    models.push(elaborateModel(item, scope, diagnostics));
  }
  if (models.length > 0 && !diagnostics.hasErrors) warnUncalled(scope, diagnostics);
  return models;
}
