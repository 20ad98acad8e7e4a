import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatTypeScript } from '../../compiler/emit/format.ts';
import { emitModule, type EmitRequest } from '../../compiler/emit/typescript/index.ts';
import { evaluateBinary, evaluateUnary } from '../../compiler/graph/expressions.ts';
import { binaryOperators, kindsRequest, unaryOperators } from './kinds.ts';
import { netRequest } from './net.ts';

let net = '';
let kinds = '';

beforeAll(async () => {
  [net, kinds] = await Promise.all([
    formatTypeScript(emitModule(netRequest)),
    formatTypeScript(emitModule(kindsRequest)),
  ]);
});

describe('the emitted file', () => {
  it('is the committed one (a review of an emitter change reads these)', async () => {
    await expect(net).toMatchFileSnapshot('./golden/net.ts');
    await expect(kinds).toMatchFileSnapshot('./golden/kinds.ts');
  });

  it('passes the strictest type check a user may have', () => {
    const directory = fileURLToPath(new URL('./golden', import.meta.url));
    const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
    expect(execFileSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })).toBe('');
  });

  it('is the same text for the same request', () => {
    const again: EmitRequest = structuredClone(netRequest);
    expect(emitModule(again)).toBe(emitModule(netRequest));
  });

  it('does not change when it is formatted again', async () => {
    expect(await formatTypeScript(net)).toBe(net);
    expect(await formatTypeScript(kinds)).toBe(kinds);
  });

  it.each([/\beval\b/, /new Function/, /\bany\b/, /@ts-/, /Math\.fround/, /\bas\b/])(
    'never says %s',
    (word) => {
      expect(net).not.toMatch(word);
      expect(kinds).not.toMatch(word);
    },
  );

  it('names the source by its last part only, and begins with its hash', () => {
    expect(net).toContain('from net.dsl (sha-256 0123456789ab)');
    expect(net).toContain('// dW1[i, j] = sum[n](x[n, i] * dh[n, j])      net.dsl:7');
    expect(net).not.toContain('prelude/optimizers.dsl');
  });

  it('leaves out parameters that a function does not use, here and in its calls', () => {
    expect(kinds).toContain('function every_statement(u: Float64Array, class_: Float64Array): void');
    expect(kinds).toContain('every_statement(u, class_);');
    expect(kinds).toContain('add_scaled(u, class_, 2);');
  });
});

describe('the emitted net', () => {
  // x = (1, 2), W1 = (1 -1; 2 1), b1 = (0.5, 0): h = relu(5.5, 1) ; W2 = (2, 3): z = 14 ; y = 13: loss = 1, dz = 2
  // x = (-1, 0): h = relu(-0.5, 1) = (0, 1): z = 3 ; y = 1: loss 4, dz = 4
  const weights = [1, -1, 2, 1, 0.5, 0, 2, 3];
  const program = async () => {
    const { createProgram } = await import('./golden/net.ts');
    const made = createProgram(4);
    made.parameters.set(weights);
    made.inputs['x']!.set([1, 2, -1, 0]);
    made.inputs['y']!.set([13, 1]);
    return made;
  };

  it('computes outputs and loss', async () => {
    const made = await program();
    made.forward(2, 0, 0);
    expect([...made.outputs['z']!.subarray(0, 2)]).toEqual([14, 3]);
    expect([...made.results]).toEqual([5]);
  });

  it('computes gradients', async () => {
    const made = await program();
    made.forward(2, 0, 0);
    made.backward(2);
    // dW2 = 2·(5.5, 1) + 4·(0, 1) ; dh = (4, 6), (0, 12) ; db1 = their sum ; dW1 = xᵀ dh
    expect([...made.gradients]).toEqual([4, 6 - 12, 8, 12, 4, 18, 11, 6]);
  });

  it('counts only the rows it is told of', async () => {
    const made = await program();
    made.forward(1, 0, 0);
    made.backward(1);
    expect([...made.results]).toEqual([1]);
    expect([...made.gradients]).toEqual([4, 6, 8, 12, 4, 6, 11, 2]);
  });

  it('takes steps of the optimizer with its state and its schedule', async () => {
    const made = await program();
    made.gradients.fill(1);
    made.update(0, 1); // u = 1, rate 0.1
    made.update(1, 1); // u = 1.9, rate 0.05
    expect([...made.state]).toEqual(weights.map(() => 1.9));
    expect([...made.scalars]).toEqual([2]);
    made.parameters.forEach((value, k) => expect(value).toBeCloseTo(weights[k]! - 0.1 - 0.095, 12));
  });

  it('makes a trainer that learns', async () => {
    const { createTrainer } = await import('./golden/net.ts');
    const trainer = createTrainer({ seed: 3 });
    const data = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 0.1, 0.1, 0.2] };
    const before = trainer.evaluate(data)['loss']!;
    await trainer.fit(data, { epochs: 20 });
    expect(trainer.evaluate(data)['loss']).toBeLessThan(before);
    expect(trainer.predict({ x: [1, 1] }).z).toBeInstanceOf(Float64Array);
  });
});

/** To 13 digits: the reference may round differently; -0 is 0. */
const rounded = (value: number): number => Number(value.toPrecision(13)) + 0;

const predict = async (u: readonly [number, number]) => {
  const { createTrainer } = await import('./golden/kinds.ts');
  return createTrainer().predict({ u, k: [5, 0, 6] });
};

describe('every kind', () => {
  it.each([
    [0.7, 0.3],
    [-2.5, 1.5],
    [2.5, -0.5],
    [0, 0],
    [-0.25, -3],
  ] as const)('operators of (%d, %d) agree with the reference', async (x, y) => {
    const { unaries, binaries, powers } = await predict([x, y]);
    expect([...unaries].map(rounded)).toEqual(
      unaryOperators.map((operator) => rounded(evaluateUnary[operator](x))),
    );
    expect([...binaries].map(rounded)).toEqual(
      binaryOperators.map((operator) => rounded(evaluateBinary[operator](x, y))),
    );
    const expected = [x ** 2, (x + 1) ** 2, x ** 3, 1 / x, x, x - 2, Math.PI * x * -1e-8, x / (x / (x - 3))];
    expect([...powers].map(rounded)).toEqual(expected.map(rounded));
  });

  it('conditions choose as the program says', async () => {
    const { truths } = await predict([-1, 2]);
    expect([...truths]).toEqual([1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 2, 11]);
    const other = await predict([3, -2]);
    expect([...other.truths]).toEqual([0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 3, 22]);
  });

  it('integers floor, also below zero', async () => {
    const { integers } = await predict([1, 2]);
    for (let a = -3; a < 4; a++) {
      expect([...integers.subarray((a + 3) * 10, (a + 4) * 10)], `a = ${a}`).toEqual([
        Math.floor(a / 2),
        Math.floor((a + 1) / 3),
        Math.floor((a + 3) / 3),
        (((a + 1) % 4) + 4) % 4,
        ((a % 3) + 3) % 3,
        -2 * a - (a - 1) - 3,
        Math.min(a, 1),
        5,
        2,
        1,
      ]);
    }
  });

  it('statements run in order, down as well as up', async () => {
    const result = await predict([10, 2]);
    // x' = 2⁴ = 16 → -15; turns = 2·4 + 1; fill -0.5, minus 0.25 at 0, 2, 4, 6; add_scaled adds u[0] to two rows
    expect([...result.class]).toEqual([9.25, 19, -0.75, -0.5, -0.75, 14.5, -0.75, -0.5]);
  });
});
