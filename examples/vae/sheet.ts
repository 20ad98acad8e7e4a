/** Small grey pictures side by side on one sheet, as a PNG file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { encode } from 'fast-png';

const SIDE = 28;
/** Each pixel becomes a square of this many; so wide are the gaps between pictures, too. */
const SCALE = 3;
const PITCH = (SIDE + 1) * SCALE;

/** `pictures`: grey levels 0 .. 1, 784 for each picture, row after row; `columns`: how many stand in a line of the sheet. */
export function writeSheet(path: URL, pictures: ArrayLike<number>, columns: number): void {
  const lines = Math.ceil(pictures.length / (columns * SIDE * SIDE));
  const width = columns * PITCH + SCALE;
  const height = lines * PITCH + SCALE;
  const data = new Uint8Array(width * height).fill(64);
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < columns; column++) {
      const from = (line * columns + column) * SIDE * SIDE;
      for (let y = 0; y < SIDE * SCALE; y++) {
        const row = (line * PITCH + SCALE + y) * width + column * PITCH + SCALE;
        for (let x = 0; x < SIDE * SCALE; x++) {
          const grey = pictures[from + Math.floor(y / SCALE) * SIDE + Math.floor(x / SCALE)] ?? 0;
          data[row + x] = Math.round(255 * grey);
        }
      }
    }
  }
  mkdirSync(new URL('.', path), { recursive: true });
  writeFileSync(path, encode({ width, height, data, depth: 8, channels: 1 }));
}
