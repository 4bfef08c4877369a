import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openDemo } from '../support/console-demo.ts';
import { ConsolePage } from '../support/console-page.ts';
import { openBrowser } from '../support/web-browser.ts';

/** axe-core over every view, in both themes; and each view on a phone. */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const GRAVE = ['serious', 'critical'];

/** The views, with what is opened in them. */
const PLACES: readonly (readonly [hash: string, ready: string])[] = [
  ['#/topology', 'main svg, main canvas'],
  ['#/ports', '.table-row'],
  ['#/ports?port=1', '.details'],
  ['#/stations', '.table-row'],
  ['#/networks', 'main'],
  ['#/networks?network=lab', '.empty'],
  ['#/networks?network=default&tab=tree', '.table-row'],
  ['#/capture?port=1', '.capture-chip'],
  ['#/events', 'main'],
  ['#/health', 'main'],
  ['#/add', '.add-qr'],
];

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** @returns the grave findings, as one text each */
async function findings(page: Page): Promise<string[]> {
  // By the debugger, since the content security policy permits no script of another origin.
  await page.evaluate(AXE);
  const violations = await page.evaluate<Violation[]>('axe.run(document).then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => GRAVE.includes(impact))
    .flatMap(({ id, impact, nodes }) =>
      nodes
        .slice(0, 3)
        .map(
          ({ html, failureSummary = '' }) => `${impact} ${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`,
        ),
    );
}

async function visit(page: Page, hash: string, ready: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.locator(ready).first().waitFor();
}

test('axe-core finds nothing grave in any view', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const demo = await openDemo(t);
  for (const colorScheme of ['light', 'dark'] as const) {
    const console = await ConsolePage.inBrowser(browser, `${demo.url}#/ports`, { colorScheme });
    await console.live();
    for (const [hash, ready] of PLACES) {
      await t.test(`${hash}, ${colorScheme}`, async () => {
        await visit(console.page, hash, ready);
        assert.deepEqual(await findings(console.page), []);
      });
    }
    await t.test(`a capture with an open frame, ${colorScheme}`, async () => {
      await visit(console.page, '#/capture?port=1', '.capture-chip');
      await console.page.getByRole('button', { name: 'Start' }).click();
      const row = console.page.locator('.capture-list .table-row').first();
      await row.waitFor();
      // Rows that follow the newest frame move away from a click.
      await console.page.getByRole('button', { name: 'Stop' }).click();
      await console.page.getByText('Stopped').waitFor();
      await row.click();
      await console.page.locator('.capture-hex').waitFor();
      assert.deepEqual(await findings(console.page), []);
    });
    await t.test(`the keys, ${colorScheme}`, async () => {
      await console.page.getByRole('button', { name: 'Keys' }).click();
      assert.deepEqual(await findings(console.page), []);
    });
    console.assertClean();
  }
});

test('on a phone no view is wider than the screen', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const demo = await openDemo(t);
  const viewport = { width: 375, height: 740 };
  const console = await ConsolePage.inBrowser(browser, `${demo.url}#/ports`, { viewport, hasTouch: true });
  await console.live();
  for (const [hash, ready] of PLACES) {
    await t.test(hash, async () => {
      await visit(console.page, hash, ready);
      const { page, main } = await console.page.evaluate<{ page: number; main: number }>(
        `({ page: document.documentElement.scrollWidth, main: document.querySelector('main').scrollWidth })`,
      );
      assert.ok(page <= 375 && main <= 375, `the page is ${page} px wide, its content ${main} px`);
      const tables = await console.page.evaluate<string[]>(`[...document.querySelectorAll('.table')]
        .filter((table) => table.scrollWidth > table.clientWidth)
        .map((table) => table.getAttribute('aria-label') + ' ' + table.scrollWidth)`);
      assert.deepEqual(tables, [], 'these tables are wider than the screen');
    });
  }
  await t.test('the last port of a spanning tree can be scrolled to', async () => {
    await visit(console.page, '#/networks?network=default&tab=tree', '.table-row');
    const last = console.page.locator('.table-row').last();
    await last.scrollIntoViewIfNeeded();
    const box = await last.boundingBox();
    assert.ok(box !== null && box.y > 0 && box.y + box.height <= viewport.height, JSON.stringify(box));
    const seen = await console.page.evaluate<boolean>(
      `document.elementFromPoint(${box.x + 40}, ${box.y + box.height / 2})?.closest('.table-row') != null`,
    );
    assert.ok(seen, 'something covers or cuts the row');
  });
  console.assertClean();
});
