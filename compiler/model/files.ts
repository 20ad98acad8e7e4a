/** The definitions of files: the prelude's, those of imported files, and those of the file itself. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { ImportDeclaration, SyntaxFile, SyntaxItem } from '../syntax/tree.ts';
import { declareDim } from './declarations.ts';
import { Elaboration } from './elaboration.ts';
import { attachDerivatives } from './own-functions.ts';
import { reductionNames } from './reductions.ts';
import type { CallableDefinition } from './scope.ts';
import { Scope } from './scope.ts';

export interface FileContext {
  /** The file that each import means. What is missing or in a circle has been reported and is left out. */
  readonly imports: ReadonlyMap<ImportDeclaration, SyntaxFile>;
  readonly diagnostics: Diagnostics;
}

/** The scope of the prelude: all its files are one. */
export function preludeScope(files: readonly SyntaxFile[], diagnostics: Diagnostics): Scope {
  const scope = new Scope();
  for (const file of files) defineItems(file.items, scope, diagnostics);
  return scope;
}

/**
 * The scope of a file: its definitions, around them those of the files it imports, around them the prelude. A definition
 * shadows one of the same name further out.
 */
export function fileScope(file: SyntaxFile, prelude: Scope, context: FileContext): Scope {
  const made = new Map<SyntaxFile, Scope>();
  const open = new Set<SyntaxFile>();
  const scopeOf = (current: SyntaxFile): Scope => {
    const known = made.get(current);
    if (known) return known;
    open.add(current);
    const imported = new Scope(prelude);
    for (const item of current.items) {
      if (item.kind !== 'import') continue;
      const target = context.imports.get(item);
      if (target && !open.has(target)) copyDefinitions(scopeOf(target), imported, item, context.diagnostics);
    }
    open.delete(current);
    const scope = new Scope(imported);
    defineItems(current.items, scope, context.diagnostics);
    made.set(current, scope);
    return scope;
  };
  return scopeOf(file);
}

/** What an imported file defines, seen from the file that imports it. */
function copyDefinitions(from: Scope, into: Scope, item: ImportDeclaration, diagnostics: Diagnostics): void {
  const clash = (name: string) => {
    const earlier = into.own(name);
    if (earlier === undefined || earlier === from.own(name)) return false;
    diagnostics.error(
      'E202',
      item.span,
      `\`"${item.path.value}"\` defines \`${name}\`, as another import does`,
      {
        notes: [{ span: earlier.span, message: 'the other one' }],
      },
    );
    return true;
  };
  for (const [name, entry] of from.ownCallables()) if (!clash(name)) into.defineCallable(name, entry);
  for (const [name, entry] of from.ownValues()) if (!clash(name)) into.define(name, entry);
}

/** Callables first, so that the order of definitions does not matter; dims in their order. */
function defineItems(items: readonly SyntaxItem[], scope: Scope, diagnostics: Diagnostics): void {
  const elaboration = new Elaboration(diagnostics);
  for (const item of items) if (item.kind === 'dim') scope.expect(item.name.text, item.span);
  for (const item of items) {
    if (isCallable(item) && !isTaken(item, scope, diagnostics)) {
      const { span } = item.name;
      scope.defineCallable(item.name.text, { kind: 'callable', definition: item, scope, span, used: false });
    }
  }
  attachDerivatives(
    items.filter((item) => item.kind === 'derivative'),
    scope,
    diagnostics,
  );
  for (const item of items) {
    if (item.kind === 'dim' && !isTaken(item, scope, diagnostics)) declareDim(item, scope, elaboration);
  }
}

function isCallable(item: SyntaxItem): item is CallableDefinition {
  return ['fn', 'layer', 'optimizer', 'schedule'].includes(item.kind);
}

function isTaken(
  { name }: CallableDefinition | { name: CallableDefinition['name'] },
  scope: Scope,
  diagnostics: Diagnostics,
): boolean {
  if (reductionNames.includes(name.text)) {
    diagnostics.error(
      'E209',
      name.span,
      `\`${name.text}\` is a reduction of the language and cannot be defined`,
      {
        hint: 'choose another name',
      },
    );
    return true;
  }
  const earlier = scope.own(name.text);
  if (earlier === undefined) return false;
  diagnostics.error('E202', name.span, `\`${name.text}\` is defined twice`, {
    notes: [{ span: earlier.span, message: 'first here' }],
  });
  return true;
}
