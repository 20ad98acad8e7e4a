/** What a whole model is told: what follows from a mistake, what is not used, what is missing. */
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { analyse } from '../../compiler/index.ts';
import type { SyntaxExpression, SyntaxFile } from '../../compiler/syntax/tree.ts';
import { elaborate } from '../../compiler/model/index.ts';
import { describeDiagnostic, diagnose, elaborateText, errorOf, lineOf, textOf } from './helpers.ts';

const withTwoParameters = (more: string) => `input x[n, 3]\nparam w[3] ~ ones\nparam u[3] ~ ones\n${more}`;

describe('parameters that the loss does not reach', () => {
  it('are errors, with what is known', () => {
    const error = errorOf(
      withTwoParameters('output y[n, i] = x[n, i] * u[i]\nloss = mean[n, i](x[n, i] * w[i])'),
    );
    expect([error.code, textOf(error.span)]).toEqual(['E601', 'u']);
    expect(error.message).toMatch(/the loss depends on `w`/);
    expect(error.notes.map(({ span }) => textOf(span))).toEqual(['y[n, i] = x[n, i] * u[i]']);
    expect(error.hint).toMatch(/freeze: \[u\]/);
  });

  it('are fine if they are frozen', () => {
    const text = 'loss = mean[n, i](x[n, i] * w[i])\ntrain { optimizer: sgd(rate = 0.1), freeze: [u] }';
    expect(diagnose(withTwoParameters(text)).map(({ code }) => code)).toEqual([]);
  });
});

describe('what is never used', () => {
  it.each([
    ['an input', 'input x[n]\ninput z[n]\noutput y = x', 'z'],
    ['a statement', 'input x[n]\nz = x + 1\noutput y = x', 'z'],
    ['a dim', 'dim d = 3\ninput x[n]\noutput y = x', 'd'],
  ])('is warned of: %s', (_, body, name) => {
    const [warning, ...others] = diagnose(body);
    expect(others).toEqual([]);
    expect([warning?.code, warning?.severity, warning && textOf(warning.span)]).toEqual([
      'W701',
      'warning',
      name,
    ]);
  });

  it('is warned of: a fn', () => {
    const list = diagnose('input x[n]\noutput y = f(x)', 'fn f(x) = x\nfn g(x) = x');
    expect(list.map(describeDiagnostic)).toEqual(["W701 'g' fn `g` is never called"]);
  });

  it('is not a dim of the train block', () => {
    const body =
      'dim B = 32\ninput x[n]\nparam w ~ ones\nloss = w * mean(x)\ntrain { optimizer: sgd(rate = 1 / B), batch: B }';
    expect(diagnose(body)).toEqual([]);
  });

  it('is no parameter of a layer that a condition leaves out: it is not made', () => {
    const layer =
      'layer f(x[.., i], bias = true) -> y[.., i] {\nparam s[i] ~ ones\nparam b[i] ~ zeros\ny[.., j] = bias ? s[j] * x[.., j] + b[j] : s[j] * x[.., j]\n}';
    const { models, list } = elaborateText(
      `${layer}\nmodel M {\ninput x[n, 3]\ny = x |> f(bias = false)\nloss = mean(y^2)\n}`,
    );
    expect(list).toEqual([]);
    expect([...(models[0]?.program.tensors.keys() ?? [])]).not.toContain('y_b');
  });
});

describe('training', () => {
  it('needs parameters', () => {
    const error = errorOf('input x[n]\nloss = mean(x)\ntrain { optimizer: sgd(rate = 1) }');
    expect([error.code, error.message]).toEqual([
      'E210',
      'there is nothing to train: the model has no parameters',
    ]);
  });

  it('may be left open by a block that only freezes', () => {
    const { models, list } = elaborateText(
      'model M {\ninput x[n]\nparam w ~ ones\nloss = w * mean(x)\ntrain { freeze: w }\n}',
    );
    expect(list).toEqual([]);
    expect(models[0]?.training).toBeUndefined();
    expect(models[0]?.program.tensors.get('w')?.frozen).toBe(true);
  });
});

describe('one run', () => {
  it('says nothing more of a name that cannot be had', () => {
    const codes = diagnose('input x[n]\ny = inf * x\ninf = 3\noutput y').map(({ code }) => code);
    expect(codes).toEqual(['E209']);
  });

  it('says nothing of what follows from a name defined twice', () => {
    const codes = diagnose('input x[n]\nparam w ~ ones\ny = x\ny = w * x\nloss = mean(y)').map(
      ({ code }) => code,
    );
    expect(codes).toEqual(['E202']);
  });

  it('says nothing of what follows from a statement that could not be parsed', () => {
    const codes = diagnose('input x[n]\nparam w ~ ones\nloss mean(w * x)').map(({ code }) => code);
    expect(codes).toEqual(['E102']);
  });

  it('reports two calls of a layer that are wrong in different ways', () => {
    const around =
      'layer f(x[.., i], k) -> y[.., k] {\nparam W[i, k] ~ zeros\ny[.., o] = sum[i](x[.., i] * W[i, o])\n}';
    const list = diagnose('input x[n, 3]\noutput a = f(x, 0)\noutput b = f(x, 2.5)', around);
    expect(list.map(({ code, message }) => `${code} ${/this is .*/.exec(message)?.[0]}`)).toEqual([
      'E303 this is 0',
      'E303 this is 2.5',
    ]);
    expect(list.map(({ notes }) => notes.map(({ span }) => lineOf(span)))).toEqual([[7], [8]]);
  });

  it('reports every mistake once, and none that follows from another', () => {
    const list = diagnose(`
  input x[n, 784]
  a = x + nothing
  b = a * 2
  c[n, i] = b[n, i] + x[n, i, i]
  d = dense(c, 3) + dense(b, units = missing)
  loss = mean(d)
  output d`);
    expect(list.map(({ code, span }) => `${code} ${textOf(span)}`)).toEqual([
      'E201 nothing',
      'E302 x[n, i, i]',
      'E201 missing',
    ]);
  });

  it('reports a mistake in a layer once, however often it is called', () => {
    const around = 'layer f(x[.., i]) -> y[.., i] { y = x + oops }';
    expect(
      diagnose('input x[n, 3]\noutput a = f(x)\noutput b = f(x)', around).map(({ code }) => code),
    ).toEqual(['E201']);
  });

  it('misses nothing when there is neither loss nor output', () => {
    expect(diagnose('input x[n]\ny = x').map(({ code }) => code)).toContain('E210');
  });

  it('refuses two models of one name, and two train blocks', () => {
    const model = 'model M {\n input x[n]\n output y = x\n}\n';
    expect(elaborateText(model + model).list.map(({ code }) => code)).toEqual(['E202']);
    const train = 'train { optimizer: sgd(rate = 1) }\n';
    expect(
      diagnose(`input x[n]\nparam w ~ ones\nloss = w * mean(x)\n${train}${train}`).map(({ code }) => code),
    ).toEqual(['E202']);
  });
});

describe('imports', () => {
  const files: Readonly<Record<string, string>> = {
    'b.dsl': 'import "test.dsl"\nimport "none.dsl"\nfn twice(x) = 2 * x',
    'c.dsl': 'import "b.dsl"',
    'test.dsl': 'the file itself',
  };

  it('that are missing or in a circle are reported once, wherever they are met', () => {
    const text = 'import "b.dsl"\nimport "c.dsl"\nmodel M {\ninput x[n]\noutput y = twice(x)\n}';
    expect(elaborateText(text, files).list.map(({ code, span }) => `${code} ${textOf(span)}`)).toEqual([
      'E208 "test.dsl"',
      'E207 "none.dsl"',
    ]);
  });
});

describe('a file without a model', () => {
  it.each(['', '// nothing', 'fn f(x) = x', 'dim a = 3'])('is nothing to compile: %j', (text) => {
    const { diagnostics, models } = analyse({ path: 'test.dsl', text });
    expect([models, diagnostics.map(({ code }) => code)]).toEqual([[], ['E107']]);
  });

  it('is not mentioned where the model could not be parsed', () => {
    const { diagnostics } = analyse({ path: 'test.dsl', text: 'modle M { input x[n] }\noops' });
    expect(diagnostics.map(({ code }) => code)).not.toContain('E107');
  });

  it('may be imported', () => {
    const load = (path: string) => ({ path, text: 'fn f(x) = 2 * x' });
    const text = 'import "f.dsl"\nmodel M {\ninput x[n]\noutput y = f(x)\n}';
    expect(analyse({ path: 'test.dsl', text }, { load }).diagnostics).toEqual([]);
  });
});

/** `f(f(f(x)))` */
const nested = (name: string, depth: number, inner: string) =>
  `${name}(`.repeat(depth) + inner + ')'.repeat(depth);

describe('whatever the text holds', () => {
  it('nothing is too deep', () => {
    const chain = Array.from({ length: 900 }, (_, at) => `fn f${at + 1}(x) = f${at}(x * 2) + x`).join('\n');
    const around = `fn f0(x) = x\n${chain}\nlayer l0(x[n]) -> y[n] { y = x }\n${Array.from({ length: 300 }, (_, at) => `layer l${at + 1}(x[n]) -> y[n] { y = l${at}(x) }`).join('\n')}`;
    const codes = (body: string) => diagnose(`input x[n]\n${body}\noutput y`, around).map(({ code }) => code);
    expect(codes(`y = ${Array(900).fill('x').join(' + ')}`).filter((code) => code !== 'W701')).toEqual([]);
    expect(codes('y = f900(x)')).toContain('E106');
    expect(codes('y = l300(x)')).toContain('E106');
    expect(codes('y = l20(x)')).not.toContain('E106');
  });

  it('calls that use their argument twice do not double the work', () => {
    const started = performance.now();
    expect(diagnose(`input x[n, 9]\noutput y = ${nested('gelu', 100, 'x')}`)).toEqual([]);
    expect(diagnose(`input x[n, 9]\noutput y[n, k] = ${nested('softmax[k]', 40, 'x[n, k]')}`)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('what could not be parsed stays silent', () => {
    const source = { path: 'test.dsl', text: 'broken' };
    const span = { source, start: 0, end: 6 };
    const broken: SyntaxExpression = { kind: 'error', span };
    const name = (text: string) => ({ text, span });
    const file: SyntaxFile = {
      source,
      items: [
        { kind: 'dim', name: name('d'), value: broken, span },
        {
          kind: 'model',
          name: name('M'),
          span,
          items: [
            { kind: 'input', name: name('x'), axes: [{ kind: 'size', value: broken, span }], span },
            { kind: 'param', name: name('w'), axes: [], initializer: broken, span },
            { kind: 'assignment', name: name('a'), value: broken, span },
            {
              kind: 'assignment',
              name: name('b'),
              bindings: [],
              value: { kind: 'read', tensor: broken, indices: [broken], span },
              span,
            },
            {
              kind: 'loss',
              value: {
                kind: 'call',
                callee: name('sum'),
                arguments: [{ value: broken }],
                piped: false,
                span,
              },
              span,
            },
          ],
        },
      ],
    };
    const diagnostics = new Diagnostics();
    elaborate(file, { imports: new Map(), prelude: [] }, diagnostics);
    expect(diagnostics.list.map(describeDiagnostic)).toEqual([]);
  });
});

describe('constants that are not finite', () => {
  const warnings = (value: string) =>
    diagnose(`input x[n]\noutput y[n] = x[n] * (${value})`).map(({ code, message }) => `${code} ${message}`);

  it.each([
    ['1 / 0', 'W704 this constant is infinite'],
    ['log(0)', 'W704 this constant is minus infinite'],
    ['log(-1)', 'W704 this constant is not a number (NaN)'],
    ['1 + 2 * (0 / 0)', 'W704 this constant is not a number (NaN)'],
  ])('are warned of once: %s', (value, warning) => {
    expect(warnings(value)).toEqual([warning]);
  });

  it.each(['inf', '-inf', 'inf - 1', '1 / 3', 'false ? 1 / 0 : 2'])('are fine if meant: %s', (value) => {
    expect(warnings(value)).toEqual([]);
  });

  it('are an error as a size', () => {
    const error = errorOf('dim z = 5 / 0\ninput x[n, z]\noutput y = x');
    expect([error.code, error.hint]).toEqual(['E303', 'look for a division by 0']);
  });
});
