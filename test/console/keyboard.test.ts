import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConsole } from '../support/console-page.ts';
import { FrameSource } from '../support/frame-source.ts';

/** The keys of the console, in Chromium. */

test('keys lead through the console', async (t) => {
  const opened = await openConsole(t, [], { hash: '#/ports' });
  if (opened === undefined) return;
  const { sw, page, console } = opened;
  await FrameSource.open(t, sw.tunnelPort);
  await console.live();
  const shown = (): Promise<string | null> => page.locator('.frame-link[aria-current]').textContent();
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.getAttribute("data-search") ?? document.activeElement.id');

  await t.test('g and a letter go to a view, whose content has the focus', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await page.locator('.capture-form').waitFor();
    assert.equal(await shown(), 'Capture');
    assert.equal(await focused(), 'main');
  });

  await t.test('/ goes to the search of the view, where letters are text; Escape leaves it', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('g p?');
    assert.equal(await page.getByLabel('Filter', { exact: true }).inputValue(), 'g p?');
    assert.equal(await shown(), 'Capture');
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate('document.activeElement === document.body'), true);
  });

  await t.test('? shows the keys, and Escape closes them', async () => {
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await dialog.getByText('Stations', { exact: true }).waitFor();
    await dialog.getByRole('heading', { name: 'In the topology' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    assert.equal(await shown(), 'Capture', 'a dialog has the keys');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await t.test('a row opens by Enter, and closes by Escape; the table has the focus again', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await page.locator('.table-row').first().waitFor();
    await page.locator('.table').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary').waitFor();
    await page.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await page.locator('.table:focus').waitFor();
    assert.equal(await page.evaluate('location.hash'), '#/ports');
  });

  await t.test('the first Tab offers to skip the navigation', async () => {
    await page.reload();
    await console.live();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'main');
  });
});
