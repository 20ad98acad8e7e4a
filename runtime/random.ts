/**
 * Random numbers from one seed. Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011) is counter-based: the value at a place depends on the seed, the stream and the place only, so
 * that it is the same in every target and whatever was drawn before it.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Encrypts the counter (x0, x1) under the key (k0, k1) into `into[0]` and `into[1]`. */
export function threefry2x32(k0: number, k1: number, x0: number, x1: number, into: Uint32Array): void {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ PARITY];
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8]!;
    a = (a + b) | 0;
    b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    if (round % 4 === 3) {
      const block = (round + 1) / 4;
      a = (a + keys[block % 3]!) | 0;
      b = (b + keys[(block + 1) % 3]! + block) | 0;
    }
  }
  into[0] = a;
  into[1] = b;
}

/** FNV-1a: gives every named purpose its own stream of one seed. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The sequence of one stream of one seed. */
export class Random {
  private readonly seed: number;
  private readonly stream: number;
  private low = 0;
  private high = 0;
  private readonly pair = new Uint32Array(2);
  private spare: number | undefined;

  constructor(seed: number, stream: string) {
    this.seed = seed >>> 0;
    this.stream = streamOf(stream);
  }

  private next(): void {
    threefry2x32(this.seed, this.stream, this.low, this.high, this.pair);
    this.low = (this.low + 1) >>> 0;
    if (this.low === 0) this.high = (this.high + 1) >>> 0;
  }

  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number {
    this.next();
    return ((this.pair[0]! >>> 5) * 67108864 + (this.pair[1]! >>> 6)) / 9007199254740992;
  }

  /** Standard normal, by the polar form of Box and Muller (1958). */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A whole number in 0 .. bound-1, without bias. */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Puts the elements in random order, in place (Fisher and Yates). */
  shuffle(order: Uint32Array): void {
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
  }
}

// ------------------------------------------------------------------------------------------------ what models draw

/**
 * Elements 2k and 2k + 1 of a tensor are made of the two words that the counter (k, step) gives under the key
 * (seed, stream of the tensor's name). Uniform numbers have 24 bits, so that they are the same in float32 and float64.
 */
const words = /* @__PURE__ */ new Uint32Array(512);

/** Puts the words of the elements from `first` (even) into `words`, as many as fit or are asked for. */
function drawWords(first: number, count: number, seed: number, stream: number, step: number): void {
  const k0 = seed | 0;
  const k2 = k0 ^ stream ^ PARITY;
  for (let place = 0; place < count; place += 2) {
    let a = ((first + place) / 2 + k0) | 0;
    let b = (step + stream) | 0;
    for (let block = 1; block <= 5; block++) {
      // the rounds are written out: as a loop over the rotations they take half as long again
      if (block % 2 === 1) {
        a = (a + b) | 0;
        b = ((b << 13) | (b >>> 19)) ^ a;
        a = (a + b) | 0;
        b = ((b << 15) | (b >>> 17)) ^ a;
        a = (a + b) | 0;
        b = ((b << 26) | (b >>> 6)) ^ a;
        a = (a + b) | 0;
        b = ((b << 6) | (b >>> 26)) ^ a;
      } else {
        a = (a + b) | 0;
        b = ((b << 17) | (b >>> 15)) ^ a;
        a = (a + b) | 0;
        b = ((b << 29) | (b >>> 3)) ^ a;
        a = (a + b) | 0;
        b = ((b << 16) | (b >>> 16)) ^ a;
        a = (a + b) | 0;
        b = ((b << 24) | (b >>> 8)) ^ a;
      }
      const turn = block % 3;
      a = (a + (turn === 0 ? k0 : turn === 1 ? stream : k2)) | 0;
      b = (b + (turn === 0 ? stream : turn === 1 ? k2 : k0) + block) | 0;
    }
    words[place] = a;
    words[place + 1] = b;
  }
}

/**
 * Fills `into[0 .. count-1]` with the elements `first`, `first + 1`, ... of the tensor `name` in a step: uniform in
 * [low, high), as far as rounding allows.
 */
export function drawUniform(
  into: Float32Array | Float64Array,
  first: number,
  count: number,
  seed: number,
  name: string,
  step: number,
  low: number,
  high: number,
): void {
  const stream = streamOf(name) | 0;
  const odd = first % 2;
  for (let from = -odd; from < count; from += words.length) {
    const length = Math.min(words.length, count - from);
    drawWords(first + from, length, seed, stream, step);
    for (let place = from < 0 ? 1 : 0; place < length; place++)
      into[from + place] = low + (high - low) * ((words[place]! >>> 8) / 16777216);
  }
}

/** The same for 1 with this probability, else 0. */
export function drawBernoulli(
  into: Float32Array | Float64Array,
  first: number,
  count: number,
  seed: number,
  name: string,
  step: number,
  probability: number,
): void {
  const stream = streamOf(name) | 0;
  const odd = first % 2;
  const bound = probability * 4294967296;
  for (let from = -odd; from < count; from += words.length) {
    const length = Math.min(words.length, count - from);
    drawWords(first + from, length, seed, stream, step);
    for (let place = from < 0 ? 1 : 0; place < length; place++)
      into[from + place] = words[place]! < bound ? 1 : 0;
  }
}

/** The same for the normal distribution: a pair of elements is a point of the plane, by its radius and angle (Box & Muller 1958). */
export function drawNormal(
  into: Float32Array | Float64Array,
  first: number,
  count: number,
  seed: number,
  name: string,
  step: number,
  mean: number,
  deviation: number,
): void {
  const stream = streamOf(name) | 0;
  const odd = first % 2;
  for (let from = -odd; from < count; from += words.length) {
    const length = Math.min(words.length, count - from);
    drawWords(first + from, length, seed, stream, step);
    for (let place = 0; place < length; place += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((words[place]! + 1) / 4294967296));
      const angle = (2 * Math.PI * words[place + 1]!) / 4294967296;
      const at = from + place;
      if (at >= 0) into[at] = mean + radius * Math.cos(angle);
      if (at + 1 < count) into[at + 1] = mean + radius * Math.sin(angle);
    }
  }
}
