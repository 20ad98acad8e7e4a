/** Wrong data. The message names the input, what was expected and what was found; nothing has been changed. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** @throws DataError */
export function mustBe(name: string, what: string, isSo: boolean, found: unknown): void {
  if (!isSo) throw new DataError(`${name} must be ${what}, found ${String(found)}`);
}
