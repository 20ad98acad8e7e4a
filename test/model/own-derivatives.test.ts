/** `derivative f(x) = ...` beside `fn f(x)`: what it may be, and how programs with it are printed. */
import { describe, expect, it } from 'vitest';
import { printProgram } from '../../compiler/graph/print.ts';
import { describeDiagnostic, elaborateText, lines, modelOf } from './helpers.ts';

const model = (call: string): string => `model M {
  input x[n, 3]
  param w[3] ~ ones
  y[n, i] = ${call}
  loss = mean(y)
}
`;

const errorsOf = (definitions: string, call = 'f(x[n, i] * w[i])', imported = {}): string[] =>
  elaborateText(`${definitions}\n${model(call)}`, imported)
    .list.filter(({ severity }) => severity === 'error')
    .map(describeDiagnostic);

const printed = (definitions: string, call = 'f(x[n, i] * w[i])', imported = {}): string =>
  printProgram(modelOf(`${definitions}\n${model(call)}`, imported).program);

const head = (text: string): string[] => text.slice(0, text.indexOf('model')).trim().split('\n');

describe('a function with a derivative of its own', () => {
  it('stays a call, in front of which stand both definitions', () => {
    const text = 'fn f(x, a = 2) = a * x^2\nderivative f(x, a) = f(x, a) / x, 0';
    const { program } = modelOf(`${text}\n${model('f(x[n, i] * w[i])')}`);
    expect(lines(program)[0]).toBe('y[n, i] = f(x[n, i] * w[i], 2)');
    expect(head(printProgram(program))).toEqual([
      'fn f(x, a) = a * x^2',
      'derivative f(x, a) = f(x, a) / x, 0',
    ]);
  });

  it('is printed as a program that is printed as the same again', () => {
    const text =
      'fn f(x) = x > 0 ? 1 : -1\nderivative f(x) = g(x) + 1\nfn g(x) = x^2\nderivative g(x) = f(x), ';
    const once = printed(text.replace(', ', ''), 'g(x[n, i] * w[i])');
    expect(head(once)).toHaveLength(4);
    expect(printProgram(modelOf(once).program)).toBe(once);
  });

  it('keeps the meaning of names: constants, and operators that it is called like', () => {
    const text = 'fn relu(e) = e + circle(e)\nderivative relu(e) = 1\nfn circle(r) = 2 * pi * e * r';
    expect(head(printed(text, 'relu(x[n, i] * w[i]) + max(x[n, i], 0)'))).toEqual([
      'fn relu2(e) = e + 2 * pi * 2.718281828459045 * e',
      'derivative relu2(e) = 1',
    ]);
  });

  it('may stand in a file that is imported; functions of one name in two files are two', () => {
    const imported = {
      'a.dsl': 'fn f(x) = x\nderivative f(x) = 2\nlayer half(x[.., i]) -> y[.., i] {\n y = f(x)\n}\n',
    };
    const text = 'import "a.dsl"\nfn f(x) = 3 * x\nderivative f(x) = 4';
    const once = printed(text, 'f(x[n, i] * w[i])\n  z = half(y)\n  output z', imported);
    expect(head(once)).toEqual([
      'fn f(x) = 3 * x',
      'derivative f(x) = 4',
      'fn f2(x) = x',
      'derivative f2(x) = 2',
    ]);
  });

  it('is one function in both modes', () => {
    const once = printed('fn f(x) = x\nderivative f(x) = 2', 'f(x[n, i] * w[i]) + f(training * x[n, i])');
    expect(head(once)).toEqual(['fn f(x) = x', 'derivative f(x) = 2']);
  });

  it.each([
    [
      'a function that there is not',
      'fn f(x) = x\nderivative ff(x) = 1',
      "E607 'ff' there is no function `ff` in this file",
    ],
    [
      'a function of the library',
      'fn f(x) = x\nderivative gelu(x) = 1',
      "E607 'gelu' `gelu` is not defined in this file",
    ],
    [
      'a built-in function',
      'fn f(x) = x\nderivative sin(x) = 1',
      "E607 'sin' `sin` is not defined in this file",
    ],
    [
      'other parameters',
      'fn f(x) = x\nderivative f(x, y) = 1, 1',
      "E607 'f' `f` has the parameters (x), but its derivative has (x, y)",
    ],
    [
      'fewer expressions than parameters',
      'fn f(x, y = 1) = x * y\nderivative f(x, y) = y',
      "E607 'y' `f` has 2 parameters, but its derivative has 1 expression",
    ],
    [
      'a second rule',
      'fn f(x) = x\nderivative f(x) = 1\nderivative f(x) = 2',
      "E202 'f' `f` has two derivatives",
    ],
    [
      'a default',
      'fn f(x) = x\nderivative f(x = 1) = 1',
      "E607 'x = 1' the parameters of a derivative have no defaults",
    ],
    [
      'a layer',
      'fn f(x) = x\nlayer l(x[n]) -> y[n] {\n y = x\n}\nderivative l(x) = 1',
      "E607 'l' `l` is no function, so it cannot have a derivative of its own",
    ],
    [
      'a function over an index',
      'fn f(x) = x\nfn g[k](x) = sum[k](x)\nderivative g(x) = 1',
      "E607 'g' `g` works over an index, so it cannot have a derivative of its own",
    ],
    [
      'a rule that reads at an index',
      'fn f(x) = x\nderivative f(x) = x[0]',
      "E607 'x[0]' a function with a derivative of its own works element by element",
    ],
    [
      'a reduction in the value',
      'fn f(x) = mean(x)\nderivative f(x) = 1',
      "E607 'mean(x)' a function with a derivative of its own works element by element",
    ],
    [
      'a reduction further inside',
      'fn g(x) = sum[k: 3](x)\nfn f(x) = g(x)\nderivative f(x) = 1',
      "E607 'g(x)' a function with a derivative of its own works element by element",
    ],
    [
      'a mode',
      'fn f(x) = training ? x : 0\nderivative f(x) = 1',
      "E607 'training ? x : 0' a function with a derivative of its own cannot ask for `training`",
    ],
    ['an unknown name in the rule', 'fn f(x) = x\nderivative f(x) = z', "E201 'z' there is no `z` here"],
  ])('is not %s', (_, definitions, error) => {
    expect(errorsOf(definitions)).toEqual([error]);
  });

  it('has a value that does not call the function', () => {
    expect(errorsOf('fn f(x) = f(x) + 1\nderivative f(x) = 1')).toEqual(["E206 'f' `f` calls itself"]);
  });
});
