/** How long a thread does not answer while it trains: what a reader of the page would wait for a click. */

export interface Pauses {
  /** Milliseconds in all. */
  readonly total: number;
  readonly longest: number;
  /** Half of the time is in pauses that are no longer: a click meets a longer one in every other case. */
  readonly usual: number;
}

/** Watches from now on; what it gives stops that, and tells of the times between two turns of a timer. */
export function watchThread(): () => Pauses {
  let last = performance.now();
  const pauses: number[] = [];
  const look = (): void => {
    const now = performance.now();
    pauses.push(now - last);
    last = now;
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    const sorted = pauses.toSorted((one, other) => one - other);
    const total = sorted.reduce((sum, pause) => sum + pause, 0);
    let before = 0;
    const usual = sorted.find((pause) => (before += pause) >= total / 2)!;
    return { total, longest: sorted.at(-1)!, usual };
  };
}
