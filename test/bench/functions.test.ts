import type { Profiler } from 'node:inspector';
import { describe, expect, it } from 'vitest';
import { emitWorkload, trainingOf } from '../../bench/chainrule.ts';
import { byPart, knownFunctions, loopsOf, sharesOf, takeProfile } from '../../bench/functions.ts';
import type { KnownFunction, KnownFunctions } from '../../bench/functions.ts';
import { spentText } from '../../bench/spent.ts';
import { loadWorkload } from '../../bench/workloads.ts';
import { loadModule } from '../support/load.ts';

const compiled = new Map<string, KnownFunctions>();

function knownOf(id: string): KnownFunctions {
  const workload = loadWorkload(id);
  const known = compiled.get(id) ?? knownFunctions(loopsOf(workload), workload.batch);
  compiled.set(id, known);
  return known;
}

const total = (numbers: Iterable<number>): number => [...numbers].reduce((sum, each) => sum + each, 0);

/** A profile with so many samples at the end of each path of calls. */
function profileOf(paths: Readonly<Record<string, number>>): Profiler.Profile {
  const nodes: Profiler.ProfileNode[] = [];
  const samples: number[] = [];
  for (const [path, count] of Object.entries(paths)) {
    const names = path.split(' > ');
    names.forEach((functionName, k) => {
      const id = nodes.length + 1;
      const callFrame = { functionName, scriptId: '0', url: '', lineNumber: 0, columnNumber: 0 };
      nodes.push({ id, callFrame, ...(k < names.length - 1 ? { children: [id + 1] } : {}) });
    });
    for (let k = 0; k < count; k++) samples.push(nodes.length);
  }
  return { nodes, samples, startTime: 0, endTime: 0 };
}

describe('what the bench knows of the functions of a step', () => {
  it('tells contractions, losses, elementwise work and tiny models apart', () => {
    const partOf = (id: string, name: string) => knownOf(id).functions.get(name)?.part;
    expect(partOf('W3', 'forward_z_relu')).toBe('around');
    expect(partOf('W5', 'forward_z_lstm_h')).toBe('around');
    expect(partOf('W3', 'forward_z_logsumexp')).toBe('reductions');
    expect(partOf('W6', 'forward_fed_gelu_tanh')).toBe('elementwise');
    expect(partOf('W1', 'forward_rows')).toBe('unrolled');
  });

  it('counts two operations for every product of every call', () => {
    // forward and the gradient of each matrix, and the gradient of what goes into the second and third one
    const products = 2 * (784 * 256 + 256 * 128 + 128 * 10) + 256 * 128 + 128 * 10;
    const counted = total([...knownOf('W3').functions.values()].map(({ operations }) => operations));
    expect(counted).toBe(2 * 64 * products);
    expect(knownOf('W6').functions.get('forward_block')).toMatchObject({
      calls: 2,
      operations: 2 * 2 * 8 * 64 * 512 * 128,
    } satisfies Partial<KnownFunction>);
  });
});

describe('the samples of a profile', () => {
  it('belong to the nearest function of the step, kernels apart', () => {
    const { parts, functions } = sharesOf(
      profileOf({
        'step > forward > forward_z_relu > contract_nn_16x8 > block_16x8': 50,
        'step > forward > forward_z_relu': 5,
        'step > forward > forward_z_logsumexp > exp': 10,
        'step > update > update_adam': 20,
        'step > forward': 4,
        '(garbage collector)': 11,
      }),
      knownOf('W3'),
    );
    expect(parts).toEqual({
      ...byPart(() => 0),
      kernels: 0.5,
      around: 0.05,
      reductions: 0.1,
      optimizer: 0.2,
      rest: 0.04,
      collector: 0.11,
    });
    expect(functions).toEqual([
      { name: 'forward_z_relu', own: 0.05, inKernels: 0.5, kernels: ['contract_nn_16x8'] },
      { name: 'update_adam', own: 0.2, inKernels: 0, kernels: [] },
      { name: 'forward_z_logsumexp', own: 0.1, inKernels: 0, kernels: [] },
    ]);
  });

  it('are found in a training, most of them in kernels where matrices are multiplied', async () => {
    const workload = loadWorkload('S2');
    const known = knownOf('S2');
    const { step } = trainingOf(workload, loadModule(await emitWorkload(workload)));
    const take = (steps: number): void => {
      for (let k = 0; k < steps; k++) step(k % workload.batches.length);
    };
    const profile = await takeProfile(
      async () => take(500),
      () => take(500),
    );
    const { parts, functions } = sharesOf(profile, known);
    expect(total(Object.values(parts))).toBeCloseTo(1, 6);
    expect(parts.kernels).toBeGreaterThan(0.2);
    expect(functions.map(({ name }) => name)).toContain('update_adam');
    for (const { name } of functions) {
      expect(known.functions.has(name) || name === 'update_adam', name).toBe(true);
    }
  });
});

it('prints the kinds of work that take time, with rates where products are summed', () => {
  const spent = {
    workload: 'W3',
    ms: 10,
    steps: 100,
    rate: 5.5,
    parts: { ...byPart(() => ({ share: 0 })), kernels: { share: 0.9, rate: 6 }, optimizer: { share: 0.1 } },
    functions: [
      { name: 'forward_z', share: 0.9, rate: 6, calls: 1, how: 'contract_nn_16x8', places: 'mlp.dsl:6' },
    ],
  };
  expect(spentText(spent, 11)).toBe(
    [
      'W3 784-256-128-10 b64: 10.0 ms a step of the processor, 5.5 GFLOP/s, 50 % of the peak (100 steps)',
      '   90.0 %     9.00 ms   6.0 GFLOP/s  kernels of contractions',
      '   10.0 %     1.00 ms                optimizer',
      '  of that, the functions that take most',
      '   90.0 %     9.00 ms   6.0 GFLOP/s   forward_z   1 x  contract_nn_16x8  mlp.dsl:6',
    ].join('\n'),
  );
});
