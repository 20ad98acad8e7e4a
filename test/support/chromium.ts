/** Debian's Chromium, for tests that look at pages. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const PATH = '/usr/bin/chromium';

/** Without a browser these tests are skipped, but not where changes are judged. */
export const hasChromium = existsSync(PATH);
if (!hasChromium && process.env['CI'])
  throw new Error(`${PATH} is missing: install Debian's package chromium`);
if (!hasChromium)
  console.warn(`tests in a browser are skipped: there is no ${PATH} (Debian's package chromium)`);

export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page complains of, as it goes on: errors of the console, exceptions, requests that fail. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  return complaints;
}
