/** Whether what is printed has colors. */

/** NO_COLOR (no-color.org) and FORCE_COLOR before the terminal's own answer. */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  if ((process.env['NO_COLOR'] ?? '') !== '') return false;
  if ((process.env['FORCE_COLOR'] ?? '') !== '') return true;
  return stream.isTTY === true;
}
