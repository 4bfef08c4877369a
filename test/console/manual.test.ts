import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { addressOfPage, nameOfPage } from '../../console/src/manual-pages.ts';
import { meaningOf } from '../../console/src/views/ports/discards.ts';
import { DISCARD_REASONS } from '../../src/bridge/port.ts';
import { ConsolePage } from '../support/console-page.ts';
import { SwitchProcess } from '../support/switch-process.ts';

const BUILT = 'dist/console/manual';

describe('the manual of the console', () => {
  const pages = new Map(
    readdirSync(BUILT)
      .filter((name) => name.endsWith('.html'))
      .map((name) => [name, readFileSync(`${BUILT}/${name}`, 'utf8')]),
  );

  test('each page of docs/ is a page of it', () => {
    const docs = (readdirSync('docs', { recursive: true }) as string[]).filter((name) => name.endsWith('.md'));
    assert.ok(docs.length > 30);
    for (const name of docs) assert.ok(pages.has(nameOfPage(`docs/${name}`)), name);
  });

  test('each link leads to a page and a heading that are there', () => {
    let links = 0;
    for (const [from, text] of pages) {
      for (const [, href = ''] of text.matchAll(/<a href="([^"]*)"/g)) {
        if (/^https?:|^\.\.\/$/.test(href)) continue;
        const [name = '', anchor] = href.split('#');
        const page = pages.get(name === '' ? from : name);
        assert.ok(page !== undefined, `${from}: ${href}`);
        if (anchor !== undefined) assert.ok(page.includes(` id="${anchor}"`), `${from}: ${href}`);
        links++;
      }
      for (const [, image = ''] of text.matchAll(/<img src="([^"]*)"/g))
        assert.ok(existsSync(`${BUILT}/${image}`), image);
    }
    assert.ok(links > 200, `${links} links`);
  });

  test('each reason of a discard names a page', () => {
    for (const reason of DISCARD_REASONS) assert.ok(pages.has(nameOfPage(meaningOf(reason).page)), reason);
  });

  test('a page is shown with its style, within the content security policy', async (t) => {
    const sw = await SwitchProcess.start(t);
    const url = `http://127.0.0.1:${sw.controlPort}/console/${addressOfPage('docs/operate/vlans.md')}`;
    const opened = await ConsolePage.open(t, sw.controlPort, { url });
    if (opened === undefined) return;
    const { page } = opened;
    await page.getByRole('heading', { level: 1, name: 'VLANs' }).waitFor();
    const width = await page.evaluate(`getComputedStyle(document.body).maxWidth`);
    assert.notEqual(width, 'none', 'its style is in force');
    await page.getByRole('link', { name: 'All pages' }).click();
    await page.getByRole('link', { name: 'spanning tree', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Spanning tree' }).waitFor();
    await page.getByRole('link', { name: 'Console' }).click();
    await page.waitForURL(/\/console\/(#.*)?$/);
  });
});
