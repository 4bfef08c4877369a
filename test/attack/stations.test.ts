import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import { eventually } from '../support/etherws.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, until } from '../support/waits.ts';

const POLICY = `
users:
  eve:
    tunnels: {claim-first: 1, dhcp-server: false, router-advertisements: false}
  bob:
    tunnels: {claim-first: 1}
  fay:
    tunnels: {ethertypes: [ipv4, arp], rate: {frames: 20, burst: 1000}}
`;
const VICTIM = '02:00:00:00:00:0b';
const EVE = '02:00:00:00:00:0e';
const DHCP_OFFER = ethernet(EVE, 0x0800, udp4(67, 68));
const TAGGED_OFFER = ethernet(EVE, 0x8100, Buffer.concat([Buffer.from('000a0800', 'hex'), udp4(67, 68)]));
const ADVERTISEMENT = ethernet(EVE, 0x86dd, ipv6(58, Buffer.from('8600000040000708', 'hex')));
const HIDDEN = ethernet(
  EVE,
  0x86dd,
  ipv6(0, Buffer.concat([Buffer.from('3a00010400000000', 'hex'), Buffer.from('86000000', 'hex')])),
);
const DHCP_REQUEST = ethernet(EVE, 0x0800, udp4(68, 67));

function ethernet(from: string, type: number, payload: Buffer): Buffer {
  const head = Buffer.from(`ffffffffffff${from.replaceAll(':', '')}${type.toString(16).padStart(4, '0')}`, 'hex');
  return Buffer.concat([head, payload, Buffer.alloc(60)]);
}

function udp4(source: number, destination: number): Buffer {
  const packet = Buffer.from('4500001c00010000401100000a000001ffffffff0000000000080000', 'hex');
  packet.writeUInt16BE(source, 20);
  packet.writeUInt16BE(destination, 22);
  return packet;
}

function ipv6(next: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(payload.length, 4);
  header[6] = next;
  header[7] = 255;
  return Buffer.concat([header, payload]);
}

async function startSwitch(t: TestContext): Promise<SwitchProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-stations-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [users, policy] = [join(directory, 'users'), join(directory, 'policy.yaml')];
  writeFileSync(
    users,
    ['ada', 'bob', 'eve', 'fay'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''),
  );
  writeFileSync(policy, POLICY);
  return SwitchProcess.start(t, ['--htpasswd', users, '--policy', policy]);
}

async function enter(
  t: TestContext,
  lan: SwitchProcess,
  user: string,
): Promise<{ tunnel: WebSocket; heard: Buffer[] }> {
  const authorization = `Basic ${Buffer.from(`${user}:hello`).toString('base64')}`;
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`, { headers: { authorization } });
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const heard: Buffer[] = [];
  tunnel.on('message', (frame: Buffer) => heard.push(frame));
  return { tunnel, heard };
}

test('MAC spoofing: an address is that of the tunnel that used it first, and its frames stay its own', async (t) => {
  const lan = await startSwitch(t);
  const [bob, eve, ada] = [await enter(t, lan, 'bob'), await enter(t, lan, 'eve'), await enter(t, lan, 'ada')];
  bob.tunnel.send(frameOf({ from: VICTIM, payload: 'bob is here' }));
  await once(ada.tunnel, 'message');

  const own = frameOf({ from: EVE, payload: 'as herself' });
  eve.tunnel.send(frameOf({ from: VICTIM, payload: 'as bob' }));
  eve.tunnel.send(own);
  eve.tunnel.send(frameOf({ from: '02:00:00:00:00:1e', payload: 'as one more' }));
  eve.tunnel.send(frameOf({ from: 'ff:ff:ff:ff:ff:ff', payload: 'as everybody' }));
  await eventually(
    () => lan.ports(),
    (ports) => JSON.stringify(ports[1]?.rxDiscards) === '{"badSource":1,"sourceDenied":2}',
  );
  // What the control API tells may overtake a frame.
  await until(() => ada.heard.length > 1);
  assert.deepEqual(ada.heard.slice(1), [own]);

  // Frames to bob's station still go only to that user's tunnel.
  const secret = frameOf({ to: VICTIM, from: '02:00:00:00:00:0a', payload: 'for bob' });
  ada.tunnel.send(secret);
  await eventually(
    async () => bob.heard,
    (frames) => frames.some((frame) => frame.equals(secret)),
  );
  assert.ok(!eve.heard.some((frame) => frame.equals(secret)));
});

test('a rogue DHCP server and a rogue router are not heard, a DHCP client is', async (t) => {
  const lan = await startSwitch(t);
  const [eve, ada] = [await enter(t, lan, 'eve'), await enter(t, lan, 'ada')];
  for (const frame of [DHCP_OFFER, TAGGED_OFFER, ADVERTISEMENT, HIDDEN, DHCP_REQUEST]) eve.tunnel.send(frame);
  await once(ada.tunnel, 'message');
  assert.deepEqual(ada.heard, [DHCP_REQUEST]);
  const [port] = await lan.ports();
  assert.deepEqual(port?.rxDiscards, { serverDenied: 4 });
});

test('a flood and a foreign EtherType stop at the tunnel that they come in by', async (t) => {
  const lan = await startSwitch(t);
  const [fay, ada] = [await enter(t, lan, 'fay'), await enter(t, lan, 'ada')];
  for (let count = 0; count < 5; count++) fay.tunnel.send(frameOf({ from: EVE, payload: 'an experiment' }));
  for (let count = 0; count < 2000; count++) fay.tunnel.send(DHCP_REQUEST);
  const [port] = await eventually(
    () => lan.ports(),
    ([{ rx = 0, rxDiscards = {} } = {}]) =>
      rx + Object.values(rxDiscards).reduce((sum, count) => sum + count, 0) >= 2005,
  );
  const { typeDenied, rateExceeded = 0 } = port?.rxDiscards ?? {};
  assert.equal(typeDenied, 5);
  // The policy allows a burst of 20 and 20 frames a second. The duration of 2000 frames depends on the machine.
  assert.ok(rateExceeded > 1000, `${rateExceeded} of 2000 were refused`);
  assert.ok(ada.heard.length < 1000);
});

test('a user with several tunnels has one rate for all', async (t) => {
  const lan = await startSwitch(t);
  const tunnels = await Promise.all(Array.from({ length: 10 }, () => enter(t, lan, 'fay')));
  const ada = await enter(t, lan, 'ada');
  const startMs = performance.now();
  for (const { tunnel } of tunnels) for (let count = 0; count < 100; count++) tunnel.send(DHCP_REQUEST);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const ports = await eventually(
    () => lan.ports(),
    (all) => sum(all.map(({ rx, rxDiscards: { rateExceeded = 0 } }) => rx + rateExceeded)) >= 1000,
  );
  const seconds = (performance.now() - startMs) / 1000;
  // The burst of 20, and 20 for each elapsed second.
  const passed = sum(ports.map(({ rx }) => rx));
  assert.ok(passed <= 20 + 20 * seconds + 1, `${passed} frames in ${seconds} s`);
  await eventually(
    async () => ada.heard.length,
    (count) => count === passed,
  );
});
