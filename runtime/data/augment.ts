/** Changes to the rows of a training batch, drawn anew for each: the same seed gives the same. */
import { DataError } from '../errors.ts';
import type { Augmentation } from '../options.ts';
import type { Random } from '../random.ts';

export type { Augmentation };

/** Which array is changed, and its row: an image [height, width, channels] by default of one channel. */
export interface ImageInput {
  readonly input: string;
  readonly shape: readonly [height: number, width: number, channels?: number];
}

/** One after the other. */
export function compose(...augmentations: readonly Augmentation[]): Augmentation {
  return (batch, rows, random) => {
    for (const augmentation of augmentations) augmentation(batch, rows, random);
  };
}

/** Moves each image by up to `by` pixels down or up and right or left; what comes in from outside is `fill` (0). */
export function randomShift(
  options: ImageInput & { readonly by: number; readonly fill?: number },
): Augmentation {
  const { by, fill = 0 } = options;
  return eachImage(options, (from, to, [height, width, channels], random) => {
    const down = random.integer(2 * by + 1) - by;
    const right = random.integer(2 * by + 1) - by;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const inside = i >= down && i < height + down && j >= right && j < width + right;
        for (let c = 0; c < channels; c++) {
          to[(i * width + j) * channels + c] = inside
            ? from[((i - down) * width + j - right) * channels + c]!
            : fill;
        }
      }
    }
  });
}

/** Mirrors each image left to right (`horizontal`, by default) or upside down, with this probability (1/2). */
export function randomFlip(
  options: ImageInput & { readonly direction?: 'horizontal' | 'vertical'; readonly probability?: number },
): Augmentation {
  const { direction = 'horizontal', probability = 0.5 } = options;
  return eachImage(options, (from, to, [height, width, channels], random) => {
    if (random.uniform() >= probability) return;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const source =
          direction === 'horizontal' ? i * width + (width - 1 - j) : (height - 1 - i) * width + j;
        for (let c = 0; c < channels; c++) to[(i * width + j) * channels + c] = from[source * channels + c]!;
      }
    }
  });
}

/** Adds normal noise of this standard deviation to every element of an array of real numbers. */
export function noise(options: { readonly input: string; readonly deviation: number }): Augmentation {
  return (batch, rows, random) => {
    const { values, size } = realInput(batch, options.input, rows);
    for (let i = 0; i < rows * size; i++) values[i]! += options.deviation * random.normal();
  };
}

/** `change` reads a copy of one image and writes over it. */
function eachImage(
  { input, shape: [height, width, channels = 1] }: ImageInput,
  change: (
    from: Float64Array,
    to: Float32Array | Float64Array,
    shape: readonly [number, number, number],
    random: Random,
  ) => void,
): Augmentation {
  const size = height * width * channels;
  const copy = new Float64Array(size);
  return (batch, rows, random) => {
    const { values } = realInput(batch, input, rows, size);
    for (let row = 0; row < rows; row++) {
      const image = values.subarray(row * size, (row + 1) * size);
      copy.set(image);
      change(copy, image, [height, width, channels], random);
    }
  };
}

/** The values of an array of real numbers, and how many make a row. @throws DataError */
function realInput(
  batch: Parameters<Augmentation>[0],
  input: string,
  rows: number,
  size?: number,
): { readonly values: Float32Array | Float64Array; readonly size: number } {
  const values = batch[input];
  if (values === undefined)
    throw new DataError(`augmentation: there is no '${input}'; there are ${Object.keys(batch).join(', ')}`);
  if (values instanceof Int32Array) throw new DataError(`augmentation: '${input}' holds whole numbers`);
  const own = values.length / rows;
  if (size !== undefined && own !== size)
    throw new DataError(`augmentation: a row of '${input}' has ${own} values, but the image has ${size}`);
  return { values, size: own };
}
