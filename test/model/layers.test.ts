import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { diagnose, errorOf, lines, modelOf, programOf, statementsOf, textOf } from './helpers.ts';

const parameters = (body: string, around = ''): string[] =>
  [...programOf(body, around).tensors.values()]
    .filter(({ role }) => role === 'parameter')
    .map(({ name, axes }) => `${name}[${axes.join(', ')}]`);

describe('a layer call that is a whole statement', () => {
  it('gives the statement its name, and its parameters names made from it', () => {
    const body = 'input x[n, 784]\noutput h = x |> dense(128)';
    expect(parameters(body)).toEqual(['h_W[784, 128]', 'h_b[128]']);
    expect(statementsOf(body)).toEqual([
      'h_sum[n, o] = sum[i](x[n, i] * h_W[i, o])',
      'h[n, o] = h_sum[n, o] + h_b[o]',
    ]);
  });

  it('takes any number of leading axes where `..` stands', () => {
    expect(statementsOf('input x[n, 12, 784]\noutput h = dense(x, 5)')).toEqual([
      'h_sum[n, j, o] = sum[i](x[n, j, i] * h_W[i, o])',
      'h[n, i, o] = h_sum[n, i, o] + h_b[o]',
    ]);
    expect(parameters('input x[784]\noutput h = dense(x, 5)')).toEqual(['h_W[784, 5]', 'h_b[5]']);
  });
});

describe('how the weights of a layer begin', () => {
  /** Parameter -> what it begins with, however that was written. */
  const begins = (body: string, around = ''): Record<string, unknown> =>
    Object.fromEntries(
      [...programOf(body, around).tensors.values()].flatMap(({ name, role, initializer }) => {
        const { name: _, ...values } = initializer ?? {};
        return role === 'parameter' && !name.endsWith('_b') ? [[name, values]] : [];
      }),
    );
  const normal = (deviation: number): unknown => ({
    kind: 'normal',
    mean: 0,
    deviation: expect.closeTo(deviation, 12),
  });
  const limit = Math.sqrt(6 / (8 + 2));
  const glorot = { kind: 'uniform', low: expect.closeTo(-limit, 12), high: expect.closeTo(limit, 12) };

  it.each<[string, unknown]>([
    ['dense(2)', glorot],
    ['dense(2, init = he_normal)', normal(Math.sqrt(2 / 8))],
    ['dense(2, init = lecun_normal(gain = 3))', normal(3 * Math.sqrt(1 / 8))],
    ['dense(2, init = normal(0, 1 / wide))', normal(1 / 8)],
    ['dense(2, true, orthogonal)', { kind: 'orthogonal', gain: 1 }],
    ['dense(2, init = 0.5)', { kind: 'constant', value: 0.5 }],
  ])('%s', (call, initializer) => {
    expect(begins(`dim wide = 8\ninput x[n, wide]\noutput h = x |> ${call}`)).toEqual({ h_W: initializer });
  });

  it.each([
    ['conv2d(2, 3', '6, 6, 4', 3 * 3 * 4],
    ['conv1d(2, 3', '6, 4', 3 * 4],
    ['depthwise_conv2d(3', '6, 6, 4', 3 * 3],
    ['conv_transpose2d(2, 3', '6, 6, 4', 3 * 3 * 4],
  ])('%s, init = lecun_normal)', (call, sizes, connections) => {
    const of = (more: string): unknown =>
      begins(`input x[n, ${sizes}]\noutput h = x |> ${call}${more})`)['h_K'];
    const [he, lecun] = [of(''), of(', init = lecun_normal')] as { deviation: number }[];
    expect(he!.deviation / lecun!.deviation).toBeCloseTo(Math.SQRT2, 12);
    if (!call.startsWith('depthwise')) expect(lecun).toEqual(normal(1 / Math.sqrt(connections)));
  });

  const layer =
    'layer step(x[n, i], units, first = he_normal(gain = i)) -> y[n, units] {\ny = x |> dense(units, init = first)\n}';
  it('is handed on from layer to layer, and a default knows the sizes of its layer', () => {
    expect(begins('input x[n, 8]\noutput h = x |> step(2)', layer)).toEqual({
      h_y_W: normal(8 * Math.sqrt(2 / 8)),
    });
    expect(begins('input x[n, 8]\noutput h = x |> step(2, first = ones)', layer)).toEqual({
      h_y_W: { kind: 'constant', value: 1 },
    });
  });

  it('need not have a default, and may be that of a state', () => {
    const around = `layer shift(x[n, i], first) -> y[n, i] {
      state s[i] ~ first
      s'[k] = s[k] + mean[n](x[n, k])
      y[n, k] = x[n, k] + s[k]
    }`;
    const program = programOf('input x[n, 8]\noutput h = x |> shift(ones)', around);
    expect(program.tensors.get('h_s')?.initializer).toEqual({ kind: 'constant', value: 1 });
  });

  it.each([
    ['dense(2, init = he_norml)', 'E503', 'he_norml', 'there is no initialiser `he_norml`'],
    ['dense(2, init = relu)', 'E503', 'relu', 'there is no initialiser `relu`'],
    ['dense(2, init = orthogonal(1, 2))', 'E205', 'orthogonal(1, 2)', 'takes 1 arguments'],
    ['dense(2, init = normal(0, -1))', 'E503', 'normal(0, -1)', 'needs a deviation'],
    ['dense(2, init = x)', 'E503', 'x', 'there is no initialiser `x`'],
    ['dense(2, bias = he_normal)', 'E201', 'he_normal', 'there is no `he_normal` here'],
    ['odd(2)', 'E503', 'first', '`first` says how a parameter begins and is no number'],
  ])('%s is an error', (call, code, underlined, message) => {
    const around =
      'layer odd(x[n, i], units, first = ones) -> y[n, units] {\nz = x |> dense(units, init = first)\ny[n, o] = first * z[n, o]\n}';
    const error = errorOf(`input x[n, 8]\noutput h = x |> ${call}`, around);
    expect([error.code, textOf(error.span)]).toEqual([code, underlined]);
    expect(error.message).toContain(message);
  });

  it.each([
    ['dense(2, he_normal)', 'he_normal', '`init = he_normal`'],
    ['dense(2, bias = normal(0, 1))', 'normal(0, 1)', '`init = normal(...)`'],
  ])('%s: an initialiser without its name is told the name', (call, underlined, hint) => {
    const error = errorOf(`input x[n, 8]\noutput h = x |> ${call}`);
    expect([error.code, textOf(error.span)]).toEqual(['E201', underlined]);
    expect(error.hint).toContain(hint);
  });

  it('cannot be said of weights that are another call’s', () => {
    const error = errorOf(
      'input x[n, 8]\nh = x |> dense(2)\noutput k = x |> dense(2, init = zeros, weights = h)',
    );
    expect([error.code, textOf(error.span)]).toEqual(['E205', 'zeros']);
    expect(error.message).toBe("`init` has nothing to say of weights that are another call's");
  });
});

describe('several layer calls in a statement', () => {
  it('are numbered where one layer is called twice', () => {
    expect(parameters('input x[n, 6]\noutput z = x |> dense(5) |> relu |> dense(4) |> scale', scale)).toEqual(
      ['z_dense1_W[6, 5]', 'z_dense1_b[5]', 'z_dense2_W[5, 4]', 'z_dense2_b[4]', 'z_scale_g[4]'],
    );
  });

  it('put what is between them into tensors of their own', () => {
    expect(statementsOf('input x[n, 6]\noutput z = x |> scale |> relu |> scale', scale)).toEqual([
      'z_scale1_y[n, i] = x[n, i] * z_scale1_g[i]',
      'z_relu[n, i] = relu(z_scale1_y[n, i])',
      'z[n, i] = z_relu[n, i] * z_scale2_g[i]',
    ]);
  });
});

const scale = 'layer scale(x[.., i]) -> y[.., i] {\n  param g[i] ~ ones\n  y[.., i] = x[.., i] * g[i]\n}';

describe('`..` counted as one axis', () => {
  const around = (body: string, axes = 'n, ..'): string =>
    `layer rows(x[${axes}]) -> y[n, size] {\ndim size = extent(..)\n${body}\n}`;
  const flat = 'y[n, i] = x[n, ..i]';

  it('runs over all its places, the last axis fastest', () => {
    const read = (shape: string): string[] =>
      statementsOf(`input x[${shape}]\noutput y = rows(x)`, around(flat));
    expect(read('n, 4, 3')).toEqual(['y[n, i: 12] = x[n, i / 3, mod(i, 3)]']);
    expect(read('n, 5, 4, 3')).toEqual(['y[n, i: 60] = x[n, i / 12, mod(i / 3, 4), mod(i, 3)]']);
    expect(read('n, 4')).toEqual(['y[n, i] = x[n, i]']);
    expect(read('n')).toEqual(['y[n, i: 1] = x[n]']);
  });

  it.each([
    ['y[n, i: size] = x[n, ..i + 1]', 'n, 4, 3', "E102 '+'"],
    ['y[n, i: size] = sum[k: 13](x[n, ..k])', 'n, 4, 3', "E403 'k'"],
    ['y[n, i: size] = x[n, ..k]', 'n, 4, 3', "E405 'k'"],
    ['y[n, i] = x[n, ..i] + ..', 'n, 4, 3', "E102 '..'"],
    ['y[n, i: size] = extent(..) * abs(..)', 'n, 4, 3', "E308 '..'"],
  ])('may be wrong: %s', (body, shape, wanted) => {
    const error = errorOf(`input x[${shape}]\noutput y = rows(x)`, around(body));
    expect(`${error.code} '${textOf(error.span)}'`).toBe(wanted);
  });

  it('may not have the open dimension among its axes', () => {
    const text = 'layer rows(x[..]) -> y[6] {\ny[i: 6] = x[..i]\n}';
    const error = errorOf('input x[n, 6]\noutput y = rows(x)', text);
    expect(error).toMatchObject({ code: 'E304', hint: expect.stringContaining('x[n, ..]') });
  });
});

describe('layers', () => {
  it('compute from sizes, defaults and numbers by name', () => {
    const around = `
layer windows(x[n, w], size, stride = 1) -> y[n, out, size] {
  dim out = floor((w - size) / stride) + 1
  y[n, i: out, u: size] = x[n, stride*i + u]
}`;
    expect(statementsOf('input x[n, 10]\noutput y = windows(x, stride = 2, size = 3)', around)).toEqual([
      'y[n, i: 4, u: 3] = x[n, 2*i + u]',
    ]);
    expect(programOf('input x[n, 10]\noutput y = windows(x, 3)', around).tensors.get('y')?.axes).toEqual([
      'n',
      8,
      3,
    ]);
  });

  it('call others, whose names begin with the names they have inside', () => {
    const around = `
layer block(x[.., i], units) -> y[.., i] {
  h = x |> dense(units) |> gelu
  y = x + dense(h, i)
}`;
    expect(
      parameters('input x[n, 6]\na = block(x, 24)\noutput b = a |> block(8) |> block(4)', around),
    ).toEqual([
      'a_h_W[6, 24]',
      'a_h_b[24]',
      'a_y_W[24, 6]',
      'a_y_b[6]',
      'b_block1_h_W[6, 8]',
      'b_block1_h_b[8]',
      'b_block1_y_W[8, 6]',
      'b_block1_y_b[6]',
      'b_block2_h_W[6, 4]',
      'b_block2_h_b[4]',
      'b_block2_y_W[4, 6]',
      'b_block2_y_b[6]',
    ]);
  });

  it('may have several tensors that agree on `..`, and axes without a name', () => {
    const around = 'layer join(a[.., i], b[.., _]) -> y[.., i] { y[.., i] = a[.., i] * sum[j](b[.., j]) }';
    expect(statementsOf('input x[n, 2, 3]\ninput z[n, 2, 5]\noutput y = join(x, z)', around)).toEqual([
      'y_sum[n, i] = sum[j](z[n, i, j])',
      'y[n, j, i] = x[n, j, i] * y_sum[n, j]',
    ]);
  });

  it('take whole-tensor expressions and integer inputs', () => {
    const around = `
layer embed(tokens[n, t], vocabulary, size) -> e[n, t, size] {
  param E[vocabulary, size] ~ normal(0, 0.02)
  e[n, t, d] = E[tokens[n, t], d]
}`;
    expect(statementsOf('input tokens[n, 4]: 50\noutput e = tokens |> embed(50, 3)', around)).toEqual([
      'e[n, t, d] = e_E[tokens[n, t], d]',
    ]);
    expect(statementsOf('input x[n, 4]\noutput e = (x + 1) |> dense(2)')).toEqual([
      'e_x[n, i] = x[n, i] + 1',
      'e_sum[n, o] = sum[i](e_x[n, i] * e_W[i, o])',
      'e[n, o] = e_sum[n, o] + e_b[o]',
    ]);
  });

  it('are read by their names in the statements that follow', () => {
    const program = programOf(
      'input x[n, 6]\nh = x |> dense(2) |> tanh\nloss = mean(h^2) + 1e-3 * sum(h_W^2)\nr[j] = h_b[j] + 1\noutput r',
    );
    expect(lines(program)).toContain('loss_sum2 = sum[i, j](h_W[i, j]^2)');
    expect(lines(program)).toContain('r[j] = h_b[j] + 1');
  });

  it.each([
    ['before', 'param h_W[6] ~ ones\nh = dense(x, 2)\noutput y = h\noutput z = x * sum(h_W)'],
    ['after', 'h = dense(x, 2)\noutput y = h\noutput h_W = x * 2'],
  ])('cannot have a name that the user gave %s', (_, body) => {
    const { code, span, message, notes } = errorOf(`input x[n, 6]\n${body}`);
    expect([code, textOf(span), notes.map((note) => textOf(note.span))]).toEqual(['E202', 'h_W', ['dense']]);
    expect(message).toMatch(/parameter that a layer call makes/);
  });

  it('are not known before their statement', () => {
    const { code, hint } = errorOf('input x[n, 6]\ns = sum(h_W)\nh = dense(x, 2)\noutput y = h * s');
    expect([code, hint]).toEqual(['E203', 'its parameters can be read in the statements after it']);
  });

  it('keep their own places as origins, and the places of the calls as history', () => {
    const { program } = modelOf(`${scale}\nmodel M {\n  input x[n, 6]\n  output z = scale(x)\n}`);
    const [statement] = program.statements;
    const { span, history } = statement!.origin;
    expect(span.source.text.slice(span.start, span.end)).toBe('y[.., i] = x[.., i] * g[i]');
    expect(history).toEqual(['scale, called at test.dsl:7']);
  });

  it('compute what the same statements in the model compute', () => {
    const layered = programOf('input x[n, 2]\noutput y = x |> dense(3) |> relu');
    const tensors = new Map([
      ['x', Float64Array.of(1, -2, 0.5, 4)],
      ['y_W', Float64Array.of(1, 2, 3, 4, 5, 6)],
      ['y_b', Float64Array.of(0.5, 7, 10)],
    ]);
    const result = interpret(layered, { extents: { n: 2 }, tensors });
    // x W = [[-7, -8, -9], [16.5, 21, 25.5]]
    expect([...(result.get('y') ?? [])]).toEqual([0, 0, 1, 17, 28, 35.5]);
  });
});

describe('the order of parameters', () => {
  it('is that of their first appearance', () => {
    const body =
      'input x[n, 6]\nparam W[6] ~ ones\nh = dense(x, 2)\nparam V[2] ~ ones\noutput y[n, i] = h[n, i] * V[i] * sum[j](W[j])';
    expect(parameters(body)).toEqual(['W[6]', 'h_W[6, 2]', 'h_b[2]', 'V[2]']);
  });
});

describe('a model of layers', () => {
  it('trains what layers own', () => {
    const model = modelOf(`
model Digits {
  input x[n, 784]
  input label[n]: 10
  z = x |> dense(128) |> relu |> dense(10)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  train { optimizer: sgd(rate = 0.1), freeze: ["z_dense1_*"] }
}`);
    expect(model.training?.groups.map(({ parameters }) => parameters)).toEqual([
      ['z_dense2_W', 'z_dense2_b'],
    ]);
    expect(model.program.tensors.get('z_dense1_W')?.frozen).toBe(true);
    expect(lines(model.program).at(-1)).toBe('loss = loss_sum / n');
  });
});

describe('the open dimension', () => {
  it.each(['gru(4)', 'multi_head_attention(2)', 'flip', 'dense(3)'])(
    'is not what follows `..`: rows are no steps in %s',
    (call) => {
      const shape = call === 'dense(3)' ? 'n' : 'n, 8';
      const error = errorOf(`input x[${shape}]\noutput y = x |> ${call}`);
      expect(`${error.code} '${textOf(error.span)}'`).toBe("E305 'x'");
      expect(error.hint).toMatch(/^give a tensor of the shape `x\[n, (t, )?[icd]\]`$/);
    },
  );
});

describe('what is wrong in a layer of the library', () => {
  it('is a size that another argument has said', () => {
    const error = errorOf('input x[n, 12, 3]\ninput m[n, 11]\noutput y = masked_lstm(x, m, 4)');
    expect(`${error.code} '${textOf(error.span)}' ${error.message}`).toBe(
      "E301 'm' axis 2 of `mask` is 11, but `t` is 12",
    );
    expect(error.notes.map(({ span, message }) => `'${textOf(span)}' ${message}`)).toEqual([
      "'mask[.., t]' declared here",
      "'t' `t` is 12 here",
    ]);
  });

  it('is shown at the argument that is wrong, also if it was handed on', () => {
    for (const call of ['dense(0)', 'residual_dense(0)', 'lstm(forget = 1, units = 0)']) {
      const error = errorOf(`input x[n, 5, 3]\noutput y = x |> ${call}`);
      expect(`${error.code} '${textOf(error.span)}'`).toBe("E303 '0'");
      expect(error.notes[0]?.span.source.path).toMatch(/^prelude/);
      expect(error.hint).toContain('another number');
    }
  });

  it('is shown at the call where several arguments are, once, with the numbers', () => {
    const error = errorOf('input x[n, 5, 3]\noutput y = x |> group_norm(groups = 2)');
    expect(`${error.code} '${textOf(error.span)}'`).toBe("E303 'group_norm(groups = 2)'");
    expect(error.message).toBe('in `group_norm` dim `own` must be a whole number, but this is 1.5');
    expect(error.notes[0]?.message).toBe('here, in the library, where `c` is 3 and `groups` is 2');
  });

  it('is shown at the call of the library that a layer of the model makes, with the call of that', () => {
    const around = 'layer net(x[n, i], size) -> y[n, size] {\ny = x |> dense(size)\n}';
    const error = errorOf('input x[n, 3]\noutput y = net(x, 0)', around);
    expect(error.span.source.path).toBe('test.dsl');
    expect(textOf(error.span)).toBe('size');
    expect(error.notes.map(({ span }) => textOf(span))).toEqual(['units', 'net']);
  });

  it('is each shown once of several calls', () => {
    const body = 'input x[n, 3]\na = x |> dense(0)\nb = x |> dense(-1)\noutput y = x';
    const places = diagnose(body).filter(({ severity }) => severity === 'error');
    expect(places.map(({ span }) => textOf(span))).toEqual(['0', '-1']);
  });
});
