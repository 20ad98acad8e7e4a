/**
 * The peer: one training step of a relu perceptron with softmax cross-entropy and Adam, as one writes it by hand,
 * three plain loops a product. Float32 arrays, weights [in, out].
 */
export class NaivePerceptron {
  private readonly sizes: readonly number[];
  private readonly layers: { w: Float32Array; b: Float32Array; dw: Float32Array; db: Float32Array }[] = [];
  private readonly moments = new Map<Float32Array, { m: Float32Array; v: Float32Array }>();
  private t = 0;

  constructor(sizes: readonly number[]) {
    this.sizes = sizes;
    for (let k = 1; k < sizes.length; k++) {
      const [from, to] = [sizes[k - 1]!, sizes[k]!];
      const w = Float32Array.from({ length: from * to }, (_, i) => Math.sin(i) / Math.sqrt(from));
      this.layers.push({
        w,
        b: new Float32Array(to),
        dw: new Float32Array(from * to),
        db: new Float32Array(to),
      });
    }
  }

  step(x: Float32Array, label: ArrayLike<number>, rows: number): number {
    const values = [x];
    this.layers.forEach((layer, k) => values.push(this.dense(values[k]!, layer, rows, k)));
    const z = values.at(-1)!;
    const classes = this.sizes.at(-1)!;
    let gradient = new Float32Array(z.length);
    let loss = 0;
    for (let n = 0; n < rows; n++) {
      let greatest = -Infinity;
      let sum = 0;
      for (let k = 0; k < classes; k++) greatest = Math.max(greatest, z[n * classes + k]!);
      for (let k = 0; k < classes; k++) sum += Math.exp(z[n * classes + k]! - greatest);
      loss += (Math.log(sum) + greatest - z[n * classes + label[n]!]!) / rows;
      for (let k = 0; k < classes; k++) {
        const p = Math.exp(z[n * classes + k]! - greatest) / sum;
        gradient[n * classes + k] = (p - (k === label[n] ? 1 : 0)) / rows;
      }
    }
    for (let k = this.layers.length - 1; k >= 0; k--) gradient = this.backward(values[k]!, gradient, k, rows);
    this.t++;
    for (const { w, b, dw, db } of this.layers) {
      this.adam(w, dw);
      this.adam(b, db);
    }
    return loss;
  }

  private dense(
    x: Float32Array,
    { w, b }: { w: Float32Array; b: Float32Array },
    rows: number,
    k: number,
  ): Float32Array {
    const [from, to] = [this.sizes[k]!, this.sizes[k + 1]!];
    const y = new Float32Array(rows * to);
    const last = k === this.layers.length - 1;
    for (let n = 0; n < rows; n++) {
      for (let o = 0; o < to; o++) {
        let sum = b[o]!;
        for (let i = 0; i < from; i++) sum += x[n * from + i]! * w[i * to + o]!;
        y[n * to + o] = last || sum > 0 ? sum : 0;
      }
    }
    return y;
  }

  /** Fills dw and db; gives the gradient of the layer's input, through the relu below it. */
  private backward(x: Float32Array, dy: Float32Array, k: number, rows: number): Float32Array<ArrayBuffer> {
    const [from, to] = [this.sizes[k]!, this.sizes[k + 1]!];
    const { w, dw, db } = this.layers[k]!;
    for (let o = 0; o < to; o++) {
      let sum = 0;
      for (let n = 0; n < rows; n++) sum += dy[n * to + o]!;
      db[o] = sum;
    }
    for (let i = 0; i < from; i++) {
      for (let o = 0; o < to; o++) {
        let sum = 0;
        for (let n = 0; n < rows; n++) sum += x[n * from + i]! * dy[n * to + o]!;
        dw[i * to + o] = sum;
      }
    }
    const dx = new Float32Array(k === 0 ? 0 : rows * from);
    if (k === 0) return dx;
    for (let n = 0; n < rows; n++) {
      for (let i = 0; i < from; i++) {
        let sum = 0;
        for (let o = 0; o < to; o++) sum += dy[n * to + o]! * w[i * to + o]!;
        dx[n * from + i] = x[n * from + i]! > 0 ? sum : 0;
      }
    }
    return dx;
  }

  private adam(p: Float32Array, g: Float32Array): void {
    let moments = this.moments.get(p);
    if (moments === undefined) {
      moments = { m: new Float32Array(p.length), v: new Float32Array(p.length) };
      this.moments.set(p, moments);
    }
    const { m, v } = moments;
    for (let i = 0; i < p.length; i++) {
      m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * g[i]! * g[i]!;
      const first = m[i]! / (1 - 0.9 ** this.t);
      const second = v[i]! / (1 - 0.999 ** this.t);
      p[i] = p[i]! - (1e-3 * first) / (Math.sqrt(second) + 1e-8);
    }
  }
}
