/** The printed schedule, as it is: two small programs in golden files, to be read when a schedule changes. */
import { describe, expect, it } from 'vitest';
import { analyse, scheduleModel } from '../../compiler/index.ts';
import { printSchedule } from '../../compiler/schedule/print.ts';

function scheduleOf(text: string, without: readonly string[] = [], rows = 64): string {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text }, { without: new Set(without) });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const [model] = models;
  if (model === undefined) throw new Error('there is no model');
  return printSchedule(scheduleModel(model, { without: new Set(without) }), model.program, rows);
}

const dense = `model Dense {
  input x[n, 32]
  input label[n]: 10
  h = x |> dense(24) |> relu
  z = h |> dense(10)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
}
`;

const recurrent = `model Recurrent {
  input x[n, 5, 12]
  input y[n, 16]
  h = x |> gru(16) |> dropout(0.2)
  loss = mean[n, o]((h[n, 4, o] - y[n, o])^2)
}
`;

describe('the printed schedule', () => {
  it('of dense layers', async () => {
    await expect(scheduleOf(dense)).toMatchFileSnapshot('./golden/dense.txt');
  });

  it('of a recurrence with dropout', async () => {
    await expect(scheduleOf(recurrent)).toMatchFileSnapshot('./golden/recurrent.txt');
  });

  it('gives bytes for as many rows as are asked for', () => {
    const bytes = (rows: number): number =>
      Number(/^x .* (\d[\d,]*)$/m.exec(scheduleOf(dense, [], rows))?.[1]?.replaceAll(',', ''));
    expect([bytes(1), bytes(50)]).toEqual([32 * 4, 50 * 32 * 4]);
  });

  it('says what is left out', () => {
    const text = scheduleOf(dense, ['kernels']);
    expect(text).toContain('loops: kernels are left out');
    expect(text).not.toContain('calls contract');
  });
});
