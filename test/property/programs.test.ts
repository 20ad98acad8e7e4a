import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fetchedTensors, isScatter, reads } from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { batchExtents, differentiatedTensors, programs, randomTensors } from './programs.ts';

const kinds = [
  { name: 'any', options: {} },
  { name: 'smooth', options: { smooth: true } },
  { name: 'without a batch', options: { batch: false } },
  { name: 'optimised', options: { optimised: true } },
];

describe.each(kinds)('random programs: $name', ({ options }) => {
  it('keep every rule of the graph', () => {
    fc.assert(
      fc.property(programs(options), (program) => {
        expect(validate(program)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('have a finite loss that the chain rule ties to every parameter', () => {
    fc.assert(
      fc.property(programs(options), fc.nat(1000), (program, seed) => {
        const tensors = randomTensors(program, seed);
        const { loss = '' } = program;
        expect(interpret(program, { tensors, extents: batchExtents }).get(loss)?.[0]).toSatisfy(
          Number.isFinite,
        );
        for (const [name, { role }] of program.tensors) {
          if (role === 'parameter') expect(reaches(program, name, loss), name).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('are printed the same way each time', () => {
    fc.assert(
      fc.property(programs(options), (program) => {
        expect(printProgram(structuredClone(program))).toBe(printProgram(program));
      }),
      { numRuns: 10 },
    );
  });
});

/** True if every step of some chain of statements from one tensor to the other passes gradients on. */
function reaches(program: Program, from: string, to: string): boolean {
  const reached = new Set([from]);
  // a recurrence may read what stands behind: as long as something new is reached, there may be more
  for (let size = 0; size !== reached.size;) {
    size = reached.size;
    for (const statement of program.statements) {
      const sources = differentiatedTensors({ ...program, statements: [statement] });
      if ([...sources].some((name) => reached.has(name))) reached.add(statement.target);
    }
  }
  return reached.has(to);
}

describe('the generator', () => {
  it('makes every form of statement and read', () => {
    const seen = new Set<string>();
    for (const program of fc.sample(programs({ optimised: true }), { numRuns: 200, seed: 1 })) {
      for (const statement of program.statements) {
        seen.add(statement.combine);
        if (isScatter(statement)) seen.add('scatter');
        if (statement.finish) seen.add('finish');
        if (fetchedTensors(statement.body).size > 0) seen.add('fetch');
        for (const node of reads(statement.body)) {
          if (node.outside !== undefined) seen.add('outside');
          for (const { terms } of node.at) {
            if (terms.length > 1) seen.add('several indices');
            for (const { atom, coefficient } of terms) {
              seen.add(atom.kind);
              if (coefficient === -1) seen.add('reversed');
              if (coefficient === 2) seen.add('strided');
            }
          }
        }
      }
    }
    const combines = ['assign', 'sum', 'product', 'max', 'min', 'logsumexp', 'argmax', 'argmin'];
    const forms = [
      'scatter',
      'finish',
      'fetch',
      'outside',
      'several indices',
      'index',
      'quotient',
      'remainder',
    ];
    expect([...seen]).toEqual(expect.arrayContaining([...combines, ...forms, 'reversed', 'strided']));
  });

  it('is the same for the same seed', () => {
    const [first, second] = [1, 1].map((seed) =>
      fc.sample(programs(), { numRuns: 5, seed }).map((program) => printProgram(program)),
    );
    expect(first).toEqual(second);
  });
});
