import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestDaemon } from '../../test/support/daemon.ts';
import { PortRecorder } from '../../test/support/port-recorder.ts';
import { until, within } from '../../test/support/waits.ts';
import { dialTunnel } from '../ports/tunnel/dial/dial-tunnel.ts';
import { ResumeTicket } from '../ports/tunnel/resume/resume-ticket.ts';

test('a first write of the state that fails at the end does not keep the tunnels from being kept', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'etherws-closing-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const directory = mkdtempSync(join(parent, 'state-'));
  const stateFile = join(directory, 'state.json');
  const { daemon, log, tunnelPort } = await TestDaemon.start(t, { state: stateFile });
  await daemon.keepState();
  const keptTunnels = (): unknown[] => JSON.parse(readFileSync(stateFile, 'utf8')).sections.tunnels ?? [];
  assert.equal(keptTunnels().length, 0);
  renameSync(directory, join(parent, 'away'));
  const tunnel = await dialTunnel({ url: `ws://127.0.0.1:${tunnelPort}/`, ticket: new ResumeTicket() });
  tunnel.open(new PortRecorder());
  t.after(() => tunnel.close());
  await until(() => log.some(({ message }) => message === 'port attached'));

  // The bindings are written first; the directory is back when the log tells that this failed.
  (log as unknown[]).push = function push(this: unknown[], ...records: { message?: string }[]): number {
    if (records.some(({ message }) => message === 'closing failed')) renameSync(join(parent, 'away'), directory);
    return Array.prototype.push.apply(this, records);
  } as never;
  await within(daemon.close(), 'the end of the switch');
  assert.equal(log.filter(({ message }) => message === 'closing failed').length, 1);
  assert.equal(keptTunnels().length, 1);
});
