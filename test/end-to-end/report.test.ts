/** `trainer.report` on a real training, looked at in Chromium, which also takes its picture (test/pictures, not committed). */
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EarlyStopping, ReduceLROnPlateau } from 'chainrule/runtime';
import { ReportRecorder } from 'chainrule/report';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../examples/common/digits.ts';
import { createTrainer } from '../../generated/digits.ts';
import { complaintsOf, hasChromium, launch } from '../support/chromium.ts';

const PICTURES = fileURLToPath(new URL('../pictures/', import.meta.url));

describe.skipIf(!hasChromium)('a report in Chromium', () => {
  let folder: string;
  let file: string;
  let browser: Browser;
  let accuracy: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'));
    file = join(folder, 'report.html');
    const { train, test } = loadDigits(1500);
    const trainer = createTrainer();
    await trainer.fit(train, {
      epochs: 12,
      validationSplit: 0.2,
      callbacks: [
        new ReduceLROnPlateau({ patience: 1, minDelta: 0.03 }),
        new EarlyStopping({ patience: 20 }),
        new ReportRecorder(),
      ],
    });
    accuracy = trainer.evaluate(test)['accuracy']!;
    await trainer.report(file, { title: 'Digits <1,500 rows>', split: { data: test } });
    mkdirSync(PICTURES, { recursive: true });
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(['light', 'dark'] as const)('has its curves and numbers, %s', async (colorScheme) => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 } });
    const complaints = complaintsOf(page);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);

    expect(await page.title()).toBe('Digits <1,500 rows>');
    const captions = await page.locator('figcaption').allTextContents();
    expect(captions.map((caption) => caption.split(':')[0])).toEqual([
      'loss',
      'accuracy',
      'Rate',
      'Norms of gradients, by parameter',
    ]);
    // two curves for loss and accuracy, one for the rate, one for each of four parameters
    const curves = await page.locator('path.curve').all();
    expect(curves).toHaveLength(9);
    for (const curve of curves) {
      const { width, height } = (await curve.boundingBox())!;
      expect(width).toBeGreaterThan(300);
      expect(height).toBeGreaterThan(20);
    }
    expect(await page.locator('.matrix tbody td').count()).toBe(100);
    const right = (await page.locator('.matrix .right').allTextContents()).map(Number);
    expect(right.reduce((sum, count) => sum + count, 0) / 2000).toBeCloseTo(accuracy, 6);
    await page.click('summary');
    expect(await page.locator('details tbody tr').count()).toBe(12);
    // nothing is wider than the page
    const wide = await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth);
    expect(wide).toBe(0);

    await page.screenshot({ path: join(PICTURES, `report-${colorScheme}.png`), fullPage: true });
    expect(readFileSync(join(PICTURES, `report-${colorScheme}.png`)).length).toBeGreaterThan(20_000);
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    await page.close();
  });
});
