/** Wrong data. The message names the input, what was expected and what was found; nothing has been changed. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
