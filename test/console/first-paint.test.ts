import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openConsole } from '../support/console-page.ts';
import { eventually } from '../support/etherws.ts';
import { within } from '../support/waits.ts';

/** What of the page there is, and where: the elements, without their texts for browsers without scripts. */
const FRAME = `(() => {
  const page = document.getElementById('page').cloneNode(true);
  for (const note of page.querySelectorAll('noscript')) note.remove();
  return page.innerHTML.replace(/\\s+(?=<)|(?<=>)\\s+/g, '');
})()`;
const PLACES = `['.frame-head', '.frame-nav', '.frame-main', '.frame-name'].map((part) => {
  const { x, y, height } = document.querySelector(part).getBoundingClientRect();
  return [part, x, y, height];
})`;

describe('the first paint of the console', () => {
  test('comes before the switch has told the session, and what is painted stays where it is', async (t) => {
    const opened = await openConsole(t);
    if (opened === undefined) return;
    const { page, console } = opened;
    await console.live();
    const asked: string[] = [];
    let tell: () => void = () => undefined;
    const isTold = within(
      new Promise<void>((resolve) => {
        tell = resolve;
      }),
      'first paint',
    );
    await page.route('**/session', async (route) => {
      asked.push(route.request().url());
      await isTold;
      await route.continue();
    });
    await page.reload({ waitUntil: 'domcontentloaded' });
    await eventually(
      () => page.evaluate<number>("performance.getEntriesByName('first-contentful-paint').length"),
      (paints) => paints > 0,
    );
    assert.equal(await page.getByRole('navigation').count(), 0);
    const before = await page.evaluate(PLACES);
    tell();
    await console.live();
    assert.deepEqual(await page.evaluate(PLACES), before);
    assert.equal(asked.length, 1, 'the session that index.html asks for is the one that the scripts get');
  });

  test('is the same in index.html and in what the scripts render at first', async (t) => {
    const opened = await openConsole(t);
    if (opened === undefined) return;
    const { page } = opened;
    let isAsked: () => void = () => undefined;
    const scriptsHaveRun = within(
      new Promise<void>((resolve) => {
        isAsked = resolve;
      }),
      'request for the script',
    );
    await page.route('**/index-*.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${await response.text()}\n;document.title = 'rendered';` });
      isAsked();
    });
    await page.route('**/session', () => undefined);
    await page.reload({ waitUntil: 'domcontentloaded' });
    await scriptsHaveRun;
    await eventually(
      () => page.title(),
      (title) => title === 'rendered',
    );
    const rendered = await page.evaluate<string>(FRAME);
    const source = await page.evaluate<string>(
      `fetch('.').then((response) => response.text()).then((text) => /<div id="page">([^]*)<\\/div>\\s*<\\/body>/.exec(text)[1]
        .replace(/<noscript>[^]*<\\/noscript>/, '').replace(/\\s+(?=<)|(?<=>)\\s+/g, ''))`,
    );
    assert.equal(rendered, source);
  });

  test('needs no JavaScript', async (t) => {
    const opened = await openConsole(t, [], { javaScriptEnabled: false });
    if (opened === undefined) return;
    await opened.page.locator('.frame-name', { hasText: 'etherws' }).waitFor();
  });
});
