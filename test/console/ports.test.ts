import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { WebSocket } from 'ws';
import type { PortEntry } from '../../src/control/schema.ts';
import { openConsole } from '../support/console-page.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { textFile, usersFile } from '../support/users-file.ts';
import { once } from '../support/waits.ts';

const STATION = '02:00:00:00:00:0e';

/** A tunnel to the switch, as a port of the kind `server`. */
async function tunnelTo(t: TestContext, { tunnelPort }: SwitchProcess): Promise<WebSocket> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  return tunnel;
}

const rowOf = (page: Page, text: string): Locator =>
  page.getByRole('grid', { name: 'Ports' }).getByRole('row').filter({ hasText: text });
const panelOf = (page: Page): Locator => page.getByRole('complementary');

/** A switch with a client port to another one, whose panel is open. */
async function openClientPort(
  t: TestContext,
): Promise<{ page: Page; sw: SwitchProcess; port: () => Promise<PortEntry> } | undefined> {
  const relay = await SwitchProcess.start(t);
  const opened = await openConsole(t, [], { hash: '#/ports' });
  if (opened === undefined) return undefined;
  const { sw, page } = opened;
  const target = `ws://127.0.0.1:${relay.tunnelPort}/`;
  await sw.call('addPort', { type: 'client', target, name: 'uplink' });
  await rowOf(page, 'uplink').click();
  const port = async (): Promise<PortEntry> => {
    const [entry] = await sw.ports();
    assert.ok(entry);
    return entry;
  };
  return { page, sw, port };
}

describe('the ports in the console', () => {
  test('a port comes, shows its traffic, and goes, all without reloading', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/ports' });
    if (opened === undefined) return;
    const { sw, page } = opened;
    await page.getByText('etherws ctl addport tap tap0').waitFor();
    const tunnel = await tunnelTo(t, sw);
    const row = rowOf(page, 'server');
    await row.getByText('up', { exact: true }).waitFor();
    const frame = frameOf({ from: STATION, payload: 'x'.repeat(1000) });
    const timer = setInterval(() => tunnel.send(frame), 5);
    t.after(() => clearInterval(timer));
    await row.getByText(/[1-9]\S*\skbit\/s|Mbit\/s/).waitFor();
    clearInterval(timer);
    await row.getByText('0\u00a0bit/s').first().waitFor();
    tunnel.terminate();
    await row.waitFor({ state: 'detached' });
  });

  test('what a port has discarded is explained in words, with the page about it, and its stations are listed', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/ports' });
    if (opened === undefined) return;
    const { sw, page } = opened;
    const tunnel = await tunnelTo(t, sw);
    tunnel.send(frameOf({ from: STATION, payload: 'a good one' }));
    tunnel.send(frameOf({ from: 'ff:ff:ff:ff:ff:ff', payload: 'from all' }));
    await rowOf(page, 'server').click();
    const panel = panelOf(page);
    await panel
      .getByText('1 received, badSource: frames that have a source address that is not one of a station.')
      .waitFor();
    const more = panel.getByRole('link', { name: 'More in the manual' });
    assert.equal(await more.getAttribute('href'), 'manual/reference-control-api.html');
    await panel.getByText(STATION).waitFor();
    await panel
      .getByText(/^127\.0\.0\.1:\d+$/)
      .first()
      .waitFor();
    await panel
      .getByRole('img', { name: /Round trip/ })
      .locator('canvas')
      .waitFor();
  });

  test('a port is renamed, described, put in a VLAN and mirrored', async (t) => {
    const opened = await openClientPort(t);
    if (opened === undefined) return;
    const { page, port } = opened;
    await page.getByRole('button', { name: 'Change…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('to-the-relay');
    await dialog.getByLabel('Description').fill('the way <b>out</b>');
    await dialog.getByLabel('VLAN mode').selectOption('access');
    await dialog.getByLabel('VLAN without tags').fill('10');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await rowOf(page, 'to-the-relay').getByText('the way <b>out</b>').waitFor();
    const { name, description, settings } = await port();
    assert.deepEqual(
      [name, description, settings],
      ['to-the-relay', 'the way <b>out</b>', { vlanMode: 'access', pvid: 10 }],
    );
  });

  test('what the switch refuses is said in the dialog, and nothing is changed', async (t) => {
    const opened = await openClientPort(t);
    if (opened === undefined) return;
    const { page, port } = opened;
    await page.getByRole('button', { name: 'Change…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('VLAN mode').selectOption('access');
    await dialog.getByLabel('VLAN without tags').fill('4095');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText(/4095/).waitFor();
    assert.deepEqual((await port()).settings, {});
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('a port is shut and opened, and removed after a question', async (t) => {
    const opened = await openClientPort(t);
    if (opened === undefined) return;
    const { page, sw, port } = opened;
    await page.getByRole('button', { name: 'Shut', exact: true }).click();
    await rowOf(page, 'uplink').getByText('shut', { exact: true }).waitFor();
    assert.equal((await port()).shut, true);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await rowOf(page, 'uplink').getByText('up', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await sw.ports()).length, 1);
    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('No ports yet').waitFor();
    assert.deepEqual(await sw.ports(), []);
  });

  test('a user that may only look sees no buttons', async (t) => {
    const policy = textFile(t, 'policy', 'default: {control: {methods: [listPort, getPort, observe]}}\n');
    const users = usersFile(t, { ada: 'open sesame' });
    const opened = await openConsole(t, ['--ctlhtpasswd', users, '--policy', policy]);
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    await tunnelTo(t, sw);
    await page.getByLabel('User').fill('ada');
    await page.getByLabel('Password', { exact: true }).last().fill('open sesame');
    await page.getByRole('button', { name: 'Log in' }).click();
    await console.live();
    await console.goTo('#/ports');
    await rowOf(page, 'server').click();
    await panelOf(page).getByText('Counters').waitFor();
    for (const name of ['Change…', 'Shut', 'Remove…'])
      assert.equal(await page.getByRole('button', { name }).count(), 0);
    assert.deepEqual(await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts(), [
      'Topology',
      'Ports',
    ]);
  });

  test('many ports: only those that are seen are in the document; the keyboard goes through all, and opens one', async (t) => {
    const ports = Array.from(
      { length: 300 },
      (_, at) => `  - {type: client, target: "ws://127.0.0.1:9/", name: port-${at + 1}, shut: true}\n`,
    );
    const config = textFile(t, 'etherws.yaml', `ports:\n${ports.join('')}`);
    const opened = await openConsole(t, ['--config', config], { hash: '#/ports' });
    if (opened === undefined) return;
    const { page } = opened;
    await page.getByText(/300\sports/).waitFor();
    const rows = page.getByRole('grid').getByRole('row');
    assert.ok((await rows.count()) < 80, `${await rows.count()} rows`);

    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await rowOf(page, 'port-300').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await panelOf(page).getByRole('heading', { name: 'port-299' }).waitFor();
    assert.match(page.url(), /#\/ports\?port=299$/);
    await panelOf(page).getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Port', exact: true }).click();
    await page.keyboard.press('Home');
    await page.getByRole('searchbox').fill('PORT-2 client');
    await page.getByText('port-299').first().waitFor();
    assert.equal(await rowOf(page, 'port-300').count(), 0);
    await page.getByRole('searchbox').fill('no such');
    await page.getByText('Nothing matches “no such”.').waitFor();
  });
});
