/** Programs of `ops/scan`, `layers/recurrent` and `models/sequence`: recurrences as `scan` blocks, gates as PyTorch stacks them. */
import type { OracleCase } from '../cases.ts';
import { indexProgram } from './indices.ts';
import { infer } from './shapes.ts';
import { TrainedWriter } from './trained-writer.ts';
import { CaseWriter, nameOf, Unsupported, type CaseProgram } from './writer.ts';

/** Running sums and products, from the first element or from the last. */
export function cumulativeProgram(of: OracleCase): CaseProgram {
  const [sign, start] = of.op === 'cumsum' ? ['+', 0] : ['*', 1];
  if (of.op !== 'cumsum' && of.op !== 'cumprod') return indexProgram(of);
  const writer = new CaseWriter(of);
  const [rows, steps] = writer.tensor('x').shape as [number, number];
  const reversed = of.name.endsWith('reversed');
  const before = reversed ? 't + 1' : 't - 1';
  writer.line(`scan t${reversed ? ' reversed' : ''} {`);
  writer.line(`  s[i: ${rows}, t: ${steps}] = (s[i, ${before}] else ${start}) ${sign} x_[i, t]`);
  writer.line('}');
  writer.line(`output ${nameOf('y')} = s`);
  writer.shows('y');
  writer.probeLoss();
  return writer.finish();
}

/** One layer in one direction. `steps` is the name of the tensor [b, t, o] that it makes. */
export interface Layer {
  readonly cell: string;
  /** Of its weights: `_l0`, `_l1_r`, or nothing. */
  readonly suffix: string;
  readonly steps: string;
  /** What is read at step t, feature j. */
  readonly input: string;
  readonly hidden: number;
  readonly length: number;
  readonly reversed: boolean;
  /** Where h0 and c0 have its first states; absent: zeros. */
  readonly state?: number;
  readonly masked: boolean;
}

/** The statements of each cell after `a` = W_ih x + b_ih and `u` = W_hh h + b_hh; `old` is the state before. */
const cells: Readonly<
  Record<string, (name: string, hidden: number, old: (tensor: string) => string) => string[]>
> = {
  rnn_tanh: (h) => [`${h}_new[b, t, o] = tanh(${h}_a[b, t, o] + ${h}_u[b, t, o])`],
  gru: (h, hidden, old) => {
    const gate = (k: number): string => `[b, t, ${k * hidden} + o]`;
    const size = `[b, t, o: ${hidden}]`;
    return [
      `${h}_r${size} = sigmoid(${h}_a${gate(0)} + ${h}_u${gate(0)})`,
      `${h}_z${size} = sigmoid(${h}_a${gate(1)} + ${h}_u${gate(1)})`,
      `${h}_k${size} = tanh(${h}_a${gate(2)} + ${h}_r[b, t, o] * ${h}_u${gate(2)})`,
      `${h}_new[b, t, o] = (1 - ${h}_z[b, t, o]) * ${h}_k[b, t, o] + ${h}_z[b, t, o] * ${old(h)}`,
    ];
  },
  lstm: (h, hidden, old) => {
    const gate = (k: number): string => `${h}_a[b, t, ${k * hidden} + o] + ${h}_u[b, t, ${k * hidden} + o]`;
    return [
      `${h}_c[b, t, o: ${hidden}] = sigmoid(${gate(1)}) * ${old(`${h}_c`)} + sigmoid(${gate(0)}) * tanh(${gate(2)})`,
      `${h}_new[b, t, o: ${hidden}] = sigmoid(${gate(3)}) * tanh(${h}_c[b, t, o])`,
    ];
  },
};

export function writeLayer(writer: CaseWriter, layer: Layer): void {
  const { cell, suffix, steps: h, input, hidden, length, reversed, state, masked } = layer;
  const statements = cells[cell];
  if (statements === undefined) throw new Unsupported(`cell ${cell}`);
  const weight = (name: string): string => nameOf(`${name}${suffix}`);
  const [before, first] = reversed ? ['t + 1', length - 1] : ['t - 1', 0];
  const old = (tensor: string, index = 'o'): string => {
    const read = `${tensor}[b, ${before}, ${index}]`;
    const given = nameOf(tensor.endsWith('_c') ? 'c0' : 'h0');
    return state === undefined
      ? `(${read} else 0)`
      : `(t == ${first} ? ${given}[${state}, b, ${index}] : ${read})`;
  };
  writer.line(
    `${h}_a[b, t: ${length}, g] = sum[j](${input} * ${weight('W_ih')}[g, j]) + ${weight('b_ih')}[g]`,
  );
  const kept = masked ? `t < lengths_[b] ? ${h}_new[b, t, o] : ${old(h)}` : `${h}_new[b, t, o]`;
  const block = [
    `${h}_u[b, t, g] = sum[p: ${hidden}](${old(h, 'p')} * ${weight('W_hh')}[g, p]) + ${weight('b_hh')}[g]`,
    ...statements(h, hidden, old),
    `${h}[b, t, o] = ${kept}`,
  ];
  writer.line(`scan t${reversed ? ' reversed' : ''} {`);
  for (const statement of block) writer.line(`  ${statement}`);
  writer.line('}');
}

export function recurrentProgram(of: OracleCase): CaseProgram {
  const writer = new CaseWriter(of);
  const x = writer.tensor('x');
  const [, length] = x.shape as [number, number];
  const { dims, hyper = {} } = of;
  const hidden = dims['H'] ?? 0;
  const directions = hyper['bidirectional'] === true ? [false, true] : [false];
  const layers = typeof hyper['layers'] === 'number' ? hyper['layers'] : 1;
  let below = nameOf('x');
  for (let k = 0; k < layers; k++) {
    const names = directions.map((reversed, direction) => {
      const steps = `h${k}${reversed ? 'r' : ''}`;
      writeLayer(writer, {
        cell: of.op,
        suffix: `_l${k}${reversed ? '_r' : ''}`,
        steps,
        input: `${below}[b, t, j]`,
        hidden,
        length,
        reversed,
        ...(hyper['initial_state_given'] === true ? { state: k * directions.length + direction } : {}),
        masked: writer.has('lengths'),
      });
      return steps;
    });
    below = `y${k}`;
    writer.line(`${below} = ${names.length > 1 ? `concat(${names.join(', ')})` : names[0]}`);
  }
  const [result] = writer.results;
  if (result === undefined) throw new Unsupported('nothing is computed');
  writer.shows(result.name);
  const value = result.name === 'last' ? `last_step(${below})` : below;
  writer.line(`output ${nameOf(result.name)} = ${value}`);
  writer.probeLoss();
  return writer.finish();
}

/** A GRU whose last state is classified. */
export function gruClassifierProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const { T: length = 0, H: hidden = 0 } = of.dims;
  const layer = { cell: 'gru', suffix: '', steps: 'h', input: 'x_[b, t, j]' };
  writeLayer(writer, { ...layer, hidden, length, reversed: false, masked: false });
  infer(writer, 'z', ['b', 'k'], `sum[o](h[b, ${length - 1}, o] * Wo_[k, o]) + bo_[k]`);
  writer.loss(`mean[b](cross_entropy[k](${nameOf('z')}[b, k], ${nameOf('y')}[b]))`);
  return writer.finish();
}

/** An LSTM that foretells the next letter at every step. */
export function lstmLettersProgram(of: OracleCase, rows: number, training: boolean): CaseProgram {
  const writer = new TrainedWriter(of, rows, training);
  const { T: length = 0, H: hidden = 0, V: letters = 0 } = of.dims;
  const embedded = writer.has('table');
  writer.line(
    embedded
      ? `x[b, t: ${length}, j] = table_[ids_[b, t], j]`
      : `x[b, t: ${length}, j: ${letters}] = ids_[b, t] == j ? 1 : 0`,
  );
  const layer = { cell: 'lstm', suffix: '_l0', steps: 'h', input: 'x[b, t, j]' };
  writeLayer(writer, { ...layer, hidden, length, reversed: false, masked: false });
  infer(writer, 'z', ['b', 't', 'k'], `sum[o](h[b, t, o] * Wo_[k, o]) + bo_[k]`);
  writer.loss(`mean[b, t](cross_entropy[k](${nameOf('z')}[b, t, k], ids_[b, t + 1]))`);
  return writer.finish();
}
