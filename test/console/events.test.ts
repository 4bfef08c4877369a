import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { ConsolePage, openConsole } from '../support/console-page.ts';
import { TestDaemon } from '../support/daemon.ts';
import { frameOf } from '../support/peer-frames.ts';
import { openTunnelHost } from '../support/tunnel-host.ts';
import { once } from '../support/waits.ts';

const EVENTS = { hash: '#/events' };
const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

function rows(page: Page): Locator {
  return page.getByRole('grid', { name: 'Events' }).getByRole('row');
}

function row(page: Page, sentence: string | RegExp): Locator {
  return rows(page).filter({ hasText: sentence });
}

describe('the events in the console', () => {
  test('say in words what happens, the newest first, and lead to the port', async (t) => {
    const opened = await openConsole(t, [], EVENTS);
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    await console.live();
    await page.getByText('Nothing has happened yet').waitFor();
    const host = await openTunnelHost(t, sw);
    await row(page, 'The tunnel stands').waitFor();
    await sw.call('setPort', { port: 1, storm: 'broadcast=5' });
    for (let count = 0; count < 200; count++) host.send(frameOf({ from: '02:00:00:00:00:0a' }));
    const storm = row(page, 'A storm: more than 5 broadcast frames a second');
    await storm.waitFor();
    await storm.getByText('fault', { exact: true }).waitFor();
    assert.equal(await storm.getByRole('link', { name: 'port 1' }).getAttribute('href'), '#/ports?port=1');
    await row(page, 'The storm is over').waitFor();
    const order = await rows(page).allTextContents();
    const at = (words: string): number => order.findIndex((text) => text.includes(words));
    assert.ok(at('The storm is over') < at('A storm: more'), 'the newest is on top');
    assert.ok(at('A storm: more') < at('A server port was added'));

    await storm.click();
    const details = page.getByRole('complementary', { name: 'Event' });
    await details.getByText('broadcast', { exact: true }).waitFor();
    await details.getByRole('button', { name: 'Close the event' }).click();
  });

  test('of a loop are faults; kind, port and words choose among them', async (t) => {
    const opened = await openConsole(t, [], EVENTS);
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    await console.live();
    const [one, two, listener] = [
      await openTunnelHost(t, sw),
      await openTunnelHost(t, sw),
      await openTunnelHost(t, sw),
    ];
    const frame = frameOf({ from: '02:00:00:00:00:0b' });
    for (let turn = 0; turn < 60; turn++) {
      const heard = once(listener, 'message');
      (turn % 2 === 0 ? one : two).send(frame);
      await heard;
    }
    const flapping = row(page, 'moved').filter({
      hasText: 'between port 1 and port 2: a loop, or an address used twice',
    });
    await flapping.getByText('fault', { exact: true }).waitFor();
    await page.getByLabel('Kind').selectOption('loops');
    await row(page, 'A server port was added').first().waitFor({ state: 'detached' });
    await flapping.waitFor();
    assert.match(page.url(), /kind=loops/);
    await page.getByLabel('Port', { exact: true }).fill('3');
    await page.getByText('No event matches the filter.').waitFor();
    await page.getByLabel('Kind').selectOption('');
    await row(page, 'A server port was added').waitFor();
    await page.getByLabel('Port', { exact: true }).fill('');
    await page.getByRole('searchbox', { name: 'Search events' }).fill('02:00:00:00:00:0B');
    await flapping.waitFor();
    assert.equal(await rows(page).count(), 2);

    // Events of single addresses come only when they are asked for.
    await page.getByLabel('Kind').selectOption('addresses');
    one.send(frameOf({ from: '02:00:00:00:00:0c' }));
    await page.getByRole('searchbox', { name: 'Search events' }).fill('0c');
    await row(page, 'The station 02:00:00:00:00:0c was seen for the first time').waitFor();
  });

  test('can be paused and downloaded as JSON lines; hostile texts stay text', async (t) => {
    const opened = await openConsole(t, [], EVENTS);
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    await console.live();
    page.on('dialog', () => assert.fail('a dialog was opened'));
    const scripts = await page.locator('script').count();
    await openTunnelHost(t, sw);
    await row(page, 'The tunnel stands').waitFor();
    const target = `ws://127.0.0.1:1/?${HOSTILE}`;
    await page.getByRole('button', { name: 'Pause' }).click();
    await sw.call('addPort', { type: 'client', target: encodeURI(target), options: { wait: false } });
    await page.getByText(/, [1-9]\d* new$/).waitFor();
    assert.equal(await row(page, 'client port was added').count(), 0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await row(page, 'client port was added').waitFor();

    const downloaded = page.waitForEvent('download');
    await page.getByRole('button', { name: 'JSON' }).click();
    const file = await (await downloaded).path();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { event: string; sequence: number });
    assert.equal(events[0]?.event, 'port-added');
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map(({ sequence }) => sequence).sort((a, b) => a - b),
    );
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.locator('script').count(), scripts);
  });

  test('that are missing since the connection was lost are said to be missing', async (t) => {
    const first = await TestDaemon.start(t);
    const opened = await ConsolePage.open(t, first.controlPort, EVENTS);
    if (opened === undefined) return;
    await opened.live();
    await openTunnelHost(t, first);
    await row(opened.page, 'The tunnel stands').waitFor();
    await first.daemon.close();
    await opened.page.getByText(/^Connection lost/).waitFor();
    const second = await TestDaemon.start(t, { ctlport: String(first.controlPort) });
    await opened.live();
    await row(opened.page, 'what happened meanwhile is missing').waitFor();
    await row(opened.page, 'The tunnel stands').waitFor();
    await openTunnelHost(t, second);
    await row(opened.page, 'The tunnel stands').nth(1).waitFor();
  });
});
