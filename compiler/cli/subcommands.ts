/** What `compile` does beside compiling: `compile NAME ...`. Each is loaded when it is called. */

export interface Subcommand {
  /** How it is called, without `compile`: `NAME FILE [--option VALUE]`. */
  readonly usage: string;
  /** What it does, in one line of --help. */
  readonly meaning: string;
  /**
   * Does it.
   * @param words what stands after its name on the command line
   * @returns the exit code: 0, 1 (a model is wrong), 2 (the call is wrong, or a file is)
   * @throws UsageError, FileError: both end in exit code 2
   */
  readonly run: (words: readonly string[]) => Promise<number>;
}

/** By name. A model's file of the same name is compiled as `compile ./NAME`. */
export const subcommands: Readonly<Record<string, Subcommand>> = {
  explain: {
    usage: 'explain FILE... [-o DIR] [--format html|markdown]',
    meaning: 'writes a page that explains a model: its graph, its derivatives, and the code that came out',
    run: async (words) => (await import('./explain.ts')).explainFiles(words),
  },
  check: {
    usage: 'check FILE... [--data FILE]',
    meaning: 'proves the emitted gradient: differences, forward mode, scattered form, float32',
    run: async (words) => (await import('./check.ts')).check(words),
  },
};

/** The subcommand that a call begins with; undefined where files are compiled. */
export function subcommandOf(name: string | undefined): Subcommand | undefined {
  return name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
}

/** Their lines of --help. */
export function subcommandHelp(): string {
  const rows = Object.values(subcommands).map(
    ({ usage, meaning }) => `  compile ${usage}\n      ${meaning}\n`,
  );
  return rows.length === 0 ? '' : `\nBeside compiling (each has its own --help):\n\n${rows.join('')}`;
}
