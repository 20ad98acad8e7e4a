/** What the compiler says of a user's text: a code, a place, what was found, and a hint. */
import type { Span } from './source.ts';
import type { DiagnosticCode } from './codes.ts';

export interface Note {
  readonly span: Span;
  readonly message: string;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly span: Span;
  /** What was found and what was expected, in one sentence without a full stop. */
  readonly message: string;
  /** Other places that explain it ("`hidden` is 64 here"). */
  readonly notes: readonly Note[];
  readonly hint?: string;
}

/**
 * Collects what is found, so that one run reports every mistake. A pass that cannot go on throws nothing: it
 * reports, puts an error value in the place of what it could not make, and continues.
 */
export class Diagnostics {
  readonly list: Diagnostic[] = [];

  error(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: { notes?: readonly Note[]; hint?: string } = {},
  ): void {
    this.add('error', code, span, message, more);
  }

  warning(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: { notes?: readonly Note[]; hint?: string } = {},
  ): void {
    this.add('warning', code, span, message, more);
  }

  get hasErrors(): boolean {
    return this.list.some((diagnostic) => diagnostic.severity === 'error');
  }

  /** Has another error been reported at just this place? What follows is then mostly a consequence. */
  hasOther(code: DiagnosticCode, { source, start, end }: Span): boolean {
    return this.list.some(
      (known) =>
        known.severity === 'error' &&
        known.code !== code &&
        known.span.source === source &&
        known.span.start === start &&
        known.span.end === end,
    );
  }

  private add(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: { notes?: readonly Note[]; hint?: string },
  ): void {
    const { notes = [], hint } = more;
    this.list.push({ code, severity, span, message, notes, ...(hint === undefined ? {} : { hint }) });
  }
}
