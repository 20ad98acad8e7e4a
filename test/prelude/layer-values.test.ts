/** Values of the library's layers, against loops written out and against what must be equal. */
import { describe, expect, it } from 'vitest';
import { numbers, valueOf } from './support.ts';

const expectClose = (got: readonly number[], wanted: readonly number[]): void => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i] ?? NaN, 10);
};

const inside = (at: number, extent: number): boolean => at >= 0 && at < extent;

/** Calls for every point of a box, last axis fastest. */
function* points(...shape: number[]): Generator<number[]> {
  const [extent = 1, ...rest] = shape;
  if (shape.length === 0) yield [];
  else for (let i = 0; i < extent; i++) for (const point of points(...rest)) yield [i, ...point];
}

const [H, W, C] = [5, 6, 4];
const x = numbers(H * W * C, 3);
const picture = `input x[1, ${H}, ${W}, ${C}]`;

interface Settings {
  readonly filters: number;
  readonly size: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
  readonly groups: number;
}

const outputs = (extent: number, { size, stride, pad, dilation }: Settings): number =>
  Math.floor((extent + 2 * pad - dilation * (size - 1) - 1) / stride) + 1;

/** A convolution as PyTorch's documentation describes it. */
function convolved(K: readonly number[], b: readonly number[], of: Settings): number[] {
  const { filters, size, stride, pad, dilation, groups } = of;
  const [rows, columns, own] = [outputs(H, of), outputs(W, of), C / groups];
  return [...points(rows, columns, filters)].map(([i = 0, j = 0, f = 0]) => {
    const first = Math.floor(f / (filters / groups)) * own;
    let total = b[f] ?? NaN;
    for (const [u = 0, v = 0, d = 0] of points(size, size, own)) {
      const [row, column] = [stride * i + dilation * u - pad, stride * j + dilation * v - pad];
      if (inside(row, H) && inside(column, W))
        total += x[(row * W + column) * C + first + d]! * K[((u * size + v) * own + d) * filters + f]!;
    }
    return total;
  });
}

describe('conv2d', () => {
  const plain = { filters: 3, size: 3, stride: 1, pad: 0, dilation: 1, groups: 1 };
  it.each<Settings>([
    plain,
    { ...plain, stride: 2, pad: 1 },
    { ...plain, size: 2, stride: 3 },
    { ...plain, size: 2, dilation: 4, pad: 2 },
    { ...plain, filters: 6, groups: 2, pad: 1 },
    { ...plain, filters: 4, groups: 4, size: 2 },
  ])('sums over its window: %o', (of) => {
    const K = numbers(of.size ** 2 * (C / of.groups) * of.filters, 5);
    const b = numbers(of.filters, 6);
    const settings = Object.entries(of).map(([name, value]) => `${name} = ${value}`);
    expectClose(
      valueOf(picture, `x |> conv2d(${settings.join(', ')})`, { x, y_K: K, y_b: b }),
      convolved(K, b, of),
    );
  });

  it('with a group for each channel is depthwise_conv2d', () => {
    const K = numbers(9 * 2 * C, 5);
    const own = { x, y_K: K, y_b: numbers(2 * C, 6) };
    expectClose(
      valueOf(picture, 'x |> depthwise_conv2d(3, stride = 2, pad = 1, multiplier = 2)', own),
      valueOf(picture, `x |> conv2d(${2 * C}, 3, stride = 2, pad = 1, groups = ${C})`, own),
    );
  });
});

describe('conv1d', () => {
  it('is conv2d in a picture of one row, seen by the middle row of the window', () => {
    const K = numbers(3 * C * 2, 5);
    const none = Array.from({ length: 3 * C * 2 }, () => 0);
    const square = [0, 1, 2].flatMap((u) =>
      [0, 1, 2].flatMap((v) => (u === 1 ? K : none).slice(v * C * 2, (v + 1) * C * 2)),
    );
    const b = numbers(2, 6);
    const row = x.slice(0, 7 * C);
    expectClose(
      valueOf(`input x[1, 7, ${C}]`, 'x |> conv1d(2, size = 3, pad = 1, stride = 2)', {
        x: row,
        y_K: K,
        y_b: b,
      }),
      valueOf(`input x[1, 1, 7, ${C}]`, 'x |> conv2d(2, size = 3, pad = 1, stride = 2)', {
        x: row,
        y_K: square,
        y_b: b,
      }),
    );
  });

  it('sees nothing of the future if it is causal', () => {
    const call = 'x |> conv1d(2, size = 3, dilation = 2, causal = true)';
    const row = numbers(7 * 2, 4);
    const changed = row.map((value, i) => (i >= 4 * 2 ? value + 1 : value));
    const [before, after] = [row, changed].map((own) => valueOf('input x[1, 7, 2]', call, { x: own }));
    expect(after?.slice(0, 4 * 2)).toEqual(before?.slice(0, 4 * 2));
    expect(after?.slice(4 * 2)).not.toEqual(before?.slice(4 * 2));
    expect(before).toHaveLength(14);
  });
});

describe('conv_transpose2d', () => {
  it.each([
    [3, 1, 0, 1, 0],
    [3, 2, 1, 1, 1],
    [2, 3, 0, 2, 0],
  ] as const)(
    'adds each place times the window: size %i, stride %i, pad %i, dilation %i, more %i',
    (...settings) => {
      const [size, stride, pad, dilation, more] = settings;
      const K = numbers(size ** 2 * C * 2, 5);
      const b = numbers(2, 6);
      const [rows, columns] = [H, W].map(
        (extent) => (extent - 1) * stride - 2 * pad + dilation * (size - 1) + more + 1,
      ) as [number, number];
      const wanted = [...points(rows, columns, 2)].map(([, , f = 0]) => b[f]!);
      for (const [i = 0, j = 0, d = 0, u = 0, v = 0, f = 0] of points(H, W, C, size, size, 2)) {
        const [row, column] = [stride * i + dilation * u - pad, stride * j + dilation * v - pad];
        if (inside(row, rows) && inside(column, columns))
          wanted[(row * columns + column) * 2 + f]! +=
            x[(i * W + j) * C + d]! * K[((u * size + v) * C + d) * 2 + f]!;
      }
      const names = ['size', 'stride', 'pad', 'dilation', 'more'];
      const given = names.map((name, k) => `${name} = ${settings[k]}`).join(', ');
      expectClose(valueOf(picture, `x |> conv_transpose2d(2, ${given})`, { x, y_K: K, y_b: b }), wanted);
    },
  );
});

/** The cells of the windows over the picture, at each place of the result. */
function windows(size: number, stride: number, pad: number): number[][] {
  const [rows, columns] = [H, W].map((extent) => Math.floor((extent + 2 * pad - size) / stride) + 1) as [
    number,
    number,
  ];
  return [...points(rows, columns, C)].map(([i = 0, j = 0, f = 0]) =>
    [...points(size, size)].flatMap(([u = 0, v = 0]) => {
      const [row, column] = [stride * i + u - pad, stride * j + v - pad];
      return inside(row, H) && inside(column, W) ? [x[(row * W + column) * C + f]!] : [];
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('pooling', () => {
  it.each([
    [2, 2, 0],
    [3, 2, 1],
    [2, 3, 0],
    [3, 1, 2],
  ])('looks at windows of %i, a step of %i, %i places beyond the edge', (size, stride, pad) => {
    const cells = windows(size, stride, pad);
    const given = `${size}, stride = ${stride}, pad = ${pad}`;
    expectClose(
      valueOf(picture, `x |> max_pool2d(${given})`, { x }),
      cells.map((values) => Math.max(...values)),
    );
    expectClose(
      valueOf(picture, `x |> avg_pool2d(${given})`, { x }),
      cells.map((values) => sum(values) / size ** 2),
    );
    expectClose(
      valueOf(picture, `x |> avg_pool2d(${given}, count_pad = false)`, { x }),
      cells.map((values) => sum(values) / values.length),
    );
  });

  it('over time is pooling of one row', () => {
    const row = x.slice(0, 7 * C);
    for (const kind of ['max_pool', 'avg_pool']) {
      const one = valueOf(`input x[1, 7, ${C}]`, `x |> ${kind}1d(3, stride = 2, pad = 1)`, { x: row });
      const two = valueOf(`input x[1, 7, 1, ${C}]`, `x |> ${kind}2d(3, stride = 2, pad = 1)`, { x: row });
      expectClose(
        one,
        two.map((value) => (kind === 'max_pool' ? value : 3 * value)),
      );
    }
  });

  it('over everything gives mean and greatest', () => {
    const channels = Array.from({ length: C }, (_, f) => x.filter((__, i) => i % C === f));
    expectClose(
      valueOf(picture, 'x |> global_avg_pool2d', { x }),
      channels.map((values) => sum(values) / values.length),
    );
    expectClose(
      valueOf(picture, 'x |> global_max_pool2d', { x }),
      channels.map((values) => Math.max(...values)),
    );
  });
});

describe('normalisation', () => {
  const standardised = (values: readonly number[], eps: number): number[] => {
    const m = sum(values) / values.length;
    const v = sum(values.map((value) => (value - m) ** 2)) / values.length;
    return values.map((value) => (value - m) / Math.sqrt(v + eps));
  };
  const [g, b] = [numbers(C, 8), numbers(C, 9)];
  const own = { x, y_g: g, y_b: b };
  const scaled = (values: readonly number[]): number[] =>
    values.map((value, i) => value * g[i % C]! + b[i % C]!);
  /** Standardises the elements of equal key together. */
  const inGroups = (key: (i: number) => number, eps = 1e-5): number[] => {
    const result = [...x];
    for (const group of new Set(x.map((_, i) => key(i)))) {
      const places = x.flatMap((_, i) => (key(i) === group ? [i] : []));
      const values = standardised(
        places.map((i) => x[i]!),
        eps,
      );
      for (const [k, i] of places.entries()) result[i] = values[k]!;
    }
    return scaled(result);
  };

  it('layer_norm is over the last axis', () => {
    expectClose(
      valueOf(picture, 'x |> layer_norm', own),
      inGroups((i) => Math.floor(i / C)),
    );
  });

  it('group_norm is over places and a run of channels, instance_norm over places', () => {
    expectClose(
      valueOf(picture, 'x |> group_norm(2, eps = 0.1)', own),
      inGroups((i) => Math.floor((i % C) / 2), 0.1),
    );
    expectClose(
      valueOf(picture, 'x |> group_norm(1)', own),
      inGroups(() => 0),
    );
    expectClose(
      valueOf(picture, 'x |> instance_norm', own),
      inGroups((i) => i % C),
    );
  });

  it('rms_norm only divides', () => {
    const wanted = x.map((value, i) => {
      const row = x.slice(i - (i % C), i - (i % C) + C);
      return (value / Math.sqrt(sum(row.map((other) => other ** 2)) / C + 1e-6)) * g[i % C]!;
    });
    expectClose(valueOf(picture, 'x |> rms_norm', own), wanted);
  });

  it('standardise does it without parameters, over any index', () => {
    const text = 'input x[3]\ns[k] = standardise[k](x[k])';
    expectClose(valueOf(text, 's', { x: [1, 2, 6] }), standardised([1, 2, 6], 1e-5));
  });
});

describe('embedding and positions', () => {
  it('looks up rows; the padding is zero', () => {
    const E = [1, 2, 3, 4, 5, 6];
    const own = { x: [2, 0, 2], y_E: E };
    expect(valueOf('input x[3]: 3', 'x |> embedding(3, 2)', own)).toEqual([5, 6, 1, 2, 5, 6]);
    expect(valueOf('input x[3]: 3', 'x |> embedding(3, 2, padding = 2)', own)).toEqual([0, 0, 1, 2, 0, 0]);
  });

  it('adds what tells positions apart', () => {
    const P = numbers(6, 2);
    expectClose(
      valueOf('input x[3, 2]', 'x |> learned_positions', { x: P, y_P: P }),
      P.map((p) => 2 * p),
    );
    const angle = (t: number, d: number): number => t / 10000 ** ((2 * Math.floor(d / 2)) / 4);
    expectClose(
      valueOf('input x[3, 4]', 'x |> sinusoidal_positions', { x: Array.from({ length: 12 }, () => 0) }),
      [...points(3, 4)].map(([t = 0, d = 0]) =>
        d % 2 === 0 ? Math.sin(angle(t, d)) : Math.cos(angle(t, d)),
      ),
    );
  });
});

describe('attention', () => {
  const rows = numbers(5 * 4, 11);
  const sequence = 'input x[5, 4]';

  it('weighs values by the softmax of q k / √d', () => {
    const text = 'input q[2, 4]\ninput k[3, 4]\ninput v[3, 2]';
    const [q, k, v] = [numbers(8, 1), numbers(12, 2), numbers(6, 3)];
    const wanted = [0, 1].flatMap((i) => {
      const scores = [0, 1, 2].map((j) =>
        Math.exp(sum([0, 1, 2, 3].map((c) => q[4 * i + c]! * k[4 * j + c]!)) / 2),
      );
      return [0, 1].map((o) => sum(scores.map((score, j) => score * v[2 * j + o]!)) / sum(scores));
    });
    expectClose(valueOf(text, 'attention(q, k, v)', { q, k, v }), wanted);
  });

  it('that is causal sees nothing of what comes later', () => {
    const changed = rows.map((value, i) => (i >= 12 ? -value : value));
    for (const call of ['attention(x, x, x, causal = true)', 'x |> multi_head_attention(2, causal = true)']) {
      const [before, after] = [rows, changed].map((x) => valueOf(sequence, call, { x }));
      expect(after?.slice(0, 12)).toEqual(before?.slice(0, 12));
      expect(after?.slice(12)).not.toEqual(before?.slice(12));
    }
  });

  it('that is masked is that of the keys that count', () => {
    const text = `${sequence}\ninput mask[5]: 2`;
    const short = rows.slice(0, 12);
    for (const [name, more] of [
      ['attention(x, x, x', ''],
      ['multi_head_attention(x', ', heads = 2'],
      ['cross_attention(x, x', ', heads = 2'],
    ] as const) {
      const masked = valueOf(text, `masked_${name}, mask${more})`, { x: rows, mask: [1, 1, 1, 0, 0] });
      expectClose(
        masked.slice(0, 12),
        valueOf('input x[3, 4]', `${name}${more})`, { x: short }).slice(0, 12),
      );
    }
  });

  it('with several heads attends with each to its own features', () => {
    const [W, b] = [numbers(4 * 12, 5), numbers(12, 6)];
    const identity = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    const own = { x: rows, y_qkv_W: W, y_qkv_b: b, y_y_W: identity, y_y_b: [0, 0, 0, 0] };
    const heads = [0, 1].map((head) => {
      const part = (k: number): number[] =>
        [...points(5, 2)].map(([t = 0, c = 0]) => {
          const column = 4 * k + 2 * head + c;
          return b[column]! + sum([0, 1, 2, 3].map((d) => rows[4 * t + d]! * W[12 * d + column]!));
        });
      const [q, k, v] = [part(0), part(1), part(2)] as [number[], number[], number[]];
      return valueOf('input q[5, 2]\ninput k[5, 2]\ninput v[5, 2]', 'attention(q, k, v)', { q, k, v });
    });
    const wanted = [...points(5, 2, 2)].map(([t = 0, head = 0, c = 0]) => heads[head]![2 * t + c]!);
    expectClose(valueOf(sequence, 'x |> multi_head_attention(2)', own), wanted);
  });

  it('to oneself is attention to a memory that is the same', () => {
    const [W, b] = [numbers(4 * 12, 5), numbers(12, 6)];
    const columns = (values: readonly number[], from: number, to: number): number[] =>
      values.filter((_, i) => i % 12 >= from && i % 12 < to);
    const out = { x: rows, y_y_W: numbers(16, 7), y_y_b: numbers(4, 8) };
    expectClose(
      valueOf(sequence, 'cross_attention(x, x, heads = 2)', {
        ...out,
        y_q_W: columns(W, 0, 4),
        y_q_b: b.slice(0, 4),
        y_kv_W: columns(W, 4, 12),
        y_kv_b: b.slice(4),
      }),
      valueOf(sequence, 'multi_head_attention(x, heads = 2)', { ...out, y_qkv_W: W, y_qkv_b: b }),
    );
  });

  it('blocks leave their input as it is where all weights are 0', () => {
    const zeros = Object.fromEntries(
      [
        'attended_multi_head_attention_y_W',
        'attended_multi_head_attention_y_b',
        'fed_feed_forward_y_W',
        'fed_feed_forward_y_b',
      ].map((name) => [
        `y_${name}`,
        Array.from(
          { length: name.includes('fed') && name.endsWith('W') ? 64 : name.endsWith('W') ? 16 : 4 },
          () => 0,
        ),
      ]),
    );
    expectClose(valueOf(sequence, 'x |> transformer_block(2)', { x: rows, ...zeros }), rows);
  });
});
