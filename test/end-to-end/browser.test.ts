/** The emitted trainer with the runtime, in a page and in a worker, where `eval` is forbidden. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { readIdx } from 'chainrule/data';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage, serve } from '../../examples/page/serve.ts';
import { trainDigits, type Trained } from '../../examples/page/training.ts';
import type { Inputs } from '../../generated/digits.ts';
import { complaintsOf, hasChromium, launch } from '../support/chromium.ts';

const EPOCHS = 5;

/** The first digits of an IDX file, as one. */
function firstRows(bytes: Uint8Array, rows: number): Uint8Array {
  const { shape, data } = readIdx(bytes);
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  [rows, ...shape.slice(1)].forEach((size, axis) => header.setUint32(4 + 4 * axis, size));
  const size = data.length / shape[0]!;
  return new Uint8Array([...new Uint8Array(header.buffer), ...data.subarray(0, rows * size)]);
}

describe.skipIf(!hasChromium)('digits in Chromium', () => {
  let files: Map<string, Uint8Array>;
  let server: Server;
  let browser: Browser;
  let address: string;
  let inNode: Trained;

  beforeAll(async () => {
    files = await buildPage();
    for (const [name, bytes] of files)
      if (name.startsWith('digits/')) files.set(name, firstRows(bytes, name.includes('train') ? 1000 : 500));
    const probe = `
      const tried = [];
      for (const forbidden of [() => eval('1'), () => new Function('return 1')()])
        try { tried.push(forbidden()); } catch (error) { tried.push(error.name); }
      document.title = tried.join();`;
    files.set('probe.js', new TextEncoder().encode(probe));
    files.set('probe.html', new TextEncoder().encode('<!doctype html><script src="probe.js"></script>'));
    server = await serve(files, 0);
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launch();

    const read = (part: string): Inputs => ({
      x: Float32Array.from(readIdx(files.get(`digits/${part}-images`)!).data, (grey) => grey / 255),
      label: Int32Array.from(readIdx(files.get(`digits/${part}-labels`)!).data),
    });
    inNode = await trainDigits({ train: read('train'), test: read('t10k'), epochs: EPOCHS });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('the policy forbids eval', async () => {
    const page = await browser.newPage();
    await page.goto(`${address}/probe.html`);
    expect(await page.title()).toBe('EvalError,EvalError');
    await page.close();
  });

  it.each(['worker', 'page'])('trains in a %s as in Node, and the page stays alive', async (place) => {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(address);
    await page.click(`#${place}`);
    const button = page.locator(`#${place}[data-result]`);
    await button.waitFor();
    const found = JSON.parse((await button.getAttribute('data-result'))!) as Trained & { ticks: number };
    expect(complaints).toEqual([]);

    const { losses, accuracy, ticks } = found;
    expect(losses).toHaveLength(EPOCHS);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(accuracy).toBeGreaterThan(0.8);
    expect(ticks).toBeGreaterThan(3);

    // the last bits of Math.exp and Math.log may be those of another version of V8
    losses.forEach((loss, epoch) => expect(loss).toBeCloseTo(inNode.losses[epoch]!, 4));
    for (const [name, values] of Object.entries(inNode.weights)) {
      const others = found.weights[name]!;
      expect(others.length).toBe(values.length);
      expect(Math.max(...values.map((value, k) => Math.abs(value - others[k]!)))).toBeLessThan(1e-3);
    }
    expect(await page.textContent('#status')).toMatch(/% of the test digits are read right/);
    expect((await page.getAttribute('#loss', 'points'))!.split(' ').length).toBeGreaterThan(3);
    await page.close();
  });

  it('reads a digit that is drawn', async () => {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(address);
    await page.click('#worker');
    await page.locator('#worker[data-result]').waitFor();
    const box = (await page.locator('#drawing').boundingBox())!;
    await page.mouse.move(box.x + 115, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 105, box.y + 185, { steps: 8 });
    await page.mouse.up();
    expect(await page.textContent('#read')).toMatch(/^1 \(/);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
