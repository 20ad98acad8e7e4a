/**
 * What plain JavaScript can do at all on this machine: multiply-adds in float64 that wait for nothing but themselves, in as
 * many independent chains as the registers hold. Prints the best of many samples, in GFLOP/s.
 */

/** Two operations a chain and turn; `factor` and `term` keep every value near 1. */
function eight(turns: number, factor: number, term: number): number {
  let a = 1;
  let b = 1.1;
  let c = 1.2;
  let d = 1.3;
  let e = 1.4;
  let f = 1.5;
  let g = 1.6;
  let h = 1.7;
  for (let k = 0; k < turns; k++) {
    a = a * factor + term;
    b = b * factor + term;
    c = c * factor + term;
    d = d * factor + term;
    e = e * factor + term;
    f = f * factor + term;
    g = g * factor + term;
    h = h * factor + term;
  }
  return a + b + c + d + e + f + g + h;
}

function twelve(turns: number, factor: number, term: number): number {
  let a = 1;
  let b = 1.1;
  let c = 1.2;
  let d = 1.3;
  let e = 1.4;
  let f = 1.5;
  let g = 1.6;
  let h = 1.7;
  let i = 1.8;
  let j = 1.9;
  let l = 1.01;
  let m = 1.02;
  for (let k = 0; k < turns; k++) {
    a = a * factor + term;
    b = b * factor + term;
    c = c * factor + term;
    d = d * factor + term;
    e = e * factor + term;
    f = f * factor + term;
    g = g * factor + term;
    h = h * factor + term;
    i = i * factor + term;
    j = j * factor + term;
    l = l * factor + term;
    m = m * factor + term;
  }
  return a + b + c + d + e + f + g + h + i + j + l + m;
}

const turns = 400_000;
let best = 0;
const end = performance.now() + 1500;
while (performance.now() < end) {
  for (const { chains, run } of [
    { chains: 8, run: eight },
    { chains: 12, run: twelve },
  ]) {
    const start = performance.now();
    const sum = run(turns, 0.999999, 1e-6);
    const seconds = (performance.now() - start) / 1000;
    if (!Number.isFinite(sum)) throw new Error('the chains have left the numbers');
    best = Math.max(best, (2 * chains * turns) / seconds / 1e9);
  }
}
console.log(JSON.stringify({ gflops: best }));
