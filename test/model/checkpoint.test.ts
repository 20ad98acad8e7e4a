/** `checkpoint` in the language: where it stands, what it marks, what is said where it makes no sense. */
import { describe, expect, it } from 'vitest';
import { diagnose, modelOf, programOf, textOf } from './helpers.ts';

const marks = (body: string, around = ''): Record<string, string> =>
  Object.fromEntries(
    programOf(body, around).statements.flatMap(({ target, checkpoint }) =>
      checkpoint ? [[target, checkpoint.block]] : [],
    ),
  );

const two = 'layer two(x[.., i]) -> y[.., i] {\n a = x |> dense(i)\n y = tanh(a)\n}';

describe('checkpoint', () => {
  it('marks what lies inside of the statement, and not its result', () => {
    expect(marks('input x[n, 4]\ncheckpoint h = x |> two\nloss = mean(h^2)', two)).toEqual({
      h_a_sum: 'h',
      h_a: 'h',
    });
  });

  it('stands before a statement with indices: its reductions lie inside', () => {
    const body =
      'input x[n, 4]\nparam W[4, 3] ~ ones\ncheckpoint h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))\nloss = mean(h^2)';
    expect(marks(body)).toEqual({ h_sum: 'h' });
  });

  it('may stand in a layer; inside of another one the outer counts', () => {
    const around = `${two}\nlayer deep(x[.., i]) -> y[.., i] {\n checkpoint b = x |> two\n y = b + x\n}`;
    const body = 'input x[n, 4]\nh = x |> deep\ncheckpoint g = h |> deep\nloss = mean(g^2)';
    expect(marks(body, around)).toEqual({
      h_b_a_sum: 'h_b',
      h_b_a: 'h_b',
      g_b_a_sum: 'g',
      g_b_a: 'g',
      g_b: 'g',
    });
  });

  it('is no reserved word', () => {
    expect(programOf('input x[n]\ncheckpoint[n] = 2 * x[n]\noutput checkpoint').outputs).toEqual([
      'checkpoint',
    ]);
    expect(programOf('input x[n]\ncheckpoint = 2 * x\noutput checkpoint').outputs).toEqual(['checkpoint']);
  });

  it('counts for nothing in a layer of a model that is not trained', () => {
    modelOf(
      `${two}\nlayer deep(x[.., i]) -> y[.., i] {\n checkpoint b = x |> two\n y = b + x\n}\nmodel M {\n input x[n, 4]\n output h = x |> deep\n}`,
    );
  });
});

describe('checkpoint out of place', () => {
  const input = 'input x[n, 5, 4]\n';
  it.each([
    [
      'in a scan',
      'scan t { checkpoint h[n, t, c] = x[n, t, c] + (h[n, t - 1, c] else 0) }\nloss = mean(h^2)',
      /scan/,
      /before the call/,
    ],
    ['before an output', 'checkpoint output h = x |> two\nloss = mean(h^2)', /before `output`/, /output h/],
    [
      'before the next value of a state',
      "state s ~ zeros\ncheckpoint s' = mean(x)\nloss = mean(x) * s",
      /next value/,
      /leave out/,
    ],
    [
      'where nothing lies inside',
      'checkpoint h = tanh(x)\nloss = mean(h^2)',
      /one statement/,
      /before the call/,
    ],
    ['in a model without a loss', 'checkpoint h = x |> two\noutput h', /no loss/, /leave out/],
  ])('%s', (_, body, message, hint) => {
    const found = diagnose(input + body, two).filter(({ severity }) => severity === 'error');
    expect(found.map(({ code, span }) => [code, textOf(span)])).toEqual([['E604', 'checkpoint']]);
    expect(found[0]?.message).toMatch(message);
    expect(found[0]?.hint).toMatch(hint);
  });

  it('in a function', () => {
    const [found] = diagnose(
      'input x[n]\noutput y = f(x)',
      'fn f(x) {\n checkpoint a = x * x\n return a + 1\n}',
    );
    expect(found).toMatchObject({ code: 'E604', message: '`checkpoint` cannot stand in a fn' });
  });
});
