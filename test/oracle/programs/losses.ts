/** Programs of the topic `loss`: each by the library's function where there is one, averaged as the case says. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { CaseWriter, nameOf, over, reduce, Unsupported, type CaseProgram } from './writer.ts';

/** Elementwise losses of a prediction `p` (or logits `z`, log-values `l`) and a target. */
const elementwise: Readonly<Record<string, (w: CaseWriter) => string>> = {
  mse: (w) => `squared_error(${w.ref('p')}, ${w.ref('y')})`,
  mae: (w) => `absolute_error(${w.ref('p')}, ${w.ref('y')})`,
  huber: (w) => `huber(${w.ref('p')}, ${w.ref('y')}, ${w.number('delta', 1)})`,
  smooth_l1: (w) => `smooth_l1(${w.ref('p')}, ${w.ref('y')}, ${w.number('beta', 1)})`,
  log_cosh: (w) => `log_cosh(${w.ref('p')}, ${w.ref('y')})`,
  bce: (w) => {
    const clamped = w.of.formulas.some((formula) => formula.includes('max(log(p), -100)'));
    return `binary_cross_entropy${clamped ? '_clamped' : ''}(${w.ref('p')}, ${w.ref('y')})`;
  },
  bce_logits: (w) =>
    w.has('q')
      ? `bce_logits_weighted(${w.ref('z')}, ${w.ref('y')}, ${w.ref('q')})`
      : `bce_logits(${w.ref('z')}, ${w.ref('y')})`,
  focal: (w) => `focal(${w.ref('z')}, ${w.ref('y')}, ${w.number('gamma', 2)})`,
  hinge: (w) =>
    `${w.number('power', 1) === 2 ? 'squared_hinge' : 'hinge'}(${w.ref('z')}, ${w.ref('y')}, ${w.number('margin', 1)})`,
  gaussian_nll: (w) => `gaussian_nll(${w.ref('m')}, ${w.ref('y')}, ${w.ref('v')})`,
  poisson_nll: (w) => `poisson_nll(${w.ref('l')}, ${w.ref('y')})`,
};

const firstInput: Readonly<Record<string, string>> = {
  gaussian_nll: 'm',
  poisson_nll: 'l',
  focal: 'z',
  hinge: 'z',
  bce_logits: 'z',
};

/** `mean` unless the case says `sum`. */
function reduction(writer: CaseWriter): 'sum' | 'mean' {
  const { reduction: said } = writer.hyper;
  if (said !== undefined) return said === 'sum' ? 'sum' : 'mean';
  return writer.of.formulas.some((formula) => /loss = (the )?sum of e\b/.test(formula)) ? 'sum' : 'mean';
}

export function elementwiseLossProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const formula = elementwise[of.op];
  if (formula === undefined) throw new Unsupported(of.op);
  const { dims } = writer.tensor(firstInput[of.op] ?? 'p');
  const shown = writer.results.find((result) => result.name === 'e');
  if (writer.hyper['reduction'] === 'mean over B') {
    // one weight a row, of the row's mean
    const [rows, ...rest] = dims as [string, ...string[]];
    writer.define('e', [rows], reduce('mean', rest, formula(writer)));
    writer.loss(reduce('mean', [rows], `${writer.ref('w')} * ${nameOf('e')}${over([rows])}`));
    return writer.finish();
  }
  const weighted = writer.has('w') ? `${writer.ref('w')} * ${formula(writer)}` : formula(writer);
  if (shown !== undefined) {
    writer.output(shown, weighted);
    writer.loss(reduce(reduction(writer), dims, writer.read(shown)));
  } else {
    writer.loss(reduce(reduction(writer), dims, weighted));
  }
  return writer.finish();
}

/** The size of the classes: the axis of z that the labels do not have; the last one where they have all. */
function classDim(z: OracleTensor, y: OracleTensor): string {
  return z.dims.find((dim) => !y.dims.includes(dim)) ?? z.dims.at(-1)!;
}

export function crossEntropyProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const z = writer.tensor('z');
  const y = writer.tensor('y');
  const classes = classDim(z, y);
  const k = over([classes]);
  const rows = z.dims.filter((dim) => dim !== classes);
  const [logits, label] = [writer.read(z), writer.read(y)];
  const probabilities = writer.results.find((result) => result.name === 'p');
  if (probabilities !== undefined) writer.output(probabilities, `softmax${k}(${logits})`);
  const smoothing = writer.number('smoothing', 0);
  const weights = writer.has('w') ? writer.tensor('w') : undefined;
  const ignored = writer.hyper['ignore_index'];
  const shown = (value: string): string => {
    const e = writer.results.find((result) => result.name === 'e');
    if (e === undefined) return value;
    writer.output(e, value);
    return writer.read(e);
  };
  const average = (value: string): string => reduce(reduction(writer), rows, value);

  if (y.dtype !== 'i4') {
    writer.loss(average(shown(`cross_entropy_soft${k}(${logits}, ${label})`)));
  } else if (typeof ignored === 'number') {
    const e = `cross_entropy_ignoring${k}(${logits}, ${label}, ${ignored})`;
    writer.loss(`${reduce('sum', rows, e)} / ${reduce('sum', rows, `${label} != ${ignored}`)}`);
  } else if (weights !== undefined && weights.dims.includes(classes)) {
    const e = `cross_entropy_weighted${k}(${logits}, ${label}, ${writer.read(weights)}, ${smoothing})`;
    const picked = `${nameOf('w')}[${label}]`;
    const sum = reduce('sum', rows, shown(e));
    writer.loss(reduction(writer) === 'sum' ? sum : `${sum} / ${reduce('sum', rows, picked)}`);
  } else {
    const e = shown(`cross_entropy${k}(${logits}, ${label}, ${smoothing})`);
    writer.loss(average(weights === undefined ? e : `${writer.read(weights)} * ${e}`));
  }
  return writer.finish();
}

export function crossEntropyProbabilitiesProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const p = writer.tensor('p');
  const classes = p.dims.at(-1)!;
  const e = `cross_entropy_probabilities${over([classes])}(${writer.read(p)}, ${writer.ref('y')})`;
  writer.loss(reduce(reduction(writer), p.dims.slice(0, -1), e));
  return writer.finish();
}

export function nllProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const l = writer.tensor('l');
  const y = writer.tensor('y');
  const classes = classDim(l, y);
  const rows = l.dims.filter((dim) => dim !== classes);
  const label = writer.read(y);
  const weighted = writer.has('w');
  const e = `nll${over([classes])}(${writer.read(l)}, ${label}${weighted ? `, ${writer.ref('w')}` : ''})`;
  const plain = reduce(reduction(writer), rows, e);
  const mean = `${reduce('sum', rows, e)} / ${reduce('sum', rows, `${nameOf('w')}[${label}]`)}`;
  writer.loss(weighted && reduction(writer) === 'mean' ? mean : plain);
  return writer.finish();
}

export function divergenceProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  if (writer.has('u')) {
    const u = writer.tensor('u');
    const classes = u.dims.at(-1)!;
    const e = `distillation${over([classes])}(${writer.read(u)}, ${writer.ref('z')}, ${writer.number('temperature', 1)})`;
    writer.loss(reduce('mean', u.dims.slice(0, -1), e));
    return writer.finish();
  }
  const l = writer.tensor('l');
  const e = `kl_divergence(${writer.read(l)}, ${writer.ref('q')})`;
  const kind = writer.hyper['reduction'];
  if (kind === 'batchmean') writer.loss(`${reduce('sum', l.dims, e)} / ${l.shape[0]}`);
  else writer.loss(reduce(kind === 'mean' ? 'mean' : 'sum', l.dims, e));
  return writer.finish();
}

export function multiMarginProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const z = writer.tensor('z');
  const classes = z.dims.at(-1)!;
  const e = `multi_margin${over([classes])}(${writer.read(z)}, ${writer.ref('y')}, ${writer.number('margin', 1)})`;
  writer.loss(reduce(reduction(writer), z.dims.slice(0, -1), e));
  return writer.finish();
}

/** cosine_similarity, cosine_embedding and triplet_margin: over the last axis, averaged over the rows. */
export function distanceProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const a = writer.tensor('a');
  const features = over([a.dims.at(-1)!]);
  const rows = a.dims.slice(0, -1);
  const [margin, eps] = [
    writer.number('margin', of.op === 'triplet_margin' ? 1 : 0),
    writer.number('eps', 1e-8),
  ];
  const pair = `${writer.read(a)}, ${writer.ref(of.op === 'triplet_margin' ? 'p' : 'b')}`;
  if (of.op === 'cosine_similarity') {
    writer.define('c', rows, `cosine_similarity${features}(${pair}, ${eps})`);
    writer.loss(reduce(reduction(writer), rows, `1 - ${nameOf('c')}${over(rows)}`));
  } else if (of.op === 'cosine_embedding') {
    writer.loss(
      reduce(reduction(writer), rows, `cosine_embedding${features}(${pair}, ${writer.ref('y')}, ${margin})`),
    );
  } else {
    const negative = writer.ref('n');
    writer.loss(
      reduce(reduction(writer), rows, `triplet_margin${features}(${pair}, ${negative}, ${margin}, ${eps})`),
    );
  }
  return writer.finish();
}

export const isElementwiseLoss = (op: string): boolean => op in elementwise;
