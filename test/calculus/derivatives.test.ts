/** Derivatives as terms of a model: what is put in their place, in which mode, and where they cannot stand. */
import { describe, expect, it } from 'vitest';
import { analyse, compile, type CompileOptions } from '../../compiler/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram, printStatement } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { loadModule, loadPredictor } from '../support/load.ts';

const textOf = (body: string, around = ''): string => `${around}\nmodel M {\n${body}\n}`;

function analysed(body: string, around = '') {
  const { models, diagnostics } = analyse({ path: 'test.dsl', text: textOf(body, around) });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return { model: models[0]!, diagnostics };
}

/** The program before the loss is differentiated, its derivatives expanded. */
function derived(body: string, around = ''): Program {
  const { stages, model } = analysed(body, around).model;
  const program = stages.findLast(({ pass }) => pass === 'dead' || pass === 'derive')!.program;
  expect(stages.some(({ pass }) => pass === 'derive')).toBe(true);
  for (const stage of stages) expect(validate(stage.program)).toEqual([]);
  expect(model.program.statements.some((each) => each.body.kind === 'derivative')).toBe(true);
  // `dead` runs in every preparation, the last of them after the last expansion
  const last = stages.findLastIndex(({ pass }) => pass === 'derive');
  return stages.slice(last).find(({ pass }) => pass === 'dead')?.program ?? program;
}

/** The statements from that of the first name to that of the last. */
function lines(program: Program, first: string, last: string): string[] {
  const targets = program.statements.map(({ target }) => target);
  return program.statements
    .slice(targets.indexOf(first), targets.indexOf(last) + 1)
    .map((statement) => printStatement(statement, program));
}

const valuesOf = (program: Program, tensors: Record<string, number[]>, n = 2) =>
  interpret(program, { tensors, extents: { n } });

const close = (actual: ArrayLike<number> | undefined, expected: readonly number[], digits = 9): void => {
  expect(actual?.length).toBe(expected.length);
  expected.forEach((value, place) => expect(actual![place]).toBeCloseTo(value, digits));
};

const dense =
  'input x[n, 3]\nparam W[3, 4] ~ ones\nparam v[4] ~ ones\nh[n, j] = tanh(sum[i](x[n, i] * W[i, j]))\n';

describe('grad of one element by one', () => {
  it('is reverse mode in each row, and no row meets another', () => {
    const program = derived(`${dense}y[n] = sum[j](h[n, j] * v[j])\noutput g[n, i] = grad(y[n], x[n, i])`);
    expect(lines(program, 'dy_dh', 'g')).toEqual([
      'dy_dh[j] = v[j]',
      'dy_dh_sum[n, j] = dy_dh[j] * (1 - h[n, j]^2)',
      'dy_dx[n, i] = sum[j](dy_dh_sum[n, j] * W[i, j])',
      'g[n, i] = dy_dx[n, i]',
    ]);
  });

  it('is a Jacobian where an element of y is taken by all of x: loops, with an index more', () => {
    const program = derived(
      `${dense}z[n, k: 2] = sum[j](h[n, j] * v[j]) * k\noutput J[n, k, i] = grad(z[n, k], x[n, i])`,
    );
    expect(program.tensors.get('J')?.axes).toEqual(['n', 2, 3]);
    const tensors = {
      x: [0.1, 0.2, 0.3, -0.4, 0.5, 0.6],
      W: Array.from({ length: 12 }, (_, i) => i / 12),
      v: [1, 2, 3, 4],
    };
    const J = valuesOf(program, tensors).get('J')!;
    // z[n, 0] is 0; every row of z[n, 1] is twice h v
    close(J.slice(0, 3), [0, 0, 0]);
    const s = (n: number, j: number): number =>
      [0, 1, 2].reduce((sum, i) => sum + tensors.x[3 * n + i]! * tensors.W[4 * i + j]!, 0);
    const slope = (n: number, i: number): number =>
      [0, 1, 2, 3].reduce(
        (sum, j) => sum + tensors.v[j]! * tensors.W[4 * i + j]! * (1 - Math.tanh(s(n, j)) ** 2),
        0,
      );
    close(
      J.slice(3, 6),
      [0, 1, 2].map((i) => slope(0, i)),
    );
    close(
      J.slice(9, 12),
      [0, 1, 2].map((i) => slope(1, i)),
    );
  });

  it('is forward mode where a row of x is one number', () => {
    const program = derived(
      'input t[n]\nparam a[4] ~ ones\nh[n, j] = sin(a[j] * t[n])\noutput dh[n, j] = grad(h[n, j], t[n])\nu[n] = sum[j](h[n, j])\noutput du[n] = grad(u[n], t[n])',
    );
    expect(lines(program, 'dh_dt', 'du')).toEqual([
      'dh_dt[n, j] = cos(a[j] * t[n]) * a[j]',
      'dh[n, j] = dh_dt[n, j]',
      'dh_dt2[n, j] = cos(a[j] * t[n]) * a[j]',
      'du_dt[n] = sum[j](dh_dt2[n, j])',
      'du[n] = du_dt[n]',
    ]);
  });

  it('has a name of its own for each tangent: that of t by p_dq is not that of t_dp by q', () => {
    const program = derived(
      'input q[n]\ninput p_dq[n]\nt[n, o: 2] = sin(q[n] * p_dq[n] * (o + 1))\nt_dp[n, o] = exp(t[n, o]) * q[n]\n' +
        'y[n, o] = t[n, o] * sum[k](t_dp[n, k])\noutput J[n, o] = grad(y[n, o], q[n])\noutput K[n, o] = grad(y[n, o], p_dq[n])',
    );
    const y = (q: number, p: number): number[] => {
      const t = [Math.sin(q * p), Math.sin(2 * q * p)];
      return t.map((value) => value * (Math.exp(t[0]!) + Math.exp(t[1]!)) * q);
    };
    const [q, p, step] = [0.7, 0.4, 1e-5];
    const values = valuesOf(program, { q: [q], p_dq: [p] }, 1);
    const slopes = (plus: number[], minus: number[]): number[] =>
      plus.map((value, o) => (value - minus[o]!) / (2 * step));
    close(values.get('J'), slopes(y(q + step, p), y(q - step, p)), 8);
    close(values.get('K'), slopes(y(q, p + step), y(q, p - step)), 8);
  });

  it('has the gradient of each row by what all rows share', () => {
    const program = derived(`${dense}y[n] = sum[j](h[n, j])\noutput G[n, i, j] = grad(y[n], W[i, j])`);
    expect(lines(program, 'dy_dh', 'G').at(-2)).toBe('dy_dW[n, i, j] = dy_dh_sum[n, j] * x[n, i]');
  });

  it('keeps to its row where another index is read from data', () => {
    const program = derived(
      'input x[n, 3]\ninput k[n]: 3\ny[n] = x[n, k[n]]^2\noutput g[n, i] = grad(y[n], x[n, i])',
    );
    for (const { axes } of program.tensors.values())
      expect(axes.filter((extent) => extent === 'n').length).toBeLessThan(2);
    close(valuesOf(program, { x: [1, 2, 3, 4, 5, 6], k: [1, 2] }).get('g'), [0, 4, 0, 0, 0, 12]);
  });

  it('is the diagonal of the whole where rows mix', () => {
    const program = derived('input x[n]\ny[n] = x[n] * mean[m](x[m]^2)\noutput g[n] = grad(y[n], x[n])');
    const x = [1, 2, 4];
    const mean = 7;
    close(
      valuesOf(program, { x }, 3).get('g'),
      x.map((value) => mean + value * ((2 * value) / 3)),
    );
  });

  it('is 0 between rows that do not meet', () => {
    const program = derived('input x[4]\ny[i] = x[i]^2\noutput J[i, j] = grad(y[i], x[j])');
    expect(lines(program, 'J', 'J')).toEqual(['J[i, j: 4] = j == i ? dy_dx[i] : 0']);
  });

  it('is by a tensor that is defined above, which no rule looks through', () => {
    const program = derived(
      'input z[n, 3]\np[n, k] = softmax[k](z[n, k])\nl[n] = log(p[n, 0])\noutput g[n, k] = grad(l[n], p[n, k])',
    );
    const z = [0.1, 0.2, 0.3, 1, 2, 3];
    const values = valuesOf(program, { z });
    const p = values.get('p')!;
    close(values.get('g'), [1 / p[0]!, 0, 0, 1 / p[3]!, 0, 0]);
  });

  it('is taken of the stable form', () => {
    const program = derived(
      'input z[n, 3]\np[n, k] = softmax[k](z[n, k])\nl[n] = log(p[n, 0])\noutput g[n, k] = grad(l[n], z[n, k])',
    );
    const g = valuesOf(program, { z: [-800, 800, 0] }, 1).get('g');
    close(g, [1, -1, 0]);
  });

  it('counts the later steps of a recurrence', () => {
    const program = derived(
      'input x[n, 4]\nparam a ~ ones\nscan t { h[n, t: 4] = a * (h[n, t - 1] else 0) + x[n, t] }\nscore[n] = h[n, 3]\noutput g[n, t] = grad(score[n], h[n, t])',
    );
    close(valuesOf(program, { x: [1, 2, 3, 4], a: [0.5] }, 1).get('g'), [0.125, 0.25, 0.5, 1]);
  });

  it('computes no more of a Hessian than the diagonal that a Laplacian is made of', () => {
    const program = derived(
      `${dense}y[n] = sum[j](h[n, j] * v[j])\noutput l[n] = sum[i](grad(grad(y[n], x[n, i]), x[n, i]))`,
    );
    for (const { axes } of program.tensors.values())
      expect(axes.filter((extent) => extent === 3).length).toBeLessThan(2);
    const W = Array.from({ length: 12 }, (_, i) => i / 12);
    const v = [1, 2, 3, 4];
    const x = [0.1, 0.2, 0.3];
    const laplacian = v.reduce((sum, weight, j) => {
      const rows = [0, 1, 2].map((i) => W[4 * i + j]!);
      const t = Math.tanh(rows.reduce((s, w, i) => s + w * x[i]!, 0));
      return sum + weight * -2 * t * (1 - t * t) * rows.reduce((s, w) => s + w * w, 0);
    }, 0);
    close(valuesOf(program, { x, W, v }, 1).get('l'), [laplacian]);
  });

  it('nests to any order', () => {
    const program = derived(
      'input x[n]\ny[n] = sin(x[n])\noutput d4[n] = grad(grad(grad(grad(y[n], x[n]), x[n]), x[n]), x[n])',
    );
    close(valuesOf(program, { x: [0.3, 2] }).get('d4'), [Math.sin(0.3), Math.sin(2)]);
  });

  it('is zero, with a word, where only training has what it is by', () => {
    const { model, diagnostics } = analysed(
      "input x[n]\nparam w ~ ones\nstate m ~ zeros\nm' = 0.9 * m + mean[n](x[n] * w)\ng = grad(m', w)\n" +
        'output y[n] = x[n] * g\nloss = g^2 + w^2',
    );
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'W702 in inference what is differentiated here does not depend on `w`',
    ]);
    const values = valuesOf(model.program, { x: [1, 3], w: [1], m: [0] });
    close(values.get(model.program.loss!), [5]);
    close(values.get('y'), [0, 0]);
  });

  it('says so where it is zero everywhere', () => {
    const { diagnostics } = analysed('input x[n]\ny[n] = floor(x[n])\noutput g[n] = grad(y[n], x[n])');
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'W702 this derivative is zero everywhere',
    ]);
  });
});

describe('of whole tensors', () => {
  it('the second derivatives of a number are those between different rows, too', () => {
    const program = derived(
      'input x[n]\nf = mean(x)^2\nH = hessian(f, x)\noutput d[n] = sum[m](H[n, m] * x[m])',
    );
    expect(program.tensors.get('H')?.axes).toEqual(['n', 'n']);
    close(valuesOf(program, { x: [1, 2, 5] }, 3).get('d'), [16 / 9, 16 / 9, 16 / 9]);
    const { diagnostics } = analyse({
      path: 'test.dsl',
      text: textOf('input x[n]\nf = mean(x)^2\noutput H = hessian(f, x)'),
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(['E305']);
  });

  const shapes = (body: string): Record<string, readonly unknown[]> => {
    const { program } = analysed(body).model.model;
    return Object.fromEntries(program.outputs.map((name) => [name, program.tensors.get(name)!.axes]));
  };

  it('the shapes are those of the table in LANGUAGE.md', () => {
    expect(
      shapes(
        `${dense}input d[3]\ny[n] = sum[j](h[n, j])\nf = mean(y)\n` +
          'output a = grad(f, W)\noutput b = grad(y, x)\noutput c = grad(y, W)\noutput e1 = jacobian(h, x)\n' +
          'output f1 = jacobian(h, W)\noutput g = hessian(y, x)\noutput i = hessian(f, W)\noutput k = jvp(h, x = 1, W = W)\n' +
          'output l = jvp(grad(f, W), W = 2)',
      ),
    ).toEqual({
      a: [3, 4],
      b: ['n', 3],
      c: ['n', 3, 4],
      e1: ['n', 4, 3],
      f1: ['n', 4, 3, 4],
      g: ['n', 3, 3],
      i: [3, 4, 3, 4],
      k: ['n', 4],
      l: [3, 4],
    });
  });

  it('print as terms, and are read back', () => {
    const body = `${dense}output J = jacobian(h, x)\noutput d = jvp(h, W = W)`;
    const [, ...text] = printProgram(analysed(body).model.model.program).split('\n');
    expect(text.join('\n')).toContain('output J[n, j, i] = grad(h[n, j], x[n, i])');
    expect(text.join('\n')).toContain('output d[n, j] = jvp(h, W = W)[n, j]');
    const again = derived(text.slice(0, -2).join('\n'));
    expect(printProgram(again)).toBe(printProgram(derived(body)));
  });

  it('a Hessian times a vector makes no Hessian', () => {
    const program = derived(
      'input x[n, 50]\ninput u[50]\nparam w[50] ~ ones\nf = mean[n](sum[i](x[n, i] * w[i])^4)\noutput Hu = jvp(grad(f, w), w = u)',
    );
    for (const { axes } of program.tensors.values())
      expect(axes.filter((extent) => extent === 50).length).toBeLessThan(2);
  });
});

describe('in a compiled module', () => {
  const run = async (body: string, options: CompileOptions) => {
    const { modules, diagnostics } = await compile(
      { path: 'test.dsl', text: textOf(body) },
      { dtype: 'f64', format: false, ...options },
    );
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    return loadModule(modules[0]!.text);
  };

  it('is what the model used in inference has: without dropout', async () => {
    const body =
      'input x[n, 3]\nh = x |> dropout(0.5)\ny[n] = sum[i](h[n, i]^2)\noutput g = grad(y, x)\nparam a ~ ones\nloss = a * mean(g^2)';
    const trainer = (await run(body, {})).createTrainer();
    const x = [1, 2, 3, 4, 5, 6];
    close(
      trainer.predict({ x })['g'],
      x.map((value) => 2 * value),
    );
  });

  it('is in what predicts alone', async () => {
    const body = `${dense}y[n] = sum[j](h[n, j] * v[j])\noutput g = grad(y, x)\nloss = mean(y^2)`;
    const { modules } = await compile(
      { path: 'test.dsl', text: textOf(body) },
      { inference: true, format: false, dtype: 'f64' },
    );
    const predictor = loadPredictor(modules[0]!.text).createPredictor({ batch: 2 });
    const given = { W: Array.from({ length: 12 }, (_, i) => i / 12), v: [1, 2, 3, 4] };
    const x = [0.1, 0.2, 0.3, -0.4, 0.5, 0.6];
    predictor.setWeights(given);
    const trainer = (await run(body, {})).createTrainer({ batch: 2 });
    trainer.setWeights(given);
    close(predictor.predict({ x })['g'], Array.from(trainer.predict({ x })['g']!));
    expect(modules[0]?.text).not.toContain('backward');
  });

  it('a parameter that only the primal depends on has the gradient 0, with a word on it', async () => {
    const body =
      'input x[n]\nparam a ~ ones\nparam b ~ ones\ny[n] = a * x[n]^2 + b\nloss = mean[n](grad(y[n], x[n])^2)';
    const { diagnostics } = analyse({ path: 'test.dsl', text: textOf(body) });
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'W702 the gradient of the parameter `b` is zero everywhere',
    ]);
    const trainer = (await run(body, {})).createTrainer();
    trainer.gradientsOnBatch({ x: [1, 2] });
    close(trainer.getGradients()['b'], [0]);
    close(trainer.getGradients()['a'], [20]);
  });
});

describe('is refused', () => {
  const found = (body: string, around = ''): string[] =>
    analyse({ path: 'test.dsl', text: textOf(body, around) })
      .diagnostics.filter(({ severity }) => severity === 'error')
      .map(
        ({ code, message, span }) => `${code} '${span.source.text.slice(span.start, span.end)}' ${message}`,
      );

  it.each([
    [
      'of what does not depend on it',
      'input x[n]\ninput y[n]\noutput g[n] = grad(x[n]^2, y[n])',
      "E612 'grad(x[n]^2, y[n])' what is differentiated here does not depend on `y`",
    ],
    [
      'by integers',
      'input k[n]: 5\noutput g[n] = grad(k[n]^2, k[n])',
      "E611 'k[n]' this holds integers, which have no derivative",
    ],
    [
      'of a place',
      'input x[n, 3]\nk[n] = argmax[i](x[n, i])\noutput g[n, i] = grad(k[n], x[n, i])',
      "E611 'k[n]' this holds integers, which have no derivative",
    ],
    [
      'of several elements a row',
      'input x[n, 3]\nz = x * 2\noutput g = grad(z, x)',
      "E611 'z' this has the shape [n, 3]: it is no single number, nor one a row",
    ],
    [
      'by what has no name',
      'input x[n]\noutput g[n] = grad(x[n]^2, 2 * x[n])',
      "E611 '2 * x[n]' `grad` is by a tensor that has a name, or by one element of it",
    ],
    [
      'of an element by a whole tensor',
      'input x[n, 3]\ny[n] = sum[i](x[n, i])\noutput g[n] = sum(grad(y[n], x))',
      "E611 'x' `x` is read without indices, but what is differentiated is one element",
    ],
    [
      'in a scan',
      'input x[n, 3]\nscan t { h[n, t: 3] = (h[n, t - 1] else 0) + grad(x[n, t]^2, x[n, t]) }\noutput h2 = h * 1',
      "E610 'grad(x[n, t]^2, x[n, t])' `grad` cannot stand in a `scan`, of which all steps are needed first",
    ],
    [
      'with one argument',
      'input x[n]\noutput g[n] = grad(x[n])',
      "E205 'grad(x[n])' `grad` takes what is differentiated, and by what",
    ],
    [
      'with brackets',
      'input x[n]\noutput g[n] = grad[n](x[n], x[n])',
      "E205 'grad[n](x[n], x[n])' `grad` binds no index",
    ],
    [
      'jvp without a direction',
      'input x[n]\noutput g = jvp(x, x)',
      "E205 'jvp(x, x)' `jvp` takes what is differentiated, and directions by the names of tensors",
    ],
    [
      'jvp along another shape',
      'input x[n, 3]\ninput v[3]\noutput g = jvp(x, x = v)',
      "E611 'v' the direction of `x` must have its shape, [n, 3], but this is [3]",
    ],
    [
      'jvp along two directions of one tensor',
      'input x[n]\noutput g = jvp(x, x = 1, x = 2)',
      "E205 'x' `x` is given two directions",
    ],
    ['jvp by a name that is none', 'input x[n]\noutput g = jvp(x, y = x)', "E201 'y' there is no `y` here"],
    [
      'jvp by a recurrence',
      'input x[n, 3]\nscan t { h[n, t: 3] = (h[n, t - 1] else 0) + x[n, t] }\noutput g = jvp(h, h = 1)',
      "E611 'jvp(h, h = 1)' `h` is computed step by step, so it cannot vary by itself",
    ],
    [
      'hessian of an element',
      'input x[n, 3]\ny[n] = sum[i](x[n, i]^2)\noutput g[n] = hessian(y[n], x[n, 0])',
      "E611 'x[n, 0]' `hessian` takes a whole tensor, and this is one element",
    ],
    [
      'jacobian of an element',
      'input x[n, 3]\noutput g[n] = jacobian(x[n, 0], x[n, 0])',
      "E611 'x[n, 0]' `jacobian` takes whole tensors, and this is one element",
    ],
  ])('%s', (_, body, message) => {
    expect(found(body)).toEqual([message]);
  });

  it('where a tensor of it would have three open axes: second derivatives of different rows, where rows mix', () => {
    const rows =
      'input x[n, 3]\nparam w[3] ~ ones\ns[n] = tanh(sum[i](x[n, i] * w[i]))\nu[n] = s[n] / (mean[m](s[m]^2) + 1)\n';
    const loss = '\nloss = mean(H^2)';
    const second = 'H[n, i, j] = sum[k](grad(grad(u[n], x[n, i]), x[k, j]))';
    expect(found(rows + second + loss)).toEqual([
      expect.stringMatching(
        /^E305 .* this needs a tensor of the shape \[n, 3, n, n\] .* no more than two axes can be open$/,
      ),
    ]);
    expect(found(`${rows}H[n, i, j] = grad(grad(u[n], x[n, i]), x[n, j])${loss}`)).toEqual([]);
  });

  it('in an optimizer', () => {
    const around = "optimizer odd(rate = 0.1) {\n p' = p - rate * grad(g, p)\n}";
    const body = 'input x[n]\nparam a ~ ones\nloss = mean(a * x)\ntrain { optimizer: odd }';
    expect(found(body, around)[0]).toMatch(/^E610 .* `grad` stands in a model or a layer only$/);
  });

  it('through a scatter that has no derivative', () => {
    const body = 'input x[4]\ny[i / 2: 2] max= x[i] for i\noutput g[j, i] = grad(y[j], x[i])';
    expect(found(body)[0]).toMatch(/^E603 .*scattered max/);
  });
});
