/** What the compiler says of a user's text, and how it is shown. */
export { codes } from './codes.ts';
export type { DiagnosticCode } from './codes.ts';
export { Diagnostics } from './diagnostic.ts';
export type { Diagnostic, Note } from './diagnostic.ts';
export { renderDiagnostics, toJson } from './render.ts';
export type { JsonDiagnostic, JsonPlace } from './render.ts';
export { join, placeOf, positionAt } from './source.ts';
export type { Position, Source, Span } from './source.ts';
export { closest } from './suggest.ts';
