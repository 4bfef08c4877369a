import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { FdbEntry } from '../../src/control/schema.ts';
import { openConsole } from '../support/console-page.ts';
import { openFarEnd } from '../support/console-station.ts';
import { eventually } from '../support/etherws.ts';
import { advertisement, arpFrame, dhcpReply, dhcpRequest } from '../support/ip-frames.ts';
import { ADA, BOB, BROADCAST, plain } from '../support/memory-lan.ts';
import type { SwitchProcess } from '../support/switch-process.ts';
import { textFile, usersFile } from '../support/users-file.ts';

const MAC = '02:00:00:00:00:01';
/** A host name that would be a script if it were markup. */
const NAME = '<img src=x onerror=alert(1)>';

async function kindOf(sw: SwitchProcess, mac: string): Promise<string | undefined> {
  const { entries } = await sw.call<{ entries: FdbEntry[] }>('listFdb');
  return entries.find((entry) => entry.mac === mac)?.kind;
}

/** The stations view of a switch with two tunnels: a host is behind the first one, a DHCP server behind the second. */
async function openStations(t: TestContext, options: readonly string[] = []) {
  const opened = await openConsole(t, options, { hash: '#/stations' });
  if (opened === undefined) return undefined;
  const { sw, page } = opened;
  const [left, right] = [await openFarEnd(t, sw), await openFarEnd(t, sw)];
  const rowOf = (text: string) => page.getByRole('row').filter({ hasText: text });
  return { ...opened, sw, page, left, right, rowOf };
}

const details = (page: Page) => page.getByRole('complementary');
const addressOf = (page: Page, address: string) =>
  details(page).getByRole('listitem').getByText(address, { exact: true });

describe('the stations in the console', () => {
  test('a host with its addresses and its name as text; where it moved; what is known of it', async (t) => {
    const opened = await openStations(t);
    if (opened === undefined) return;
    const { page, left, right, rowOf, console } = opened;
    await page.getByText('No stations yet').waitFor();
    left.send(arpFrame(ADA, '192.0.2.7', '192.0.2.1'), advertisement(ADA, '2001:db8::7'));
    left.send(dhcpRequest({ client: ADA, hostName: NAME }));
    right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 }));
    await rowOf(MAC).getByText(NAME, { exact: true }).waitFor();
    assert.equal(await page.locator('img').count(), 0, 'the name is text');

    const search = page.getByLabel('Search stations');
    for (const [text, count] of [
      ['192.0.2.10', 1],
      ['onerror locally', 1],
      ['02:00:00', 2],
      ['192.0.2.99', 0],
    ] as const) {
      await search.fill(text);
      await page.waitForFunction(`document.querySelectorAll('.table-row').length === ${count}`);
    }
    await search.fill('');
    await rowOf(MAC).click();
    for (const address of ['192.0.2.7', '192.0.2.10', '2001:db8::7']) {
      await addressOf(page, address).waitFor();
    }
    const follow = await details(page).getByRole('link', { name: 'Follow' }).getAttribute('href');
    assert.equal(new URLSearchParams(follow?.split('?')[1]).get('station'), MAC);

    right.send(plain(BROADCAST, ADA));
    await details(page).getByText('1 move, the last one from').waitFor();
    await details(page).getByRole('link', { name: 'port 1', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    console.assertClean();
  });

  test('an address is kept at its port, forgotten, set by hand, and all are forgotten', async (t) => {
    const opened = await openStations(t);
    if (opened === undefined) return;
    const { page, sw, left, rowOf } = opened;
    left.send(arpFrame(ADA, '192.0.2.7', '192.0.2.1'));
    await rowOf(MAC).click();
    await details(page).getByRole('button', { name: 'Make sticky' }).click();
    await details(page).getByText('sticky: it ages').waitFor();
    await details(page).getByRole('button', { name: 'Keep here' }).click();
    await details(page).getByText('static: it neither ages nor moves').waitFor();
    assert.equal(await kindOf(sw, MAC), 'static');
    await addressOf(page, '192.0.2.7').waitFor();
    await details(page).getByRole('button', { name: 'Forget' }).click();
    await details(page).waitFor({ state: 'detached' });
    assert.equal(await kindOf(sw, MAC), undefined);

    await page.getByRole('button', { name: 'Set an address…' }).click();
    await page.getByLabel('MAC address').fill('ff:ff:ff:ff:ff:ff');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/group address/)
      .waitFor();
    await page.getByLabel('MAC address').fill('02:00:00:00:00:99');
    await page.getByLabel('VLAN').fill('10');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await rowOf('02:00:00:00:00:99').waitFor();
    assert.equal(await kindOf(sw, '02:00:00:00:00:99'), 'static');

    left.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB));
    await rowOf('02:00:00:00:00:02').waitFor();
    await page.getByRole('button', { name: 'Forget…' }).click();
    await page.getByRole('button', { name: 'Forget', exact: true }).click();
    await page.getByText('2 addresses forgotten.').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await rowOf(MAC).waitFor({ state: 'detached' });
    assert.equal(await rowOf('02:00:00:00:00:99').count(), 1, 'a static address stays');
  });

  test('a user that may only look has no buttons', async (t) => {
    const policy = textFile(
      t,
      'policy.yaml',
      'users:\n  ada:\n    control: {methods: [listPort, listFdb, listStation, observe]}\n',
    );
    const options = ['--ctlhtpasswd', usersFile(t, { ada: 'open sesame' }), '--policy', policy];
    const opened = await openStations(t, options);
    if (opened === undefined) return;
    const { page, left, rowOf } = opened;
    await page.getByLabel('User').fill('ada');
    await page.getByLabel('Password', { exact: true }).last().fill('open sesame');
    await page.getByRole('button', { name: 'Log in' }).click();
    left.send(arpFrame(ADA, '192.0.2.7', '192.0.2.1'));
    await rowOf(MAC).click();
    await addressOf(page, '192.0.2.7').waitFor();
    const buttons = await details(page).getByRole('button').all();
    assert.deepEqual(await Promise.all(buttons.map((button) => button.getAttribute('aria-label'))), ['Close']);
    assert.equal(await page.getByRole('button', { name: /^(Set an address|Forget|Keep|Make)/ }).count(), 0);
  });
});

test('the page follows a name that changes', async (t) => {
  const opened = await openStations(t);
  if (opened === undefined) return;
  const { left, rowOf, page } = opened;
  left.send(dhcpRequest({ client: ADA, hostName: 'first' }));
  await rowOf(MAC).getByText('first', { exact: true }).waitFor();
  left.send(dhcpRequest({ client: ADA, hostName: 'second' }));
  await eventually(
    () => rowOf(MAC).getByText('second', { exact: true }).count(),
    (count) => count === 1,
  );
  assert.equal(await page.getByRole('row').count(), 2);
});
