/** Models that are trained in one way and used in another: `training`, states, random draws. */
import { describe, expect, it } from 'vitest';
import { diagnose, errorOf, lines, modelOf, programOf, statementsOf } from './helpers.ts';

const given = 'input x[n, 3]\nparam w[3] ~ ones\n';

describe('`training`', () => {
  it('makes two variants of the statements that depend on it, and one of the others', () => {
    const program = programOf(
      `${given}a[n, i] = x[n, i] * w[i]\nb[n, i] = training ? 2 * a[n, i] : a[n, i]\nloss = mean(b)`,
    );
    expect(lines(program)).toEqual([
      'a[n, i] = x[n, i] * w[i]',
      'b[n, i] = 2 * a[n, i]',
      'loss_sum = sum[n, i](b[n, i])',
      'loss = loss_sum / (3 * n)',
      'b_inference[n, i] = a[n, i]',
      'loss_sum_inference = sum[n, i](b_inference[n, i])',
      'loss_inference = loss_sum_inference / (3 * n)',
    ]);
    expect(program.loss).toBe('loss');
    expect(program.evaluation).toEqual({ loss: 'loss_inference', metrics: [] });
  });

  it('leaves the names of outputs as they are', () => {
    const program = programOf(
      `${given}output y[n, i] = (training ? 2 : 3) * x[n, i] * w[i]\nloss = mean(y)\nmetric size = mean(abs(y))`,
    );
    expect(program.outputs).toEqual(['y']);
    expect(lines(program)).toContain('y_training[n, i] = 2 * x[n, i] * w[i]');
    expect(lines(program)).toContain('y[n, i] = 3 * x[n, i] * w[i]');
    expect(program.metrics).toEqual(['size']);
    expect(program.evaluation).toEqual({ loss: 'loss_inference', metrics: ['size_inference'] });
  });

  it('makes no second variant where the values are the same', () => {
    const program = programOf(`${given}loss = mean(x * x) + sum(training ? w : w)`);
    expect(program.evaluation).toBeUndefined();
    expect(lines(programOf(`${given}loss = sum(x) + sum(w)`))).toEqual(
      lines(programOf(`${given}loss = sum(x) + sum(training ? w : w)`)),
    );
  });

  it('is known in layers and functions, and in their arguments', () => {
    const around = 'fn f(x) = training ? 2 * x : x\nlayer scaled(x[..], by) -> y[..] { y[..] = by * x[..] }';
    const program = programOf(`${given}output y = x |> scaled(training ? 2 : 3)\nloss = f(sum(w))`, around);
    expect(lines(program)).toContain('y[n, i] = 3 * x[n, i]');
    expect(lines(program)).toContain('loss = 2 * loss_sum');
    expect(lines(program)).toContain('loss_inference = loss_sum');
  });

  it('may decide a size, also of what is drawn', () => {
    const program = programOf(
      `${given}dim samples = training ? 1 : 4\nrandom u[n, samples] ~ uniform\nloss = mean(u) + sum(w)`,
    );
    expect(program.tensors.get('u')?.axes).toEqual(['n', 1]);
    expect(program.tensors.get('u_inference')?.axes).toEqual(['n', 4]);
  });

  it('cannot decide the shape of a parameter', () => {
    expect(
      errorOf('input x[n]\ndim k = training ? 1 : 2\nparam w[k] ~ ones\nloss = sum(w) * mean(x)').message,
    ).toBe('the parameter `w` is [1] in training, but [2] in inference');
  });

  it('cannot make parameters of one name in two places', () => {
    const error = errorOf(`${given}h = training ? dense(x, 2) : dense(2 * x, 2)\nloss = mean(h) + sum(w)`);
    expect(error.code).toBe('E202');
    expect(error.hint).toContain('call the layer once');
  });

  it.each([
    ['an optimizer', "optimizer o() { p' = training * p }", 'train { optimizer: o }'],
    ['a training entry', '', 'train { optimizer: sgd(rate = training ? 1 : 2) }'],
    ['a size of the file', 'dim k = training', 'train { optimizer: sgd(rate = 1) }'],
  ])('means nothing in %s', (_, around, train) => {
    const error = errorOf(`${given}loss = sum(x) * sum(w)\n${train}`, around);
    expect([error.code, error.message]).toEqual(['E201', '`training` is known in models and layers only']);
  });

  it('is no name for anything else', () => {
    expect(errorOf('input training[n]\noutput y = 2 * training').code).toBe('E209');
  });

  it('shows a mistake of one branch only, and those of both once', () => {
    const codes = (body: string) =>
      diagnose(`${given}${body}`).map(({ code, message }) => `${code} ${message}`);
    expect(codes('loss = training ? sum(w) : sum(nothing)')).toEqual(['E201 there is no `nothing` here']);
    expect(codes('a = nothing\nloss = training ? sum(w) : sum(w * w)')).toEqual([
      'E201 there is no `nothing` here',
    ]);
  });

  it('uses a name if one of its branches does', () => {
    expect(diagnose('input x[n]\ninput t[n]\noutput y[n] = training ? t[n] : x[n]')).toEqual([]);
  });
});

describe('states', () => {
  const state = 'state m[3] ~ zeros\n';

  it('have a statement for the next value, which the loss need not depend on', () => {
    const program = programOf(
      `${given}${state}m'[i] = 0.9 * m[i] + 0.1 * mean[n](x[n, i])\nloss = sum(w * m)`,
    );
    expect(program.tensors.get('m')).toMatchObject({ role: 'state', axes: [3] });
    expect(lines(program)).toContain("m'[i] = 0.9 * m[i] + 0.1 * (m_next_sum[i] / n)");
    expect(program.evaluation).toBeUndefined();
  });

  it('may be single numbers and take whole-tensor values', () => {
    expect(statementsOf(`${given}state t ~ ones\nt' = t + 1\nloss = sum(w) * t`)).toContain("t' = t + 1");
    expect(statementsOf(`${given}${state}m' = m + 1\nloss = sum(w * m)`)).toContain("m'[i] = m[i] + 1");
    expect(statementsOf(`${given}${state}m' = 1\nloss = sum(w * m)`)).toContain("m'[i: 3] = 1");
  });

  it('do not change in inference, where a next value is the value', () => {
    const program = programOf(
      `${given}${state}m'[i] = 2 * m[i]\noutput y[n, i] = x[n, i] * m'[i]\nz = training ? y : 2 * y\nloss = mean(z) * sum(w)`,
    );
    expect(lines(program)).toContain("y_training[n, i] = x[n, i] * m'[i]");
    expect(lines(program)).toContain('y[n, i] = x[n, i] * m[i]');
  });

  it('belong to each call of a layer', () => {
    const around = "layer count(x[..]) -> y[..] { state c ~ zeros\nc' = c + 1\ny[..] = x[..] * c }";
    const { program } = modelOf(
      `${around}\nmodel M { ${given}output y = x |> count |> count\nloss = sum(w) }`,
    );
    const states = [...program.tensors.values()].filter(({ role }) => role === 'state');
    expect(states.map(({ name }) => name)).toEqual(['y_count1_c', 'y_count2_c']);
  });

  it.each([
    ["m' = m\nm' = 2 * m", 'E202', "`m'` is defined twice"],
    ["k' = x", 'E201', 'there is no state `k`'],
    ["w' = w", 'E201', 'there is no state `w`'],
    ["m'[i, j: 2] = m[i]", 'E307', "`m'` is [3, 2], but its state is [3]"],
    ["m' = sum[i](x[1, i])", 'E403', undefined],
    ['state q[n] ~ zeros', 'E304', '`n` is the open dimension, which a state cannot have'],
  ])('%s: %s', (text, code, message) => {
    const error = diagnose(`${given}${state}${text}\nloss = sum(w * m)`).find(
      ({ severity }) => severity === 'error',
    );
    expect(error?.code).toBe(code);
    if (message !== undefined) expect(error?.message).toBe(message);
  });

  it('that nothing updates are worth a warning, once for a layer', () => {
    const around = 'layer f(x[..]) -> y[..] { state c ~ zeros\ny[..] = x[..] * c }';
    const list = diagnose('input x[n]\nstate s ~ ones\noutput y = f(f(s * x))', around);
    expect(list.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'W703 state `c` is never given a next value',
      'W703 state `s` is never given a next value',
    ]);
  });
});

describe('random draws', () => {
  it.each([
    ['uniform', { kind: 'uniform', low: 0, high: 1 }],
    ['uniform(-1, 1)', { kind: 'uniform', low: -1, high: 1 }],
    ['normal', { kind: 'normal', mean: 0, deviation: 1 }],
    ['normal(deviation = 2, mean = 1)', { kind: 'normal', mean: 1, deviation: 2 }],
    ['bernoulli(1 / 4)', { kind: 'bernoulli', probability: 0.25 }],
  ])('%s', (text, distribution) => {
    const program = programOf(`input x[n]\nrandom u[n, 2] ~ ${text}\noutput y[n, j] = x[n] * u[n, j]`);
    expect(program.tensors.get('u')).toMatchObject({ role: 'random', axes: ['n', 2], distribution });
  });

  it.each([
    ['normal(0, w[0])', 'draw `eps ~ normal(0, 1)` and write `mean + deviation * eps`'],
    ['uniform(0, sum(w))', 'draw `u ~ uniform(0, 1)` and write `low + (high - low) * u`'],
    ['bernoulli(mean(x))', 'draw `u ~ uniform(0, 1)` and write `u < probability`, which has derivative zero'],
  ])('%s cannot be drawn: its hint is the reparametrisation', (text, hint) => {
    const error = errorOf(`${given}random u[n] ~ ${text}\nloss = sum(u) * sum(w)`);
    expect([error.code, error.hint]).toEqual(['E504', hint]);
  });

  it.each([
    ['gamma(1)', 'there is no distribution `gamma`'],
    ['1', 'this is no distribution'],
    ['bernoulli(2)', '`bernoulli` needs a probability from 0 to 1, found 2'],
    ['normal(0, -1)', '`normal` needs a deviation ≥ 0, found 0, -1'],
    ['uniform(1, 0)', '`uniform` needs low ≤ high, found 1, 0'],
    ['normal(0, inf)', 'an argument of `normal` must be finite, but this is Infinity'],
  ])('%s: %s', (text, message) => {
    const error = errorOf(`${given}random u[n] ~ ${text}\nloss = sum(u) * sum(w)`);
    expect([error.code, error.message]).toEqual(['E504', message]);
  });

  it('are made for each row by itself', () => {
    expect(errorOf(`${given}random u[3, n] ~ normal\nloss = sum(u) * sum(w)`).code).toBe('E305');
  });

  it('that nothing reads are reported', () => {
    const [warning] = diagnose('input x[n]\nrandom u ~ normal\noutput y = 2 * x');
    expect(warning?.message).toBe('random tensor `u` is never used');
  });
});

describe('`..` in a reduction', () => {
  const around =
    'layer centred(x[.., c]) -> y[.., c] { m[k] = mean[..](x[.., k])\ny[.., k] = x[.., k] - m[k] }';

  it('runs over all leading axes', () => {
    expect(statementsOf('input x[n, 4, 3]\noutput y = centred(x)', around)).toEqual([
      'y_m_sum[k] = sum[n, i](x[n, i, k])',
      'y_m[k] = y_m_sum[k] / (4 * n)',
      'y[n, i, k] = x[n, i, k] - y_m[k]',
    ]);
  });

  it('over no axes is the value itself', () => {
    expect(statementsOf('input x[3]\noutput y = centred(x)', around)[0]).toBe('y_m[k] = x[k]');
  });

  it('stands for nothing outside of a layer, and once in it', () => {
    expect(diagnose('input x[n]\nloss = sum[..](x[..])')[0]?.code).toBe('E401');
    expect(errorOf('input x[n]\noutput y = softmax[..](x)').code).toBe('E205');
    const twice = 'layer f(x[..]) -> y[..] { y[..] = sum[.., ..](x[..]) }';
    expect(errorOf('input x[n]\noutput y = f(x)', twice).code).toBe('E404');
  });
});
