import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { KNOWN_LIMITS } from '../../console/src/views/health/limits.ts';
import type { StatusEntry } from '../../src/control/status-entries.ts';
import { ConsolePage, openConsole } from '../support/console-page.ts';
import { eventually } from '../support/etherws.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { openTunnelHost } from '../support/tunnel-host.ts';

const HEALTH = { hash: '#/health' };

describe('the health in the console', () => {
  test('says what to do when a limit is reached, and shows limits, memory and the event loop', async (t) => {
    const opened = await openConsole(t, ['--max-tunnels', '1'], HEALTH);
    if (opened === undefined) return;
    const { page, sw } = opened;
    await page.getByText(/^etherws \d.*, up for \d+\s\w+.*, process \d+$/).waitFor();
    const findings = page.getByRole('region', { name: 'Findings' });
    await findings.getByText(/checks are good$/).click();
    await findings.getByText('addon', { exact: true }).waitFor();
    assert.equal(await findings.getByText('--max-tunnels').count(), 0);

    const host = await openTunnelHost(t, sw);
    await page.getByRole('button', { name: 'Examine again' }).click();
    await findings.getByText('1 of 1 used, 100 %').waitFor();
    await findings.getByText('Raise it, or bound the tunnels of a user in the policy').waitFor();
    await page
      .getByRole('status')
      .getByText(/^1 thing to repair/)
      .waitFor();
    const limits = page.getByRole('region', { name: 'Limits' });
    await limits.getByText('1 of 1', { exact: true }).waitFor();
    assert.match((await limits.getByRole('listitem').first().textContent()) ?? '', /^Tunnels --max-tunnels full/);
    const told = (await sw.call<{ entries: readonly StatusEntry[] }>('getStatus')).entries[0]?.limits ?? [];
    assert.deepEqual(told.map(({ limit }) => limit).sort(), [...KNOWN_LIMITS].sort(), 'each limit has words');
    assert.deepEqual((await limits.locator('code').allTextContents()).sort(), [...KNOWN_LIMITS].sort());

    await page.getByRole('img', { name: /^Memory: \d.* MiB resident$/ }).waitFor();
    await page.getByRole('img', { name: /^Delay of the event loop: at most \d.* ms/ }).waitFor();
    await sw.call('setPort', { port: 1, macLimit: 1 });
    for (const from of ['02:00:00:00:00:01', '02:00:00:00:00:02']) host.send(frameOf({ from }));
    const faults = page.getByRole('region', { name: 'Discards for faults' });
    await faults.getByText('macLimit').waitFor();
    await faults.getByText(/^Frames that have one source address more/).waitFor();
    assert.equal(await faults.getByRole('link').getAttribute('href'), '#/ports?port=1');
  });

  test('lists what differs from the configuration file', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-health-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const config = join(directory, 'etherws.yaml');
    writeFileSync(
      config,
      'tunnels: {host: 127.0.0.1, port: 0}\ncontrol: {port: 0}\nports: [{type: client, target: "ws://127.0.0.1:1/", options: {wait: false}}]\n',
    );
    const sw = await SwitchProcess.start(t, ['--config', config]);
    const opened = await ConsolePage.open(t, sw.controlPort, HEALTH);
    if (opened === undefined) return;
    const card = opened.page.getByRole('region', { name: 'Configuration' });
    await card.getByText(config).waitFor();
    await card.getByText(/^The switch runs as/).waitFor();
    await sw.call('setPort', { port: 1, shut: true });
    await eventually(
      () => card.getByRole('listitem').allTextContents(),
      (deviations) => deviations.some((text) => text.includes('ws://127.0.0.1:1/')),
    );
  });
});
