import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError, readPng, stackImages } from 'chainrule/data';

/** PNG files and their samples as Pillow reads them; test/fixtures/make-images.py makes them. */
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/images.json', import.meta.url), 'utf8'),
) as readonly {
  readonly name: string;
  readonly file: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}[];
const bytesOf = (name: string): Uint8Array =>
  Buffer.from(cases.find((each) => each.name === name)!.file, 'base64');

describe('a PNG image is read as [height, width, channels], 0 .. 1', () => {
  it.each(cases)('$name', ({ file, shape, values }) => {
    const image = readPng(Buffer.from(file, 'base64'));
    expect(image.shape).toEqual(shape);
    expect(image.data).toEqual(Float32Array.from(values));
  });

  it('in the range asked for', () => {
    const plain = readPng(bytesOf('8-bit grey')).data;
    const { data } = readPng(bytesOf('8-bit grey'), { range: [-1, 1] });
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(2 * plain[i]! - 1, 6);
  });

  it('grey of colours, and colours of grey', () => {
    const { data: colours } = readPng(bytesOf('colours'));
    const grey = readPng(bytesOf('colours'), { channels: 1 });
    expect(grey.shape).toEqual([3, 5, 1]);
    expect(grey.data[4]).toBeCloseTo(0.299 * colours[12]! + 0.587 * colours[13]! + 0.114 * colours[14]!, 6);
    const spread = readPng(bytesOf('8-bit grey'), { channels: 3 });
    expect(spread.shape).toEqual([3, 5, 3]);
    const one = readPng(bytesOf('8-bit grey')).data;
    expect([...spread.data]).toEqual([...one].flatMap((value) => [value, value, value]));
  });
});

describe('images as rows', () => {
  it('stand one after the other', () => {
    const images = [readPng(bytesOf('colours')), readPng(bytesOf('a palette of 8 bits'))];
    const { shape, data } = stackImages(images);
    expect(shape).toEqual([2, 3, 5, 3]);
    expect([...data]).toEqual(images.flatMap((image) => [...image.data]));
  });

  it('must be of one shape', () => {
    const images = [readPng(bytesOf('colours')), readPng(bytesOf('8-bit grey'))];
    expect(() => stackImages(images)).toThrow('image 1 is [3, 5, 1], but image 0 is [3, 5, 3]');
    expect(() => stackImages([])).toThrow(DataError);
  });
});

describe('what is no PNG file', () => {
  const whole = bytesOf('colours');
  it.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array(0)],
    ['another format', Buffer.from('GIF89a and so on and on')],
    ['a file cut short', whole.subarray(0, whole.length - 30)],
    ['a damaged file', whole.map((byte, i) => (i === 50 ? byte ^ 255 : byte))],
  ])('%s: a clear error', (_, bytes) => {
    expect(() => readPng(bytes, { name: 'cat.png' })).toThrow(DataError);
    expect(() => readPng(bytes, { name: 'cat.png' })).toThrow('cat.png is not a PNG file that can be read: ');
  });
});
