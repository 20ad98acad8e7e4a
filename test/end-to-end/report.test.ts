/** `trainer.report` on a real training, looked at in Chromium, which also takes its picture (test/pictures, not committed). */
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EarlyStopping, ReduceLROnPlateau } from 'chainrule/runtime';
import { ReportRecorder } from 'chainrule/report';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../examples/common/digits.ts';
import { createTrainer } from '../../generated/digits.ts';
import { moduleOf, rowsOf } from '../runtime/support.ts';
import { complaintsOf, hasChromium, launch } from '../support/chromium.ts';

const PICTURES = fileURLToPath(new URL('../pictures/', import.meta.url));

describe.skipIf(!hasChromium)('a report in Chromium', () => {
  let folder: string;
  let file: string;
  let browser: Browser;
  let accuracy: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'));
    file = join(folder, 'runs', 'report.html');
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
  }, 60_000);

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
      'Learning rate of the last step of an epoch',
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

    // the rate that the model says, as it was turned down
    const rates = await page
      .locator('figure', { hasText: 'Learning rate' })
      .locator('circle title')
      .allTextContents();
    expect(rates).toHaveLength(12);
    expect(rates[0]).toBe('learning rate, epoch 1: 0.001');
    expect(Number(rates.at(-1)!.split(': ')[1])).toBeLessThan(0.001);

    await picture(page, `report-${colorScheme}`);
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    await page.close();
  });

  describe('of other trainings', () => {
    const rows = rowsOf(60);
    const classes = ['none of the two that are named here', 'b', 'c'];
    const MODEL = `model Other {
      input x[n, 3]
      input label[n]: 3
      z = x |> dense(8) |> relu |> dense(3)
      output p[n, k] = softmax[k](z[n, k])
      loss = mean[n](cross_entropy[k](z[n, k], label[n])) + l2(z_dense1_W, lambda = ALARM)
      train { optimizer: RATE, batch: 20, epochs: 30, seed: 1 }
    }`;

    /** The page of a training of this model, in the browser, with every tick of its charts on the picture. */
    async function pageOf(name: string, optimizer: string, options: object, alarm = '1e-4'): Promise<Page> {
      const trainer = (
        await moduleOf(MODEL.replace('RATE', optimizer).replace('ALARM', alarm), 'f32')
      ).createTrainer();
      await trainer.fit(rows, {
        validationData: rows,
        ...options,
        callbacks: [new ReportRecorder({ every: 1 })],
      });
      const at = join(folder, `${name}.html`);
      await trainer.report(at, { title: name, split: { data: rows, classes } });
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      await page.goto(pathToFileURL(at).href);
      for (const chart of await page.locator('svg.chart').all()) {
        const frame = (await chart.boundingBox())!;
        for (const tick of await chart.locator('.ticks text').all()) {
          const box = (await tick.boundingBox())!;
          expect(box.x).toBeGreaterThanOrEqual(frame.x);
          expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width);
        }
      }
      await picture(page, `report-${name}`);
      return page;
    }

    it('that diverges: says from when on, and is not flat before', async () => {
      const page = await pageOf('diverging', 'sgd(rate = 100)', {}, '0.02');
      const loss = page.locator('figure').first();
      expect(await loss.textContent()).toMatch(/loss, val_loss were not finite from epoch \d+ on\./);
      expect(await loss.locator('.broken').count()).toBe(2);
      const { height } = (await loss.locator('path.curve').first().boundingBox())!;
      expect(height).toBeGreaterThan(100);
      expect(await page.locator('.note').allTextContents()).toContain(
        "No confusion matrix: output 'p' is NaN in row 0.",
      );
      await page.close();
    });

    it('of one epoch: has points, and counts it as one', async () => {
      const page = await pageOf('one-epoch', 'adam(rate = 1e-2)', { epochs: 1 });
      expect(await page.locator('main > .note').first().textContent()).toMatch(/3 steps, 1 epoch,/);
      expect(await page.locator('figure').first().locator('circle').count()).toBe(2);
      await page.close();
    });

    it('with a schedule in the model: draws its shape', async () => {
      const page = await pageOf('schedule', 'adam(rate = warmup_cosine(1e-2, warmup = 15, total = 90))', {});
      const titles = await page
        .locator('figure', { hasText: 'Learning rate' })
        .locator('circle title')
        .allTextContents();
      const rates = titles.map((title) => Number(title.split(': ')[1]));
      const wanted = rates.map((_, epoch) => {
        const step = 3 * epoch + 2;
        return step < 15 ? (1e-2 * (step + 1)) / 15 : 5e-3 * (1 + Math.cos((Math.PI * (step - 15)) / 75));
      });
      expect(rates).toHaveLength(30);
      for (const [epoch, rate] of rates.entries()) expect(rate).toBeCloseTo(wanted[epoch]!, 5);
      expect(await page.locator('.matrix th[title]').count()).toBe(2);
      await page.close();
    });
  });

  async function picture(page: Page, name: string): Promise<void> {
    const path = join(PICTURES, `${name}.png`);
    await page.screenshot({ path, fullPage: true });
    expect(readFileSync(path).length).toBeGreaterThan(20_000);
  }
});
