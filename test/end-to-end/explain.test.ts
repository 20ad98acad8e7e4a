/** The page of `compile explain` in Chromium: what is seen, at the width of a screen and of a phone, in light and dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { decode } from 'fast-png';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../compiler/explain/html.ts';
import { explained } from '../explain/examples.ts';
import { complaintsOf, hasChromium, launch } from '../support/chromium.ts';

const shown = ['xor', 'lenet', 'gpt'] as const;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

describe.skipIf(!hasChromium)('an explained model in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-explained-'));
  let browser: Browser;

  beforeAll(async () => {
    for (const name of shown) {
      const [explanation] = await explained(`examples/${name}/${name}.dsl`);
      writeFileSync(join(folder, `${name}.html`), await renderHtml(explanation!));
    }
    browser = await launch();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, options: Parameters<Browser['newPage']>[0]) {
    const page = await browser.newPage(options);
    const complaints = complaintsOf(page);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const address = pathToFileURL(join(folder, `${name}.html`)).href;
    await page.goto(address);
    const finish = async (): Promise<void> => {
      expect(complaints).toEqual([]);
      expect(requests).toEqual([address]);
      await page.close();
    };
    return { page, finish };
  }

  it.each([
    ['xor', 1280],
    ['xor', 390],
    ['lenet', 1280],
    ['lenet', 390],
    ['gpt', 1280],
    ['gpt', 390],
  ] as const)(
    '%s at %i pixels: nothing sticks out, the picture and the formulas are there',
    async (name, width) => {
      const { page, finish } = await open(name, { viewport: { width, height: 900 } });
      await openAll(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);

      const nodes = await boxes(page, 'nav .picture rect.node');
      expect(nodes.length).toBeGreaterThan(6);
      for (const node of nodes) {
        expect(node.width).toBeGreaterThan(20);
        expect(node.height).toBeGreaterThan(10);
        expect(node.x).toBeGreaterThanOrEqual(0);
        expect(node.x + node.width).toBeLessThanOrEqual(width);
      }
      nodes.forEach((node, k) =>
        nodes.slice(k + 1).forEach((other) => expect(overlap(node, other)).toBeLessThan(2)),
      );
      // a text is inside of its box, whatever font there is
      const labels = await boxes(page, 'nav .picture text');
      for (const label of labels)
        expect(
          nodes.some((node) => label.x >= node.x - 2 && label.x + label.width <= node.x + node.width + 2),
        ).toBe(true);

      const formulas = await boxes(page, 'math');
      expect(formulas.length).toBeGreaterThan(20);
      expect(formulas.filter(({ width, height }) => width < 10 || height < 10)).toEqual([]);
      await finish();
    },
  );

  it.each(['light', 'dark'] as const)('is drawn in %s colours, as a picture shows', async (colorScheme) => {
    const { page, finish } = await open('xor', { viewport: { width: 1280, height: 1000 }, colorScheme });
    const { data, width, channels } = decode(await page.screenshot());
    const at = (x: number, y: number): number[] => {
      const start = (Math.round(y) * width + Math.round(x)) * channels;
      return Array.from(data.subarray(start, start + 3), Number);
    };
    const [value] = await boxes(page, 'a[href="#s-h"] rect');
    const [back] = await boxes(page, 'a[href="#s-dh"] rect');
    const [weight] = await boxes(page, 'nav rect.parameter');
    // beside the letters, inside of the frame
    const inside = ({ x, y, height }: Box): number[] => at(x + 4, y + height / 2);
    const colours = [inside(value!), inside(back!), inside(weight!), at(2, 990)];
    const isDark = colorScheme === 'dark';
    for (const colour of colours) expect(brightness(colour) < 0.5, colour.join()).toBe(isDark);
    // values are bluish, what comes back is reddish, weights are greenish
    expect(value && inside(value).indexOf(Math.max(...inside(value)))).toBe(2);
    expect(back && inside(back).indexOf(Math.max(...inside(back)))).toBe(0);
    expect(weight && inside(weight).indexOf(Math.max(...inside(weight)))).toBe(1);
    // an arrow goes down to h, and one comes up from it
    const style = (selector: string, property: string): Promise<string[]> =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll('${selector}')].map((each) => getComputedStyle(each).${property})`,
      );
    expect(new Set(await style('nav path.edge', 'stroke')).size).toBe(2);
    const [text = ''] = await style('body', 'color');
    const ink = brightness(text.match(/\d+/g)!.map(Number));
    expect(Math.abs(ink - brightness(at(2, 990)))).toBeGreaterThan(0.6);
    await finish();
  });

  it.each([true, false])(
    'a node leads to its statement, a folded one too (scripts: %s)',
    async (javaScriptEnabled) => {
      const { page, finish } = await open('lenet', {
        viewport: { width: 1280, height: 900 },
        javaScriptEnabled,
      });
      await page.click('nav a[href="#line-13"]');
      expect(new URL(page.url()).hash).toBe('#line-13');
      expect((await boxes(page, '#line-13'))[0]?.y).toBeLessThan(200);
      await page.click('nav a[href="#s-dz"]');
      await expect.poll(async () => (await boxes(page, '#s-dz'))[0]?.height ?? 0).toBeGreaterThan(50);
      const [place] = await boxes(page, '#s-dz');
      expect(place?.y).toBeGreaterThanOrEqual(0);
      expect(place?.y).toBeLessThan(900);
      await finish();
    },
  );

  it('the code of both passes stands side by side on a wide screen, and one below the other on a phone', async () => {
    for (const width of [1280, 390]) {
      const { page, finish } = await open('xor', { viewport: { width, height: 900 } });
      const [forward, backward] = await boxes(page, '#s-h .code > div');
      if (width === 1280) {
        expect(forward!.y).toBeCloseTo(backward!.y, 0);
        expect(backward!.x).toBeGreaterThan(forward!.x + forward!.width);
      } else expect(backward!.y).toBeGreaterThan(forward!.y + forward!.height);
      await finish();
    }
  });

  it('is printed with everything unfolded', async () => {
    const { page, finish } = await open('lenet', { viewport: { width: 800, height: 900 } });
    const height = async (): Promise<number> => (await boxes(page, '#line-8'))[0]?.height ?? 0;
    expect(await height()).toBeLessThan(300);
    await page.emulateMedia({ media: 'print' });
    expect(await height()).toBeGreaterThan(1000);
    await finish();
  });
});

async function openAll(page: Page): Promise<void> {
  await page.locator('details').evaluateAll((all) => all.forEach((each) => each.setAttribute('open', '')));
}

async function boxes(page: Page, selector: string): Promise<Box[]> {
  return await page.locator(selector).evaluateAll((all) =>
    all.map((each) => {
      const { x, y, width, height } = each.getBoundingClientRect();
      return { x, y, width, height };
    }),
  );
}

/** The smaller side of what two boxes have in common, in pixels. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, Math.min(width, height));
}

/** 0 black .. 1 white */
function brightness([red = 0, green = 0, blue = 0]: readonly number[]): number {
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
