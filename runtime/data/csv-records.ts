/** Where the records of CSV end, in text that comes in pieces. */

/** Those that papaparse guesses from. */
const DELIMITERS: readonly string[] = [',', '\t', '|', ';', '\u{1e}', '\u{1f}'];
const BYTE_ORDER_MARK = '\u{feff}';

/**
 * Divides text into whole records. A quote opens a cell only where the cell begins: elsewhere, as in `5" pipe`, it is a character
 * like any other. The first line's end says what ends the lines of the file: LF (after CR or not), or CR alone.
 */
export class RecordSplitter {
  /** What ends a line; undefined until one has ended. */
  newline: '\n' | '\r' | undefined;
  /** What has come, from the first record that is not whole. */
  rest = '';
  private atStart = true;

  /** Takes one piece more. Without a delimiter, any of the usual ones may be it. @returns the records now whole, '' if none */
  take(piece: string, delimiter: string | undefined): string {
    this.rest += piece;
    const end = this.endOfRecords(delimiter === undefined ? DELIMITERS : [delimiter]);
    const records = this.rest.slice(0, end);
    this.rest = this.rest.slice(end);
    this.atStart &&= end === 0;
    return records;
  }

  /** Goes from cell to cell. */
  private endOfRecords(delimiters: readonly string[]): number {
    const { rest } = this;
    const bounds = new RegExp(
      [
        ...delimiters.map((delimiter) => delimiter.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')),
        this.newline ?? '\r\n|\n|\r',
      ].join('|'),
      'g',
    );
    let end = 0;
    let at = this.atStart && rest.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
    for (;;) {
      bounds.lastIndex = rest[at] === '"' ? afterQuotes(rest, at) : at;
      const bound = bounds.exec(rest)?.[0];
      if (bound === undefined) return end;
      at = bounds.lastIndex;
      if (delimiters.includes(bound)) continue;
      if (bound === '\r' && this.newline === undefined && at === rest.length) return end; // LF may follow
      this.newline ??= bound === '\r' ? '\r' : '\n';
      end = at;
    }
  }
}

/** The place after the quote that closes the cell; the end of the text, where none does. */
function afterQuotes(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  return close < 0 ? text.length : close + 1;
}
