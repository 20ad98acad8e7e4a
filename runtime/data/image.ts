/** PNG images as arrays [height, width, channels] of real numbers. */
import { convertIndexedToRgb, decode, type DecodedPng } from 'fast-png';
import { DataError } from '../errors.ts';

export interface Image {
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  readonly data: Float32Array;
}

export interface ImageOptions {
  /**
   * 1: grey (of colours: 0.299 R + 0.587 G + 0.114 B, ITU-R BT.601). 3: red, green, blue. By default as the file has it, without
   * opacity.
   */
  readonly channels?: 1 | 3;
  /** What black and white become; 0 and 1 by default. */
  readonly range?: readonly [black: number, white: number];
  /** What messages call the file. */
  readonly name?: string;
}

/** Reads a PNG image of any kind; opacity is left out. @throws DataError where it is not one, or is damaged */
export function readPng(bytes: Uint8Array, options: ImageOptions = {}): Image {
  const { range: [black, white] = [0, 1], name = 'the file' } = options;
  const { width, height, found, samples, greatest } = decoded(bytes, name);
  const colours = found >= 3 ? 3 : 1;
  const channels = options.channels ?? colours;
  const data = new Float32Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < channels; c++) {
      const from = pixel * found;
      const value =
        colours === 1
          ? samples[from]!
          : channels === 3
            ? samples[from + c]!
            : 0.299 * samples[from]! + 0.587 * samples[from + 1]! + 0.114 * samples[from + 2]!;
      data[pixel * channels + c] = black + (value / greatest) * (white - black);
    }
  }
  return { shape: [height, width, channels], data };
}

/**
 * Images of one shape as rows, [images, height, width, channels].
 * @throws DataError that names the image of another shape
 */
export function stackImages(images: readonly Image[]): {
  readonly shape: readonly [number, number, number, number];
  readonly data: Float32Array;
} {
  const [first] = images;
  if (first === undefined) throw new DataError('there is no image to stack');
  const size = first.data.length;
  const data = new Float32Array(images.length * size);
  for (const [row, image] of images.entries()) {
    if (image.shape.some((extent, axis) => extent !== first.shape[axis]))
      throw new DataError(
        `image ${row} is [${image.shape.join(', ')}], but image 0 is [${first.shape.join(', ')}]`,
      );
    data.set(image.data, row * size);
  }
  return { shape: [images.length, ...first.shape], data };
}

interface Samples {
  readonly width: number;
  readonly height: number;
  /** Samples a pixel, alpha among them. */
  readonly found: number;
  readonly samples: ArrayLike<number>;
  /** The sample of white. */
  readonly greatest: number;
}

function decoded(bytes: Uint8Array, name: string): Samples {
  try {
    const png = decode(bytes, { checkCrc: true });
    const { width, height, depth, channels, palette, data } = png;
    if (palette !== undefined)
      return { width, height, found: palette[0]!.length, samples: convertIndexedToRgb(png), greatest: 255 };
    return {
      width,
      height,
      found: channels,
      samples: depth < 8 ? unpacked(png) : data,
      greatest: 2 ** depth - 1,
    };
  } catch (error) {
    throw new DataError(
      `${name} is not a PNG file that can be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** Grey levels of 1, 2 or 4 bits, which the decoder leaves several to a byte; each line begins a new one. */
function unpacked({ width, height, depth, data }: DecodedPng): Uint8Array {
  const samples = new Uint8Array(width * height);
  const bytesOfLine = Math.ceil((width * depth) / 8);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const bit = j * depth;
      const shift = 8 - depth - (bit % 8);
      samples[i * width + j] = (data[i * bytesOfLine + Math.floor(bit / 8)]! >> shift) & (2 ** depth - 1);
    }
  }
  return samples;
}
