/** Event files: byte by byte what TensorBoard's own writer makes (fixtures/make-events.py), and its own reader reads. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { crc32c, fileHeader, scalarEvent } from '../../runtime/callbacks/event-file.ts';
import { TensorBoard } from '../../runtime/index.ts';
import { moduleOf, PLAIN, rowsOf } from './support.ts';

const fixture = JSON.parse(readFileSync(new URL('fixtures/events.json', import.meta.url), 'utf8')) as {
  readonly bytes: string;
};

it('CRC-32C has the values of RFC 3720', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

it('the bytes are those of TensorBoard', () => {
  const pieces = [
    fileHeader(1700000000),
    scalarEvent(1700000000.5, 1, { loss: 0.75, accuracy: 0.5 }),
    scalarEvent(1700000001, 300, { loss: -1.5e-7, 'läng/e': Infinity }),
    scalarEvent(1700000002, 5000000000, { loss: 3e38 }),
  ];
  expect(Buffer.concat(pieces).toString('hex')).toBe(fixture.bytes);
});

it('the callback writes figures of training and validation to runs of their own, under the same names', async () => {
  const written: [string, string][] = [];
  const board = new TensorBoard({
    write: (run, bytes) => void written.push([run, Buffer.from(bytes).toString('hex')]),
    now: () => 5,
    everySteps: 2,
  });
  const module = await moduleOf(PLAIN);
  const { history } = await module
    .createTrainer()
    .fit(rowsOf(20), { epochs: 1, validationData: rowsOf(9, 2), callbacks: [board] });
  const [loss, accuracy, val_loss, val_accuracy] = Object.values(history).map((values) => values[0]!);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(written).toEqual([
    ['train', hex(fileHeader(5))],
    ['validation', hex(fileHeader(5))],
    ['train', hex(scalarEvent(5, 2, { batch_loss: loss!, batch_accuracy: accuracy! }))],
    [
      'train',
      hex(scalarEvent(5, 1, { loss: loss!, accuracy: accuracy!, rate_factor: 1, learning_rate: 0.01 })),
    ],
    ['validation', hex(scalarEvent(5, 1, { loss: val_loss!, accuracy: val_accuracy! }))],
  ]);
});
