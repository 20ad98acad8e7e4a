/** How weights are loaded by name, and what came of it. */

export interface LoadOptions {
  /**
   * The parameter that a tensor of the file is for: a table from names in the file to names in the model (others stay as
   * they are), or a function, which gives undefined for a tensor to be left out.
   */
  readonly map?: Readonly<Record<string, string>> | ((name: string) => string | undefined);
  /** Loads what fits, and reports the rest. A tensor of another shape is an error all the same. */
  readonly partial?: boolean;
}

export interface LoadReport {
  /** Names in the model, in its order. */
  readonly loaded: readonly string[];
  /** Parameters and states of the model that the file has nothing for; they keep their values. */
  readonly missing: readonly string[];
  /** Tensors of the file, by their names there, that the model has no place for. */
  readonly unexpected: readonly string[];
}
