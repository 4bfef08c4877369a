import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ABSENT, checksumsIn, GOOD } from '../support/checksum-judge.ts';
import { EtherwsSwitch } from '../support/etherws.ts';
import type { Exchanged } from '../support/exchange.ts';
import { openLab, openTapLab } from '../support/lab-test.ts';
import type { Host, Lab } from '../support/namespaces.ts';
import { lengthsInPcap } from '../support/pcap.ts';
import type { Process } from '../support/process.ts';

/*
 * Two hosts with VXLAN over a switch:
 *
 *   left: vxlan over veth ─ netdev port │ switch │ netdev port ─ veth, vxlan over it: right
 *
 * or, where the second port is a TAP, the host of the switch is the right one:
 *
 *   left: vxlan over veth ─ netdev port │ switch │ TAP, vxlan over it
 */
/** A limit of each program and of each test, which takes 20 s with a processor of its own. */
const TIMEOUT_MS = 300_000;
const VXLAN_PORT = '4789';
const UDP_PORT = '5001';
const TCP_PORT = '5002';
/** 220 datagrams. */
const SENDS = '10';
const DATAGRAMS_EACH = '22';
const DATAGRAMS = '220';
const MIB = '8';
/** The payload of one call's datagrams in one super-frame. */
const PACKED_BYTES = Number(DATAGRAMS_EACH) * 1000;

const SOURCES = new URL('../../../test/e2e/programs/', import.meta.url);
const datagrams = (...args: readonly string[]) => ['python3', fileURLToPath(new URL('datagrams.py', SOURCES)), ...args];
const EXCHANGE = fileURLToPath(new URL('../support/exchange.js', import.meta.url));

interface Hosts {
  readonly lab: Lab;
  readonly left: Host;
  readonly middle: Host;
  readonly right: Host;
  readonly lan: EtherwsSwitch;
}

async function joinHosts(
  t: TestContext,
  underlay: 'v4' | 'v6',
  options: readonly string[],
  second: 'netdev' | 'tap' = 'netdev',
): Promise<Hosts | undefined> {
  const lab = await (second === 'tap' ? openTapLab : openLab)(t, 'python3', 'tshark', 'ethtool');
  if (lab === undefined) return undefined;
  const [left, middle] = [await lab.host('left'), await lab.host('middle')];
  const right = second === 'tap' ? middle : await lab.host('right');
  const lan = await EtherwsSwitch.start(middle, ['--port', '8000']);
  for (const [ordinal, host] of [left, right].entries()) {
    const [here, there] = ordinal === 0 ? ['1', '2'] : ['2', '1'];
    const outside = underlay === 'v4' ? '10.0.0.' : 'fd00::';
    const addresses = [`10.0.0.${here}/24`, `fd00::${here}/64`];
    if (host === middle) {
      await lan.done('addport', 'tap', 'eth0');
      for (const address of addresses) await host.check(['ip', 'address', 'add', address, 'dev', 'eth0']);
    } else {
      await lab.link({ host, device: 'eth0', addresses }, { host: middle, device: host.name, addresses: [] });
      await lan.done('addport', 'netdev', host.name);
    }
    const ends = ['local', `${outside}${here}`, 'remote', `${outside}${there}`, 'dev', 'eth0', 'dstport', VXLAN_PORT];
    await host.check(['ip', 'link', 'add', 'overlay', 'type', 'vxlan', 'id', '7', ...ends, ...options]);
    await host.check(['ip', 'address', 'add', `192.0.2.${here}/24`, 'dev', 'overlay']);
    await host.check(['ip', 'address', 'add', `2001:db8::${here}/64`, 'dev', 'overlay', 'nodad']);
    await host.check(['ip', 'link', 'set', 'overlay', 'up']);
  }
  return { lab, left, middle, right, lan };
}

async function ended(process: Process): Promise<string> {
  const { status, stdout } = await process.exited;
  assert.equal(status, 0, String(process));
  return stdout;
}

/** Sends datagrams by UDP_SEGMENT, and asserts that all arrive at `address`. */
async function sendDatagrams({ left, right }: Hosts, address: string): Promise<void> {
  const receiver = right.spawn(datagrams('receive', address, UDP_PORT, DATAGRAMS), { timeoutMs: TIMEOUT_MS });
  await receiver.output(/ready/);
  await left.check(datagrams('send', address, UDP_PORT, SENDS, DATAGRAMS_EACH));
  assert.match(await ended(receiver), new RegExp(`^${DATAGRAMS} received$`, 'm'));
}

/** Both hosts send each other MIB at the same time over one connection; all octets must arrive unchanged. */
async function exchange({ left, right }: Hosts, address: string): Promise<void> {
  const start = (host: Host, role: string) =>
    host.spawn([process.execPath, EXCHANGE, role, address, TCP_PORT, MIB, role, role === 'dial' ? 'listen' : 'dial'], {
      timeoutMs: TIMEOUT_MS,
    });
  const listening = start(right, 'listen');
  await listening.output(/listening/);
  const outcomes = await Promise.all([listening, start(left, 'dial')].map(ended));
  const bytes = Number(MIB) * 2 ** 20;
  const whole: Exchanged = { sentBytes: bytes, receivedBytes: bytes, wrongAt: -1 };
  for (const output of outcomes) assert.deepEqual(JSON.parse(output.trimEnd().split('\n').at(-1) ?? ''), whole);
}

const UNDERLAYS = [
  ['IPv4 without UDP checksums', 'v4', ['noudpcsum']],
  ['IPv4 with UDP checksums', 'v4', ['udpcsum']],
  ['IPv6 without UDP checksums', 'v6', ['udp6zerocsumtx', 'udp6zerocsumrx']],
  ['IPv6 with UDP checksums', 'v6', ['noudp6zerocsumtx']],
] as const;

for (const [name, underlay, options] of UNDERLAYS) {
  test(`VXLAN over ${name}: TCP and segmented UDP cross netdev ports`, { timeout: TIMEOUT_MS }, async (t) => {
    const hosts = await joinHosts(t, underlay, options);
    if (hosts === undefined) return;
    const { middle, right } = hosts;
    for (const address of ['192.0.2.2', '2001:db8::2']) {
      // Without its offloads the kernel segments and completes checksums before the device, so the record is as on a wire.
      await middle.check(['ethtool', '-K', right.name, 'tx', 'off']);
      assertSound(await recordDatagrams(hosts, address, Number(DATAGRAMS)));
      await exchange(hosts, address);
      await middle.check(['ethtool', '-K', right.name, 'tx', 'on', 'tx-udp-segmentation', 'on']);
      await assertPacked(hosts, address, hasChecksums(options));
      await exchange(hosts, address);
    }
    await assertAllSegmented(hosts);
  });
}

for (const [name, underlay, options] of UNDERLAYS) {
  test(`VXLAN over ${name}: TCP and segmented UDP cross into a TAP`, { timeout: TIMEOUT_MS }, async (t) => {
    const hosts = await joinHosts(t, underlay, options, 'tap');
    if (hosts === undefined) return;
    for (const address of ['192.0.2.2', '2001:db8::2']) {
      await assertPacked(hosts, address, hasChecksums(options));
      await exchange(hosts, address);
    }
    await assertAllSegmented(hosts);
  });
}

test('segmented UDP crosses netdev ports without an encapsulation, too', { timeout: TIMEOUT_MS }, async (t) => {
  const hosts = await joinHosts(t, 'v4', []);
  if (hosts === undefined) return;
  await sendDatagrams(hosts, '10.0.0.2');
  await sendDatagrams(hosts, 'fd00::2');
});

/** @returns the capture of the datagrams at the right host, in `count` frames */
async function recordDatagrams(hosts: Hosts, address: string, count: number): Promise<string> {
  const file = join(hosts.lab.directory, `${address.replaceAll(':', '-')}-${count}.pcap`);
  const recorder = hosts.right.spawn(datagrams('record', 'eth0', VXLAN_PORT, String(count), file), {
    timeoutMs: TIMEOUT_MS,
  });
  await recorder.output(/ready/);
  await sendDatagrams(hosts, address);
  await ended(recorder);
  return file;
}

/** Segments in an outer UDP header with a checksum arrive as one super-frame for each call, others as single frames. */
async function assertPacked(hosts: Hosts, address: string, isPacked: boolean): Promise<void> {
  const file = await recordDatagrams(hosts, address, Number(isPacked ? SENDS : DATAGRAMS));
  for (const length of lengthsInPcap(readFileSync(file))) assert.equal(length > PACKED_BYTES, isPacked, `${length}`);
}

const hasChecksums = (options: readonly string[]): boolean =>
  options.includes('udpcsum') || options.includes('noudp6zerocsumtx');

async function assertAllSegmented({ lan }: Hosts): Promise<void> {
  for (const { rxDiscards, txDiscards } of await lan.ports()) {
    for (const { badOffload = 0 } of [rxDiscards, txDiscards]) assert.equal(badOffload, 0);
  }
}

/** Asserts that tshark finds all outer and inner checksums right. */
function assertSound(file: string): void {
  const frames = checksumsIn(file).map((columns) => columns.flatMap((column) => column.split(',')));
  assert.equal(frames.length, Number(DATAGRAMS));
  for (const [index, statuses] of frames.entries()) {
    const found = statuses.filter((status) => status !== '');
    assert.ok(found.includes(GOOD), `frame ${index + 1}: ${found}`);
    assert.ok(
      found.every((status) => status === GOOD || ABSENT.includes(status)),
      `frame ${index + 1}: ${found}`,
    );
  }
}
