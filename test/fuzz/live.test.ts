import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { pings } from '../support/lan.ts';
import { missingModules, Peer } from '../support/peer.ts';
import { fuzzCases, fuzzSeed } from '../support/random.ts';

const MESSAGES = fuzzCases(20_000);
const BODIES = fuzzCases(2000);
const RESIDENT_MIB = 250;

const program = (name: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(`programs/${name}.js`, import.meta.url)),
];

test(`a running switch, ${BODIES} hostile calls and ${MESSAGES} hostile messages later, still switches`, async (t) => {
  const missing = missingModules('websocket');
  if (missing !== false) return t.skip(missing);
  const lab = await openTapLab(t, 'ping');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  // What the calls dial: a port that refuses at once.
  await lab.nameHosts({ 'a.example': '127.0.0.1', a: '127.0.0.1' });
  const seed = String(fuzzSeed());
  const timeoutMs = 240_000;
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);

  const calls = await host.run([...program('flood-rpc'), '7867', seed, String(BODIES)], { timeoutMs });
  assert.equal(calls.status, 0, calls.stderr);
  t.diagnostic(`HTTP statuses: ${calls.stdout.trim()}`);
  for (const { port } of await lan.ports()) await lan.done('delport', String(port));

  await lan.done('addport', 'tap', 'ethws0');
  const [tap] = await lan.ports();
  await lan.done('setif', String(tap?.port), '--address', '192.0.2.1', '--netmask', '255.255.255.0');
  const computer = ['--host', '02:00:00:00:00:77', '192.0.2.77', '--quiet'];
  await Peer.start(host, 'websocket_client_peer.py', ['ws://127.0.0.1:8000/', ...computer]);
  const before = (await lan.ports()).map(({ port }) => port);
  assert.equal(before.length, 2);
  assert.ok(await pings(host, '192.0.2.77'));

  const messages = await host.run([...program('flood-messages'), '8000', seed, String(MESSAGES)], { timeoutMs });
  assert.equal(messages.status, 0, messages.stderr);
  t.diagnostic(messages.stdout.trim());
  const { sent, tunnels } = JSON.parse(messages.stdout) as { sent: number; tunnels: number };
  assert.ok(sent >= MESSAGES && tunnels > 1, messages.stdout);

  await eventually(
    async () => (await lan.ports()).map(({ port }) => port),
    (ports) => ports.join() === before.join(),
  );
  assert.ok(await pings(host, '192.0.2.77'));
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${lan.process.pid}/status`, 'utf8')) ?? [];
  assert.ok(Number(kibibytes) < RESIDENT_MIB * 1024, `${kibibytes} KiB resident`);
  assert.doesNotMatch(lan.process.stderr, /ERROR|FATAL|^ +at /m);
  assert.equal((await lan.stop()).status, 0);
});
