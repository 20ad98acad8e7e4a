/** The emitted trainer with the runtime, in a page and in a worker, where `eval` is forbidden. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readIdx } from 'chainrule/data';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage, POLICY, serve } from '../../examples/page/serve.ts';
import { trainDigits, type Trained } from '../../examples/page/training.ts';
import type { Inputs } from '../../generated/digits.ts';
import { complaintsOf, hasChromium, launch } from '../support/chromium.ts';
import { installPacked } from '../support/packed.ts';

const EPOCHS = 5;
const ROWS = 4000;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The page again, in a project that has installed the package. */
async function buildFromPackage(): Promise<Map<string, Uint8Array>> {
  const project = mkdtempSync(join(tmpdir(), 'chainrule-page-'));
  try {
    for (const name of readdirSync(join(root, 'examples/page')).filter((each) => each.endsWith('.ts')))
      cpSync(join(root, 'examples/page', name), join(project, 'examples/page', name));
    cpSync(join(root, 'generated/digits.ts'), join(project, 'generated/digits.ts'));
    installPacked(project);
    return await buildPage(join(project, 'examples/page/'), 'package');
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

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
  const servers: Server[] = [];
  let browser: Browser;
  const addresses: Record<string, string> = {};
  let inNode: Trained;

  beforeAll(async () => {
    const files = await buildPage();
    for (const [name, bytes] of files)
      if (name.startsWith('digits/')) files.set(name, firstRows(bytes, name.includes('train') ? ROWS : 500));
    const probe = `
      const tried = [];
      for (const forbidden of [() => eval('1'), () => new Function('return 1')()])
        try { tried.push(forbidden()); } catch (error) { tried.push(error.name); }`;
    const texts = {
      'probe.js': `${probe} document.title = tried.join();`,
      'probe.html': '<!doctype html><script src="probe.js"></script>',
      'worker-probe.js': `${probe} postMessage(tried.join());`,
      'worker.html': '<!doctype html><script src="starts-worker.js"></script>',
      'starts-worker.js': `new Worker('worker-probe.js', { type: 'module' }).onmessage = ({ data }) => (document.title = data);`,
    };
    for (const [name, text] of Object.entries(texts)) files.set(name, new TextEncoder().encode(text));
    const packed = new Map([
      ...files,
      ...[...(await buildFromPackage())].filter(([name]) => name.endsWith('.js')),
    ]);
    for (const [name, served] of Object.entries({ sources: files, package: packed })) {
      const server = await serve(served, 0);
      servers.push(server);
      addresses[name] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }
    browser = await launch();

    const read = (part: string): Inputs => ({
      x: Float32Array.from(readIdx(files.get(`digits/${part}-images`)!).data, (grey) => grey / 255),
      label: Int32Array.from(readIdx(files.get(`digits/${part}-labels`)!).data),
    });
    inNode = await trainDigits({ train: read('train'), test: read('t10k'), epochs: EPOCHS });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
  });

  it.each(['probe', 'worker'])('the policy forbids eval: %s', async (name) => {
    const page = await browser.newPage();
    await page.goto(`${addresses['sources']}/${name}.html`);
    await expect.poll(() => page.title()).toBe('EvalError,EvalError');
    await page.close();
  });

  it.each([
    ['worker', 'sources'],
    ['page', 'sources'],
    ['worker', 'package'],
  ])('trains in a %s as in Node, and its thread stays alive (%s)', async (place, runtime) => {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    const policies = new Map<string, string | undefined>();
    page.on('response', (response) => {
      policies.set(new URL(response.url()).pathname, response.headers()['content-security-policy']);
    });
    await page.goto(addresses[runtime]!);
    await page.click(`#${place}`);
    const button = page.locator(`#${place}[data-result]`);
    await button.waitFor();
    const found = JSON.parse((await button.getAttribute('data-result'))!) as Trained;
    expect(complaints).toEqual([]);

    for (const file of ['/', '/main.js', ...(place === 'worker' ? ['/worker.js'] : [])])
      expect(policies.get(file)).toBe(POLICY);

    const { losses, accuracy, pauses } = found;
    expect(losses).toHaveLength(EPOCHS);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(accuracy).toBeGreaterThan(0.8);
    // `fit` gives way every 50 ms; a busy machine may make any one pause long, but not half of them
    const { total, longest, usual } = pauses;
    console.log(
      `${place}, ${runtime}: ${total.toFixed(0)} ms, in pauses of ${usual.toFixed(0)}, at most ${longest.toFixed(0)}`,
    );
    expect(usual).toBeLessThan(150);

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
    await page.goto(addresses['sources']!);
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
