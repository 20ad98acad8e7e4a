/** Faults planted in what becomes of a whole statement: how ⊕ enters, and the two forms of a contribution. */
import { describe, expect, it } from 'vitest';
import { forms } from '../../compiler/calculus/sweep.ts';
import type { Contribution } from '../../compiler/calculus/contribution.ts';
import {
  combineRules,
  type Differential,
  type Rule,
  type Term,
} from '../../compiler/calculus/differential.ts';
import { isPlainIndex } from '../../compiler/graph/expressions.ts';
import { scatteredGradient } from '../../compiler/check/variants.ts';
import type { Combine } from '../../compiler/graph/types.ts';
import { faultsOf, placeFaults, type Mutant } from './mutants.ts';
import { tryFaults, withEntry, type Fault } from './planting.ts';
import { analysed } from './support.ts';

const small = (...lines: readonly string[]): string =>
  `model Small {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

/** A model for each ⊕: square, so that exchanged indices stay inside, and no row is like another. */
const reductions: Readonly<Record<Exclude<Combine, 'argmax' | 'argmin'>, string>> = {
  assign: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'u[n, i, j] = sin(W[i, j] * x[n, i])',
    'loss = mean[n](sum[i, j](u[n, i, j] * u[n, j, i] * (1 + i)))',
  ),
  sum: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'param V[3, 3] ~ normal(0, 1)',
    'y[n, j] = sum[i](x[n, i] * sin(W[i, j]) * V[j, i])',
    'loss = mean[n](sum[j](y[n, j]^2 * (1 + j)))',
  ),
  logsumexp: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'loss = mean[n](sum[j](logsumexp[i](x[n, i] * W[i, j]) * (1 + j)))',
  ),
  max: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'loss = mean[n](sum[j](max[i](x[n, i] * W[i, j] + W[j, i]) * (1 + j)))',
  ),
  min: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'loss = mean[n](sum[j](min[i](x[n, i] * W[i, j] + W[j, i]) * (1 + j)))',
  ),
  product: small(
    'input x[n, 3]',
    'param W[3, 3] ~ normal(0, 1)',
    'loss = mean[n](sum[j](prod[i](x[n, i] * W[i, j] + W[j, i]) * (1 + j)))',
  ),
};

/** The faults of what a function gives: made when it is called, counted in a first run. */
async function faultsIn<Given extends readonly unknown[], Made>(
  site: { readonly table: object; readonly key: string; readonly call: (...given: Given) => Made },
  text: string,
  mutants: (made: Made) => readonly Mutant<Made>[],
): Promise<Fault[]> {
  const { table, key, call } = site;
  const names = new Set<string>();
  const label = (fault: string, k: number): string => `${k} ${fault}`;
  const recording = (...given: Given): Made => {
    const made = call(...given);
    for (const [k, { fault }] of mutants(made).entries()) names.add(label(fault, k));
    return made;
  };
  await withEntry(table, key, recording, () => Promise.resolve(scatteredGradient(analysed(text), undefined)));
  return [...names].map((name) => ({
    name,
    table,
    key,
    entry: (...given: Given): Made => {
      const made = call(...given);
      return mutants(made).find(({ fault }, k) => label(fault, k) === name)?.made ?? made;
    },
  }));
}

function differentialFaults(made: ReturnType<Rule>): Mutant<ReturnType<Rule>>[] {
  if (made === 'none') return [];
  const { terms, companion, helper } = made;
  const put = (at: number, term: Term): Differential => ({ ...made, terms: terms.with(at, term) });
  const ofTerms = terms.flatMap((term, at) => [
    { fault: `term ${at} missing`, made: { ...made, terms: terms.toSpliced(at, 1) } },
    ...faultsOf(term.factor).map(({ fault, made: factor }) => ({
      fault: `factor of ${at}: ${fault}`,
      made: put(at, { ...term, factor }),
    })),
    ...placeFaults(term.read.at).map(({ fault, made: place }) => ({
      fault: `read of ${at}: ${fault}`,
      made: put(at, { ...term, read: { ...term.read, at: place, outside: 0 } }),
    })),
  ]);
  const others: Mutant<Differential>[] = [
    ...(companion === undefined
      ? []
      : faultsOf(companion.body).map(({ fault, made: body }) => ({
          fault: `companion: ${fault}`,
          made: { ...made, companion: { ...companion, body } },
        }))),
    ...(helper === undefined
      ? []
      : faultsOf(helper.body).map(({ fault, made: body }) => ({
          fault: `helper: ${fault}`,
          made: { ...made, helper: { ...helper, body } },
        }))),
  ];
  return [...ofTerms, ...others];
}

describe('how ⊕ enters a differential', () => {
  it.each(keysOf(reductions))('%s', async (combine) => {
    const text = reductions[combine];
    const site = { table: combineRules, key: combine, call: combineRules[combine] };
    const faults = await faultsIn(site, text, differentialFaults);
    const { found, survived } = await tryFaults(text, faults);
    expect(survived).toEqual([]);
    expect(found.length).toBeGreaterThan(8);
  });
});

/** A model for each way to turn a contribution around, and each that has to scatter. */
const contributions: Readonly<Record<keyof typeof forms, Readonly<Record<string, string>>>> = {
  inverted: {
    'a matrix product': reductions.sum,
    'a window': small(
      'input x[n, 6]',
      'param K[3] ~ normal(0, 1)',
      'param b[6] ~ normal(0, 1)',
      'h[n, i] = tanh(x[n, i] + b[i])',
      'y[n, i: 6] = sum[u]((h[n, i + u - 1] else 0) * K[u])',
      'loss = mean[n](sum[i](y[n, i]^2 * (1 + i)))',
    ),
    'a stride': small(
      'input x[n, 7]',
      'param K[3] ~ normal(0, 1)',
      'param b[7] ~ normal(0, 1)',
      'h[n, i] = tanh(x[n, i] + b[i])',
      'y[n, i: 3] = sum[u](h[n, 2*i + u] * K[u])',
      'loss = mean[n](sum[i](y[n, i]^2 * (1 + i)))',
    ),
    'a recurrence': small(
      'input x[n, 4, 2]',
      'param W[2, 2] ~ normal(0, 0.5)',
      'scan t {',
      '  h[n, t: 4, j] = tanh(sum[i]((h[n, t - 1, i] else 0) * W[i, j]) + x[n, t, j])',
      '}',
      'loss = mean[n](sum[t, j](h[n, t, j]^2 * (1 + t)))',
    ),
    'a flattening': small(
      'input x[n, 2, 3]',
      'param b[2, 3] ~ normal(0, 1)',
      'h[n, i, j] = tanh(x[n, i, j] + b[i, j])',
      'y[n, f: 6] = h[n, f / 3, mod(f, 3)]',
      'loss = mean[n](sum[f](y[n, f]^2 * (1 + f)))',
    ),
  },
  scatter: {
    'a matrix product': reductions.sum,
    'an embedding': small(
      'input token[n, 3]: 4',
      'param E[4, 2] ~ normal(0, 1)',
      'loss = mean[n](sum[t, d](sin(E[token[n, t], d]) * (1 + t + d)))',
    ),
    'a diagonal': small(
      'input x[n, 3]',
      'param W[3, 3] ~ normal(0, 1)',
      'loss = mean[n](sum[i, j](sin(W[i, i] * x[n, j]) * (1 + j)))',
    ),
  },
};

function contributionFaults(made: Contribution | undefined): Mutant<Contribution | undefined>[] {
  if (made === undefined) return [];
  const places =
    made.combine === 'sum' && made.write.some((index) => isPlainIndex(index) === undefined)
      ? [{ fault: 'written elsewhere', made: made.write.map((index) => ({ ...index, terms: [] })) }]
      : [];
  return [
    ...faultsOf(made.body).map(({ fault, made: body }) => ({ fault, made: { ...made, body } })),
    ...places.map(({ fault, made: write }) => ({ fault, made: { ...made, write } })),
  ];
}

const cases = keysOf(contributions).flatMap((form) =>
  Object.entries(contributions[form]).map(([name, text]) => ({ form, name, text })),
);

describe('the forms of a contribution', () => {
  it.each(cases)('$form: $name', async ({ form, text }) => {
    const site = { table: forms, key: form, call: forms[form] };
    const faults = await (form === 'inverted'
      ? faultsIn({ ...site, call: forms.inverted }, text, contributionFaults)
      : faultsIn({ ...site, call: forms.scatter }, text, scatterFaults));
    const { found, survived } = await tryFaults(text, faults, {}, form === 'scatter');
    expect(survived).toEqual([]);
    expect(found.length).toBeGreaterThan(4);
  });
});

const scatterFaults = (made: Contribution): Mutant<Contribution>[] =>
  contributionFaults(made).flatMap(({ fault, made: other }) =>
    other === undefined ? [] : { fault, made: other },
  );

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  const keys: K[] = [];
  for (const key in table) keys.push(key);
  return keys;
}
