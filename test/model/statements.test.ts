import { describe, expect, it } from 'vitest';
import { lines, modelOf, programOf, statementsOf } from './helpers.ts';

const digits = `
model Digits {
  dim pixels = 784, hidden = 128, classes = 10
  input  x[n, pixels]
  input  label[n]: classes
  param W1[pixels, hidden]  ~ glorot_uniform
  param b1[hidden]          ~ zeros
  param W2[hidden, classes] ~ glorot_uniform
  param b2[classes]         ~ zeros
  h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]
  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
  train { optimizer: adam(rate = 1e-3), batch: 64, epochs: 10, seed: 1 }
}`;

describe('the handwritten digits', () => {
  const model = modelOf(digits);
  const { program } = model;

  it('are one statement a reduction and one a name', () => {
    expect(lines(program)).toEqual([
      'h_sum[n, j] = sum[i](x[n, i] * W1[i, j])',
      'h[n, j] = relu(h_sum[n, j] + b1[j])',
      'z_sum[n, k] = sum[j](h[n, j] * W2[j, k])',
      'z[n, k] = z_sum[n, k] + b2[k]',
      'p_logsumexp[n] = logsumexp[k](z[n, k])',
      'p[n, k] = exp(z[n, k] - p_logsumexp[n])',
      'loss_sum2[n] = sum[k]((k == label[n]) * z[n, k])',
      'loss_sum = sum[n](p_logsumexp[n] - loss_sum2[n])',
      'loss = loss_sum / n',
      'accuracy_argmax[n] = argmax[k](z[n, k])',
      'accuracy_sum = sum[n](accuracy_argmax[n] == label[n])',
      'accuracy = accuracy_sum / n',
    ]);
  });

  it('have an open dimension, outputs, a loss, a metric and a training', () => {
    expect(model.batch).toBe('n');
    expect(program.outputs).toEqual(['p']);
    expect(program.loss).toBe('loss');
    expect(program.metrics).toEqual(['accuracy']);
    expect(model.training?.groups.map(({ parameters }) => parameters)).toEqual([['W1', 'b1', 'W2', 'b2']]);
  });

  it('keep doubles where sums are long and integers where places are meant', () => {
    const elements = ['h', 'p_logsumexp', 'loss_sum', 'loss', 'accuracy_argmax', 'accuracy', 'label', 'x'];
    expect(elements.map((name) => program.tensors.get(name)?.element)).toEqual([
      'real',
      'double',
      'double',
      'double',
      'integer',
      'double',
      'integer',
      'real',
    ]);
    expect(program.tensors.get('accuracy_argmax')?.range).toEqual({ least: 0, greatest: 9 });
    expect(program.tensors.get('label')?.range).toEqual({ least: 0, greatest: 9 });
  });

  it('name the place of each statement', () => {
    const [first] = program.statements;
    const { span } = first!.origin;
    expect(span.source.text.slice(span.start, span.end)).toBe(
      'h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])',
    );
  });
});

describe('sizes', () => {
  it('are whole numbers, computed from dims', () => {
    const program = programOf('dim h = 3, w = 2*h + 1\ninput x[n, w, w - h]\noutput y = x');
    expect(program.tensors.get('x')?.axes).toEqual(['n', 7, 4]);
  });

  it('of the file are seen by its models', () => {
    expect(programOf('input x[size]\noutput y = x * size', 'dim size = 5').tensors.get('y')?.axes).toEqual([
      5,
    ]);
  });

  it('are numbers in expressions, the open one at run time', () => {
    expect(statementsOf('dim d = 4\ninput x[n, d]\noutput y[n, i] = x[n, i] * d / n')).toEqual([
      'y[n, i] = x[n, i] * 4 / n',
    ]);
  });

  it('of integer inputs have a range, with an end or with both', () => {
    const { tensors } = programOf('input a[n]: 10\ninput b[n]: -100 .. 9\noutput y = a + b');
    expect(tensors.get('a')?.range).toEqual({ least: 0, greatest: 9 });
    expect(tensors.get('b')?.range).toEqual({ least: -100, greatest: 9 });
  });
});

describe('an index as far as another', () => {
  it('runs over the open dimension, or a dim, whose name an index has', () => {
    expect(statementsOf('input x[n]\nD[n, m: n] = m == n ? x[n] : 0\noutput y[n] = max[m](D[n, m])')).toEqual(
      ['D[n, m: n] = m == n ? x[n] : 0', 'y[n] = max[m](D[n, m])'],
    );
    expect(statementsOf('dim k = 3\ninput x[n, k]\noutput y[n, k, j: k] = x[n, k] * j')).toEqual([
      'y[n, k, j: 3] = x[n, k] * j',
    ]);
  });
});

describe('index arithmetic', () => {
  it('gives an index the largest extent that keeps reads inside', () => {
    expect(
      statementsOf('input x[n, 28]\nparam K[5] ~ zeros\noutput y[n, i] = sum[u](x[n, 2*i + u] * K[u])'),
    ).toEqual(['y[n, i: 12] = sum[u](x[n, 2*i + u] * K[u])']);
  });

  it('runs backwards too', () => {
    expect(programOf('input x[n, 9]\noutput y[n, i] = x[n, 8 - i]').tensors.get('y')?.axes).toEqual(['n', 9]);
  });

  it('takes the least of several limits', () => {
    expect(
      programOf('input x[n, 9]\noutput y[n, i] = x[n, i + 2] - x[n, 2*i]').tensors.get('y')?.axes,
    ).toEqual(['n', 5]);
  });

  it('reads outside what it is told, where the extent is given', () => {
    expect(
      statementsOf(
        'input x[n, 6]\nparam K[3] ~ zeros\noutput y[n, i: 6] = sum[u]((x[n, i + u - 1] else 0) * K[u])',
      ),
    ).toEqual(['y[n, i: 6] = sum[u]((x[n, i + u - 1] else 0) * K[u])']);
  });

  it('lets a padded read that stands alone give the extent', () => {
    expect(
      programOf('input x[n, 4, 6]\noutput y[n, i, j: 9] = x[n, i, j - 1] else -inf').tensors.get('y')?.axes,
    ).toEqual(['n', 4, 9]);
  });

  it('divides with floor and takes remainders', () => {
    expect(statementsOf('input x[n, 3, 2]\noutput y[n, i] = x[n, i / 2, mod(i, 2)]')).toEqual([
      'y[n, i: 6] = x[n, i / 2, mod(i, 2)]',
    ]);
  });

  it('reads at elements of integer tensors: an embedding', () => {
    expect(
      statementsOf(
        'dim V = 50\ninput tokens[n, 12]: V\nparam E[V, 8] ~ normal(0, 0.02)\noutput e[n, t, d] = E[tokens[n, t], d]',
      ),
    ).toEqual(['e[n, t, d] = E[tokens[n, t], d]']);
  });

  it('reads at the place of a maximum', () => {
    expect(statementsOf('input x[n, 7]\nparam v[7] ~ zeros\noutput y[n] = v[argmax[k](x[n, k])]')).toEqual([
      'y_argmax[n] = argmax[k](x[n, k])',
      'y[n] = v[y_argmax[n]]',
    ]);
  });

  it('uses indices as numbers', () => {
    expect(
      statementsOf('dim D = 8\ninput x[n, 12, D]\noutput y[n, t, d] = x[n, t, d] + sin(t / 10000^(2*d/D))'),
    ).toEqual(['y[n, t, d] = x[n, t, d] + sin(t / 10000^(2 * d / 8))']);
  });

  it('reads a tensor that an index is named like', () => {
    expect(statementsOf('input s[n, 3, 3]\noutput y[n, t] = sum[s](s[n, t, s])')).toHaveLength(1);
  });

  it('pools with an extent given to the reduced index', () => {
    expect(statementsOf('input x[n, 9]\noutput y[n, i: 4] = max[u: 2](x[n, 2*i + u])')).toEqual([
      'y[n, i: 4] = max[u: 2](x[n, 2*i + u])',
    ]);
    expect(
      programOf('input x[n, 9]\noutput y[n, i] = max[u: 2](x[n, 2*i + u])').tensors.get('y')?.axes,
    ).toEqual(['n', 4]);
  });
});

describe('the left side', () => {
  it('may order the axes anew', () => {
    expect(statementsOf('input x[n, 3, 4]\noutput y[n, j, i] = x[n, i, j]')).toEqual([
      'y[n, j, i] = x[n, i, j]',
    ]);
    expect(statementsOf('input x[n, 3, 4]\ny[j, n] = sum[i](x[n, i, j])\noutput z = sum(y)')[0]).toBe(
      'y[j, n] = sum[i](x[n, i, j])',
    );
  });

  it('repeats a value along an index with an extent', () => {
    expect(statementsOf('input b[n]\noutput y[n, k: 10] = b[n]')).toEqual(['y[n, k: 10] = b[n]']);
  });
});

describe('whole tensors', () => {
  it('combine element by element, with scalars broadcast', () => {
    expect(statementsOf('input x[n, 3]\nparam s ~ ones\noutput y = relu(x * s) + x')).toEqual([
      'y[n, i] = relu(x[n, i] * s) + x[n, i]',
    ]);
  });

  it('are reduced over all axes', () => {
    expect(statementsOf('param W[3, 4] ~ ones\nloss = sum(W^2) + mean(W)')).toEqual([
      'loss_sum = sum[i, j](W[i, j]^2)',
      'loss_sum2 = sum[i, j](W[i, j])',
      'loss = loss_sum + loss_sum2 / 12',
    ]);
  });

  it('go through pipes', () => {
    expect(statementsOf('input x[n, 3]\noutput y = x |> exp |> log1p')).toEqual([
      'y[n, i] = log1p(exp(x[n, i]))',
    ]);
  });
});

describe('reductions', () => {
  it('that are a whole statement are that statement', () => {
    expect(statementsOf('input x[n, 3]\noutput m[n] = max[i](x[n, i])')).toEqual(['m[n] = max[i](x[n, i])']);
  });

  it('inside others are hoisted with the indices they depend on', () => {
    expect(statementsOf('input x[n, 3]\nloss = mean[n](sum[i](x[n, i] * prod[j](x[n, j] - i)))')).toEqual([
      'loss_prod[n, i: 3] = prod[j](x[n, j] - i)',
      'loss_sum2[n] = sum[i](x[n, i] * loss_prod[n, i])',
      'loss_sum = sum[n](loss_sum2[n])',
      'loss = loss_sum / n',
    ]);
  });

  it('that are equal are hoisted once', () => {
    expect(statementsOf('input x[n, 3]\noutput y[n] = sum[i](x[n, i]) * sum[j](x[n, j])')).toEqual([
      'y_sum[n] = sum[i](x[n, i])',
      'y[n] = y_sum[n] * y_sum[n]',
    ]);
  });

  it('divide a mean by the product of the extents', () => {
    expect(statementsOf('input x[n, 3, 4]\noutput y[i] = mean[n, j](x[n, i, j])')).toEqual([
      'y_sum[i] = sum[n, j](x[n, i, j])',
      'y[i] = y_sum[i] / (4 * n)',
    ]);
  });
});

describe('fns', () => {
  it('are macros over values', () => {
    expect(statementsOf('input x[n, 3]\noutput y = gelu(x)')).toEqual([
      'y[n, i] = 0.5 * x[n, i] * (1 + erf(x[n, i] / sqrt(2)))',
    ]);
  });

  it('bind the index that the caller names, and leave it free outside their reductions', () => {
    expect(
      statementsOf(
        'input x[n, 3, 4]\noutput y[n, a, b] = soft[b](x[n, a, b])',
        'fn soft[k](z) = exp(z) / sum[k](exp(z))',
      ),
    ).toEqual(['y_sum[n, a] = sum[b](exp(x[n, a, b]))', 'y[n, a, b] = exp(x[n, a, b]) / y_sum[n, a]']);
  });

  it('compute what depends on the bound index once', () => {
    const text =
      'input x[n, 3]\nparam A[3, 4] ~ ones\noutput y[n, k] = softmax[k](sum[j](x[n, j] * A[j, k]))';
    expect(statementsOf(text)).toEqual([
      'y_sum[n, k] = sum[j](x[n, j] * A[j, k])',
      'y_logsumexp[n] = logsumexp[k](y_sum[n, k])',
      'y[n, k] = exp(y_sum[n, k] - y_logsumexp[n])',
    ]);
  });

  it('nest', () => {
    expect(statementsOf('input x[n, 3]\noutput y[n, k] = softmax[k](softmax[k](x[n, k]))')).toEqual([
      'y_logsumexp[n] = logsumexp[k](x[n, k])',
      'y_logsumexp2[n] = logsumexp[k](exp(x[n, k] - y_logsumexp[n]))',
      'y[n, k] = exp(exp(x[n, k] - y_logsumexp[n]) - y_logsumexp2[n])',
    ]);
  });

  it('do not capture the index names of their arguments', () => {
    expect(
      statementsOf('input x[n, 3]\noutput y[n, i] = f(x, x[n, i])', 'fn f(A, z) = z + sum[i, n](A[n, i])'),
    ).toEqual(['y_sum = sum[i, n](x[n, i])', 'y[n, i] = x[n, i] + y_sum']);
  });

  it('have locals, defaults and named arguments', () => {
    const around = 'fn f(x, scale = 2) {\n  u = x * scale\n  return u + u^2\n}';
    expect(statementsOf('input x[n]\noutput y = f(x)\noutput z = f(scale = 3, x = x)', around)).toEqual([
      'y[n] = x[n] * 2 + (x[n] * 2)^2',
      'z[n] = x[n] * 3 + (x[n] * 3)^2',
    ]);
  });

  it('of the user shadow the library, whose own fns keep theirs', () => {
    const around = 'fn softplus_beta(x) = x + 1\nfn identity(x) = 2 * x';
    expect(statementsOf('input x[n]\noutput y = identity(x) + softplus_beta(x)', around)).toEqual([
      'y[n] = 2 * x[n] + (x[n] + 1)',
    ]);
  });

  it('may be used before they are defined', () => {
    const { program } = modelOf('model M {\ninput x[n]\noutput y = f(x)\n}\nfn f(x) = g(x)\nfn g(x) = x + 1');
    expect(lines(program)).toEqual(['y[n] = x[n] + 1']);
  });

  it('come from imported files', () => {
    const { program } = modelOf('import "lib.dsl"\nmodel M {\ninput x[n]\noutput y = double(x) * width\n}', {
      'lib.dsl': 'dim width = 3\nfn double(x) = 2 * x',
    });
    expect(lines(program)).toEqual(['y[n] = 2 * x[n] * 3']);
  });
});

describe('conditionals', () => {
  it('choose by a compile-time constant, and elaborate only that branch', () => {
    expect(statementsOf('dim d = 3\ninput x[n]\noutput y = d > 2 ? x : nothing_of_the_kind')).toEqual([
      'y[n] = x[n]',
    ]);
  });

  it('mask by indices', () => {
    expect(statementsOf('input x[n, 4, 4]\noutput y[n, i, j] = j <= i ? x[n, i, j] : 0')).toEqual([
      'y[n, i, j] = j <= i ? x[n, i, j] : 0',
    ]);
  });
});
