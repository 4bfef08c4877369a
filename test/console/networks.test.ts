import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { NetworkEntry, PortEntry } from '../../src/control/schema.ts';
import { openConsole } from '../support/console-page.ts';
import { openFarEnd } from '../support/console-station.ts';
import { eventually } from '../support/etherws.ts';
import type { SwitchProcess } from '../support/switch-process.ts';
import { textFile, usersFile } from '../support/users-file.ts';

async function settingsOf(sw: SwitchProcess, port: number): Promise<PortEntry['settings'] | undefined> {
  return (await sw.ports()).find((entry) => entry.port === port)?.settings;
}

async function networkOf(sw: SwitchProcess, name: string): Promise<NetworkEntry | undefined> {
  const { entries } = await sw.call<{ entries: NetworkEntry[] }>('listNet');
  return entries.find(({ network }) => network === name);
}

const matrix = (page: Page) => page.getByRole('grid', { name: 'Ports and VLANs' });
const cell = (page: Page, row: number, vid: number) =>
  matrix(page)
    .getByRole('row')
    .nth(row)
    .getByRole('gridcell', { name: new RegExp(`^VLAN ${vid}:`) });

describe('the networks in the console', () => {
  test('a network is added, changed and removed', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/networks' });
    if (opened === undefined) return;
    const { page, sw } = opened;
    await page.getByRole('button', { name: 'Add…' }).click();
    await page.getByLabel('Name').fill('no name');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/another character/)
      .waitFor();
    await page.getByLabel('Name').fill('lab');
    await page.getByLabel('Spanning tree').selectOption('off');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'lab' }).waitFor();
    const added = await networkOf(sw, 'lab');
    assert.deepEqual([added?.settings?.['stp'], added?.settings?.['hostSnooping']], ['off', 'on']);

    await page.getByRole('button', { name: 'Change…' }).click();
    const save = await page.getByRole('button', { name: 'Save' }).boundingBox();
    const height = page.viewportSize()?.height ?? 0;
    assert.ok(save !== null && save.y + save.height <= height, 'Save is in sight before the long form is scrolled');
    await page.getByLabel('Host snooping').selectOption('off');
    await page.getByLabel('Ageing time, s').fill('60');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const changed = await networkOf(sw, 'lab');
    assert.deepEqual([changed?.settings?.['hostSnooping'], changed?.settings?.['ageout']], ['off', 60]);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('60\u00a0s').waitFor();

    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('heading', { name: 'default' }).waitFor();
    assert.equal(await networkOf(sw, 'lab'), undefined);
  });

  test('a port joins and leaves VLANs by the matrix, with the mouse and with keys', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/networks' });
    if (opened === undefined) return;
    const { page, sw } = opened;
    await openFarEnd(t, sw);
    await page.getByText('No VLANs yet').waitFor();
    await page.getByPlaceholder('VLAN').fill('20');
    await page.getByRole('button', { name: 'Show' }).click();
    await cell(page, 1, 20).getByText('t', { exact: true }).waitFor();

    await cell(page, 1, 20).click();
    await page.getByRole('radio', { name: /^Untagged/ }).check();
    await page.getByText('it discards those of other VLANs').waitFor();
    await page.getByText('--vlan-mode access --pvid 20').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await cell(page, 1, 20).getByText('U', { exact: true }).waitFor();
    assert.deepEqual(await settingsOf(sw, 1), { vlanMode: 'access', pvid: 20 });

    await sw.call('setPort', { port: 1, vlanMode: 'native', vlans: '30,40' });
    await cell(page, 1, 40).getByText('T', { exact: true }).waitFor();
    await matrix(page).focus();
    for (const key of ['Home', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('dialog', { name: /^VLAN 30 at port/ }).waitFor();
    await page.getByRole('radio', { name: /^Not a member/ }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await cell(page, 1, 30).waitFor({ state: 'detached' });
    assert.deepEqual(await settingsOf(sw, 1), { vlanMode: 'native', pvid: 20, vlans: '40' });

    await cell(page, 1, 20).click();
    await page.getByRole('radio', { name: /^Not a member/ }).check();
    await page.getByText('Frames without a tag are discarded').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await eventually(
      () => settingsOf(sw, 1),
      (settings) => settings?.['vlanMode'] === 'trunk',
    );
    await matrix(page).getByRole('gridcell', { name: 'VLAN 20: not a member' }).waitFor();
    await cell(page, 1, 40).click();
    await page.getByRole('radio', { name: /^Not a member/ }).check();
    await page.getByText('It is the only VLAN of the port').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
  });

  test('of 4000 VLANs only the visible ones are in the document, and the last one can be reached', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/networks' });
    if (opened === undefined) return;
    const { page, sw } = opened;
    await openFarEnd(t, sw);
    await sw.call('setPort', { port: 1, vlanMode: 'trunk', vlans: '1-4000' });
    await cell(page, 1, 2).waitFor();
    await page.locator('.matrix[aria-colcount="4001"]').waitFor();
    assert.ok((await page.locator('.matrix-cell').count()) < 100);
    await matrix(page).focus();
    await page.keyboard.press('End');
    await cell(page, 1, 4000).getByText('T', { exact: true }).waitFor();
    assert.ok((await page.locator('.matrix-cell').count()) < 100);
  });

  test('the spanning tree: what to type where there is none, the root, and what each port does', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/networks?tab=tree' });
    if (opened === undefined) return;
    const { page, sw } = opened;
    await page.getByText('etherws ctl setnet default --stp on').waitFor();
    await openFarEnd(t, sw);
    await sw.call('setNet', { network: 'default', stp: 'on' });
    await page.getByText('this switch', { exact: true }).waitFor();
    const row = page.getByRole('grid', { name: 'Ports of the spanning tree' }).getByRole('row').nth(1);
    await row.getByText('designated', { exact: true }).waitFor();
    await row.click();
    await page.waitForFunction("location.hash === '#/ports?port=1'");
  });

  test('a user that the policy limits to a network sees that one at first', async (t) => {
    const policy = textFile(t, 'policy', 'default: {control: {methods: [all], networks: [lab]}}\n');
    const options = ['--ctlhtpasswd', usersFile(t, { ada: 'open sesame' }), '--policy', policy];
    const opened = await openConsole(t, options, { hash: '#/networks' });
    if (opened === undefined) return;
    const { page } = opened;
    await page.getByLabel('User').fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill('open sesame');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Add…' }).click();
    await page.getByLabel('Name').fill('lab');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'lab' }).waitFor();
    await page.goto(page.url().replace(/#.*/, '#/networks'));
    await page.getByRole('heading', { name: 'lab' }).waitFor();
  });
});
