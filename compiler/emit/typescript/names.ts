/**
 * @file Names of the emitted module. A name of the model is kept where TypeScript allows it; where it is a reserved
 * word, a global that emitted code uses, or taken in the same or an outer scope, it gets an underscore or a number.
 */

const RESERVED: ReadonlySet<string> = new Set(
  (
    'abstract any arguments as async await boolean break case catch class const continue debugger declare default ' +
    'delete do else enum eval export extends false finally for from function get if implements import in instanceof ' +
    'interface let module namespace never new null number object of package private protected public return set ' +
    'static string super switch symbol this throw true try type typeof undefined unknown var void while with yield ' +
    'Math Number Object Array Float32Array Float64Array Int32Array Infinity NaN globalThis ReadonlyArray Record'
  ).split(' '),
);

/** The nearest legal identifier: `m'` becomes `m_next`; other characters that TypeScript does not allow, `_`. */
export function identifier(name: string): string {
  const legal = name.replaceAll("'", '_next').replace(/[^A-Za-z0-9_]/g, '_');
  const started = /^[0-9]/.test(legal) || legal === '' ? `_${legal}` : legal;
  return RESERVED.has(started) ? `${started}_` : started;
}

/** The names taken in one scope of the emitted text. Names of outer scopes are never shadowed. */
export class Scope {
  private readonly taken = new Set<string>();
  private readonly outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  has(name: string): boolean {
    return this.taken.has(name) || (this.outer?.has(name) ?? false);
  }

  /** Takes exactly this name, which must be free. */
  reserve(...names: readonly string[]): void {
    for (const name of names) this.taken.add(name);
  }

  /** Takes the wished name, or the first of `name_2`, `name_3`, ... that is free. */
  declare(wish: string): string {
    const base = identifier(wish);
    let name = base;
    for (let k = 2; this.has(name); k++) name = `${base}_${k}`;
    this.taken.add(name);
    return name;
  }
}
