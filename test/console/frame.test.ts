import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openConsole } from '../support/console-page.ts';

/** The routes of all views, in the order of the navigation. */
const ROUTES = ['topology', 'ports', 'stations', 'networks', 'capture', 'events', 'health', 'add'];

describe('the frame of the console', () => {
  test('the navigation leads to all views, whose names are in the title, and the browser goes back', async (t) => {
    const opened = await openConsole(t);
    if (opened === undefined) return;
    const { page, console } = opened;
    await console.live();
    const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link');
    assert.deepEqual(
      await links.evaluateAll((all) => all.map((link) => (link as unknown as { hash: string }).hash)),
      ROUTES.map((id) => `#/${id}`),
    );
    for (const link of await links.all()) {
      await link.click();
      assert.equal(await link.getAttribute('aria-current'), 'page');
      const name = (await link.textContent())?.trim();
      await page.waitForFunction(`document.title.startsWith(${JSON.stringify(name)})`);
      await page.getByRole('main').getByText(/\S/).first().waitFor();
    }
    await page.goBack();
    await page.waitForFunction(`document.title.startsWith('Health')`);
  });

  test('a route that there is not leads to the first view', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/no-such-view?port=%zz' });
    if (opened === undefined) return;
    await opened.page.waitForFunction(`document.title.startsWith('Topology')`);
  });

  test('on a phone no view is wider than the screen', async (t) => {
    const opened = await openConsole(t, [], { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true });
    if (opened === undefined) return;
    const { page, console } = opened;
    await console.live();
    for (const id of ROUTES) {
      await console.goTo(`#/${id}`);
      await page.getByRole('main').locator('> *').first().waitFor();
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(width <= 390, `${id} is ${width} px wide`);
    }
  });

  test('colours follow the system while the page is open', async (t) => {
    const opened = await openConsole(t, [], { colorScheme: 'dark' });
    if (opened === undefined) return;
    const { page, console } = opened;
    await console.live();
    const surface = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await surface();
    await page.emulateMedia({ colorScheme: 'light' });
    assert.notEqual(await surface(), dark);
    assert.equal(await surface(), 'rgb(255, 255, 255)');
  });

  test('everything the page loads comes from the switch', async (t) => {
    const opened = await openConsole(t);
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).host !== `127.0.0.1:${sw.controlPort}`) elsewhere.push(request.url());
    });
    await page.reload();
    await console.live();
    for (const id of ROUTES) {
      await console.goTo(`#/${id}`);
      await page.getByRole('main').locator('> *').first().waitFor();
    }
    assert.deepEqual(elsewhere, []);
  });
});
