import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConsole } from '../support/console-page.ts';
import { FrameSource } from '../support/frame-source.ts';
import { arpFrame } from '../support/ip-frames.ts';
import { NatsServer } from '../support/nats-server.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

/** A cluster in the console of one of its nodes. */

const MAC = '02000000000a';

test('the console shows the other nodes, what is at them, and the loss of the store', {
  skip: missingTools('nats-server'),
}, async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const options = (node: string): string[] => ['--cluster', nats.url, '--cluster-name', 'lab', '--node', node];
  const opened = await openConsole(t, options('r1'), { hash: '#/topology' });
  if (opened === undefined) return;
  const { page, console } = opened;
  await console.live();
  const other = await SwitchProcess.start(t, options('r2'));
  await FrameSource.open(t, opened.sw.tunnelPort);
  const source = await FrameSource.open(t, other.tunnelPort);
  source.send(Buffer.from(arpFrame(MAC, '192.0.2.1', '192.0.2.2'), 'hex'));

  await page.locator('[data-node="member r2"].topology-is-up').waitFor();
  await page.locator(`[data-node^="station default|0|02:00:00:00:00:0a"]`).waitFor();
  await page.locator('[data-node="member r2"]').click();
  const details = page.getByLabel('Details');
  await details.getByText('Node of the cluster').waitFor();
  await details.getByText(/^port \d+, up/).waitFor();

  await console.goTo('#/health');
  const card = page.getByRole('region', { name: 'Cluster' });
  await card.getByText('lab: 2 members').waitFor();
  await card.getByText('this switch').waitFor();
  assert.deepEqual(await card.locator('dt').allTextContents(), ['r1', 'r2']);
  await nats.kill();
  await card.getByText(/^without the store for/).waitFor();
  await page.getByRole('button', { name: 'Examine again' }).click();
  await page.getByRole('region', { name: 'Findings' }).getByText('cluster store').waitFor();
});
