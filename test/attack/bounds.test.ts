import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FdbEntry } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { knock } from '../support/http.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';

const MIB = 1024 * 1024;

test('a client that does not read loses frames at its bound, and costs no memory', async (t) => {
  const lan = await SwitchProcess.start(t, ['--max-queue', '131072']);
  const [sender, deaf] = [await RawTunnel.open(t, lan.tunnelPort), await RawTunnel.open(t, lan.tunnelPort)];
  deaf.socket.pause();
  // The queue is what bounds them here, not storm control.
  await lan.call('setPort', { port: 1, storm: 'none' });
  const resident = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${lan.process.pid}/status`, 'utf8'))?.[1]) * 1024;
  const before = resident();
  const frame = clientMessage(frameOf({ from: '02:00:00:00:00:0a', payload: 'x'.repeat(1400) }));
  const hundred = Buffer.concat(Array.from({ length: 100 }, () => frame));
  const frames = 60_000;
  for (let sent = 0; sent < frames; sent += 100) await sender.send(hundred);

  const [, port] = await eventually(
    () => lan.ports(),
    ([from]) => from?.rx === frames,
  );
  const dropped = Object.values(port?.txDiscards ?? {}).reduce((sum, count) => sum + count, 0);
  // At most its queue and the kernel's buffers on both sides were sent.
  assert.ok(dropped > frames / 2, `${dropped} of ${frames} frames were dropped`);
  assert.equal(port?.state, 'up');
  assert.ok(resident() - before < 48 * MIB, `${resident() - before} octets more than before`);
});

test('made-up source addresses fill the FDB up to --fdb-size, and displace those of no other port', async (t) => {
  const lan = await SwitchProcess.start(t, ['--fdb-size', '100']);
  const [honest, liar] = [await RawTunnel.open(t, lan.tunnelPort), await RawTunnel.open(t, lan.tunnelPort)];
  const own = Array.from({ length: 40 }, (_, number) => madeUp(0x0a_0000 + number));
  for (const from of own) await honest.send(clientMessage(frameOf({ from })));
  const frames = 100_000;
  for (let sent = 0; sent < frames; sent += 1000) {
    const messages = Array.from({ length: 1000 }, (_, i) =>
      clientMessage(frameOf({ from: madeUp(0x10_0000 + sent + i) })),
    );
    await liar.send(Buffer.concat(messages));
  }
  await eventually(
    () => lan.ports(),
    ([one, other]) => one?.rx === own.length && other?.rx === frames,
  );
  const { entries } = await lan.call<{ entries: FdbEntry[] }>('listFdb');
  assert.equal(entries.length, 100);
  assert.deepEqual(
    entries.filter(({ port }) => port === 1).map(({ mac }) => mac),
    own,
  );
});

function madeUp(number: number): string {
  return `020000${number.toString(16).padStart(6, '0')}`.replace(/..(?!$)/g, '$&:');
}

test('a client that may have no tunnel is told so, and counted', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-bounds-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, 'default: {tunnels: {allowed: false}}\n');
  const lan = await SwitchProcess.start(t, ['--policy', policy]);
  assert.equal((await knock({ port: lan.tunnelPort })).status, 403);
  assert.equal((await lan.endpointCounters('tunnels')).forbidden, 1);
  assert.deepEqual(await lan.ports(), []);
});
