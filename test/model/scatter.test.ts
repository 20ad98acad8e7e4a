/** Scatters: what they become, what is checked of them, and their derivatives. */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { analyse } from '../../compiler/index.ts';
import { finiteDifferences, gradientOf, gradientValues } from '../calculus/support.ts';
import { expectEmitted } from '../property/emit.ts';
import { batchExtents, randomTensors } from '../property/programs.ts';
import { describeDiagnostic, elaborateText, modelOf, programOf, statementsOf } from './helpers.ts';

const inputs = `
input x[n, 4]
input bin[n, 4]: 3
`;

describe('a scatter', () => {
  it.each([
    'y[bin[n, i]: 3] += x[n, i] for n, i',
    'y[n, bin[n, i]: 3] *= x[n, i] for n, i',
    'y[n, mod(i, 2): 2] max= x[n, i] for n, i',
    'y[n, 3 - i: 5] min= x[n, i] for n, i',
    'y[0: 2] logsumexp= x[n, i] for n, i',
    'y[i: 5, 0: 2] += x[n, i] for i: 4, n',
    'y[bin[n, i]: 3, d] += x[n, i] for n, i, d: 6',
    'y[0: 2] += sqrt(2)',
  ])('%s is a statement of the graph, printed as it was written', (statement) => {
    expect(statementsOf(`${inputs}output ${statement}`)).toEqual([statement]);
  });

  it('has the size that is given, or that of an index alone', () => {
    const program = programOf(`${inputs}output y[n: n, bin[n, i]: 7, i, 2: 3] += x[n, i] for n, i`);
    expect(program.tensors.get('y')?.axes).toEqual(['n', 7, 4, 3]);
  });

  it('infers the extent of an index from the axis that it is written to', () => {
    expect(statementsOf('input x[n]\noutput y[d: 6, 0: 2] += x[n] for n, d')).toEqual([
      'y[d, 0: 2] += x[n] for d: 6, n',
    ]);
  });

  it('hoists what is reduced in its value and in its places', () => {
    expect(statementsOf(`${inputs}output y[argmax[i](x[n, i]): 4] += sum[i](x[n, i]) for n`)).toEqual([
      'y_sum[n] = sum[i](x[n, i])',
      'y_argmax[n] = argmax[i](x[n, i])',
      'y[y_argmax[n]: 4] += y_sum[n] for n',
    ]);
  });

  it('combines what meets, and is neutral elsewhere', () => {
    const program = programOf(`
      input bin[i]: 4
      input x[i]
      output added[bin[i]: 4] += x[i] for i
      output greatest[bin[i]: 4] max= x[i] for i`);
    const tensors = new Map([
      ['bin', Float64Array.of(1, 1, 3)],
      ['x', Float64Array.of(2, 5, -1)],
    ]);
    const result = interpret(program, { tensors, extents: { i: 3 } });
    expect([...(result.get('added') ?? [])]).toEqual([0, 7, 0, -1]);
    expect([...(result.get('greatest') ?? [])]).toEqual([-Infinity, 5, -Infinity, -1]);
  });

  it('may be called after its operator or the word `for`', () => {
    expect(statementsOf('input for[n]\nmax[n] = for[n]\noutput y[0: 2] max= max[n] for n')).toEqual([
      'max[n] = for[n]',
      'y[0: 2] max= max[n] for n',
    ]);
  });
});

describe('a mistake in a scatter', () => {
  const errorsOf = (statement: string) =>
    elaborateText(`model M {${inputs}output ${statement}\n}`)
      .list.filter(({ severity }) => severity === 'error')
      .map((diagnostic) => [describeDiagnostic(diagnostic), diagnostic.hint]);

  it.each([
    [
      'y[n] += x[n, i] for n, i',
      "E404 '+=' `+=` is for places that are computed",
      'where the left side has an index for each axis write `=`, and `sum[i](...)` on the right: `y[n] = ...`',
    ],
    [
      'y[n] max= x[n, 0]',
      "E404 'max=' `max=` is for places that are computed",
      'where the left side has an index for each axis write `=`, and `max[i](...)` on the right: `y[n] = ...`',
    ],
    [
      'y[bin[n, i]: 3] += x[n, i] for n',
      "E401 'i' index `i` is not bound",
      'name it at the end of the statement, `for i`, or reduce over it: `sum[i](...)`',
    ],
    [
      'y[bin[n, 0]: 2] += x[n, 0] for n',
      "E403 'bin[n, 0]' this index runs from 0 to 2, but axis 1 of `y` has places 0 to 1",
      'the axis needs a place for every value: make it longer, or the range smaller',
    ],
    [
      'y[i + 1: 4] += x[n, i] for n, i',
      "E403 'i + 1' this index runs from 1 to 4, but axis 1 of `y` has places 0 to 3",
      'make the axis longer, or let the place stay inside',
    ],
    [
      'y[bin[n, 0]] += x[n, 0] for n',
      "E306 'bin[n, 0]' it is not known how long this axis is",
      'give its size: `bin[n, 0]: 10`',
    ],
    [
      'y[bin[n, 0]: 3] += x[n, 0] for n, k',
      "E306 'k' it is not known how far index `k` runs",
      'give its extent after `for`: `k: 10`',
    ],
    [
      'y[exact(i / 2): 2] += x[n, i] for n, i',
      "E402 'exact(i / 2)' an exact quotient may not be whole, and nothing is written between",
      'write at a place that is always whole, and put a condition into the value',
    ],
    [
      'y[x[n, 0]: 2] += 1 for n',
      "E402 'x[n, 0]' `x` holds real numbers, and an index must be whole",
      'declare the range of its values: `input x[n, 4]: 1000` holds 0 to 999',
    ],
    [
      'y[0: 2] += x[n, 0] for n, n',
      "E404 'n' index `n` stands twice on the left",
      'each axis of the result needs an index of its own',
    ],
    [
      'y[bin[n, 0]: n] += x[n, 0] for n',
      "E403 'bin[n, 0]' axis 1 of `y` is open (`n`) and can only be read at one index that runs over all of it",
      'give the axis a size of its own: `bin[n, 0]: 10`',
    ],
  ])('%s', (statement, error, hint) => {
    expect(errorsOf(statement)).toContainEqual([error, hint]);
  });
});

describe('the derivative of a scatter', () => {
  const body = (operator: string) => `model M {
    input x[n, 4]
    input bin[n, 4]: 3
    param w[4] ~ ones
    h[n, bin[n, i]: 3] ${operator} x[n, i] * w[i] for n, i
    loss = sum[n, k](h[n, k]^2)
  }`;

  it('is a gather for `+=`', () => {
    const [model] = analyse({ path: 'm.dsl', text: body('+=') }).models;
    const program = model?.gradient;
    if (program === undefined) throw new Error('no gradient');
    const tensors = new Map([
      ['x', Float64Array.of(1, 2, 3, 4)],
      ['bin', Float64Array.of(0, 2, 0, 1)],
      ['w', Float64Array.of(1, 1, 1, 1)],
    ]);
    const result = interpret(program, { tensors, extents: { n: 1 } });
    // h = [1 + 3, 4, 2], dw[i] = 2 h[bin[i]] x[i]
    expect([...(result.get(program.gradients.get('w') ?? '') ?? [])]).toEqual([8, 8, 24, 32]);
  });

  it.each(['*=', 'max=', 'min='])('is refused for %s', (operator) => {
    const { diagnostics } = analyse({ path: 'm.dsl', text: body(operator) });
    expect(diagnostics.filter(({ code }) => code === 'E603')).toHaveLength(1);
  });

  it.each(['*=', 'max=', 'min='])('is not asked of %s where nothing that varies is written', (operator) => {
    const text = body(operator)
      .replace('x[n, i] * w[i] for', 'stop_gradient(x[n, i] * w[i]) for')
      .replace('sum[n, k](h[n, k]^2)', 'sum[n, i](w[i] * h[n, bin[n, i]])');
    const { program } = modelOf(text);
    expectEmitted(program, randomTensors(program, 3));
  });

  it('weighs by the softmax of what met for `logsumexp=`, also in a scan', () => {
    for (const [scatter, value] of [
      ['h[n, bin[n, i]: 3] logsumexp= x[n, i] * w[i] for n, i', 'h[n, bin[n, i]]'],
      [
        'scan i { h[n, i, bin[n, i]: 3] logsumexp= x[n, i] * w[i] + max(-2, h[n, i - 1, k] else 0) for n, i, k }',
        'h[n, i, bin[n, i]]',
      ],
    ]) {
      const { program } = modelOf(`model M {
        input x[n, 4]
        input bin[n, 4]: 3
        param w[4] ~ ones
        ${scatter}
        loss = sum[n, i](${value}^2)
      }`);
      const tensors = randomTensors(program, 5);
      const got = gradientValues(gradientOf(program), tensors, batchExtents).get('w') ?? [];
      for (const [i, { value }] of finiteDifferences(program, 'w', tensors, batchExtents).entries())
        expect(got[i]).toBeCloseTo(value, 6);
      expectEmitted(program, tensors);
    }
  });
});
