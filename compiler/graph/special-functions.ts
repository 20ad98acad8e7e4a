/** The functions that Math does not have. */

/**
 * The error function 2/√π ∫₀ˣ exp(-t²) dt, to 1e-15. Near 0 by the series of positive terms (Abramowitz & Stegun 7.1.6)
 *     erf x = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)),
 * beyond by 1 - erfc x with the continued fraction (7.1.14)
 *     √π · exp(x²) · erfc x = 1/(x + ½/(x + 1/(x + 3⁄2/(x + 2/(x + …))))).
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (magnitude >= 6) return Math.sign(x);
  return magnitude < 1.5 ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(magnitude));
}

function erfSeries(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > Math.abs(total) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** Terms of the continued fraction: enough for full accuracy of 1 - erfc from 1.5 on. */
const fractionTerms = 80;

function erfcFraction(x: number): number {
  let tail = x;
  for (let k = fractionTerms; k >= 1; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

/** 1 / (1 + e⁻ˣ), without overflow on either side. */
export function logisticSigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const power = Math.exp(x);
  return power / (1 + power);
}

/** log(1 + eˣ), without overflow and accurate for very negative x. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** To the nearest whole number; halves to the even one (IEEE 754 roundTiesToEven). */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const distance = x - below;
  if (distance !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
