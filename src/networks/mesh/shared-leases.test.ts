import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dhcpReply, dhcpRequest, dhcpv6Reply, dhcpv6Request, udpFrame } from '../../../test/support/ip-frames.ts';
import { ADA, BOB, BROADCAST } from '../../../test/support/memory-lan.ts';
import { MeshLab, type StationPort } from '../../../test/support/mesh-lab.ts';
import { fuzzSeed, Random } from '../../../test/support/random.ts';
import type { BridgePortSettings } from '../../bridge/port-settings.ts';
import { DEFAULT_SETTINGS } from '../../bridge/port-settings.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { decodeLeaseAnswer, encodeLeaseAnswer, type LeaseAnswer } from '../../wire/mesh/lease-message.ts';
import { SharedLeases } from './shared-leases.ts';

const SERVER = '0200000000fe';
const DATA = [5000, 5001] as const;

const data = (from: string, source: string): string =>
  udpFrame(BROADCAST, from, source, '192.0.2.1', DATA, '00'.repeat(20));

/** A server at a trusted port of node a, one at another port of a, and guarded ports of nodes b and c. */
function open() {
  const lab = new MeshLab('abc');
  for (const { mesh, bridge } of lab.nodes) new SharedLeases(mesh, bridge.sourceGuard);
  const join = (name: string, settings: Partial<BridgePortSettings>): StationPort => {
    const station = lab.node(name).addStations();
    lab.node(name).bridge.setSettings(station.port, { ...DEFAULT_SETTINGS, ...settings });
    return station;
  };
  const server = join('a', { isDhcpTrusted: true });
  const other = join('a', {});
  const [ada, bob] = [join('b', { hasSourceGuard: true }), join('c', { hasSourceGuard: true })];
  lab.pass(2000);
  const send = ({ memory }: StationPort, ...frames: readonly string[]): void => {
    memory.deliver(...frames.map((frame) => Buffer.from(frame, 'hex')));
    lab.pass(20);
  };
  const refused = ({ port }: StationPort): number => port.rx.discards.ipSourceDenied;
  return { lab, server, other, ada, bob, send, refused };
}

test('a lease of a server behind a trusted port of another node is that of the client that has asked, at its port', () => {
  const { lab, server, other, ada, bob, send, refused } = open();
  const lease = { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 };
  send(server, dhcpReply(SERVER, lease));
  send(ada, dhcpRequest({ client: ADA }), data(ADA, '192.0.2.10'));
  assert.equal(refused(ada), 1, 'an answer before the question');
  send(other, dhcpReply(BOB, lease));
  send(ada, data(ADA, '192.0.2.10'));
  assert.equal(refused(ada), 2, 'an answer by a port that is not trusted');
  // The station uses its address in the instant in which the answer comes.
  ada.memory.onFrames((frames) => {
    const isReply = frames.some((frame) => frame.toString('hex') === dhcpReply(SERVER, lease));
    if (isReply) ada.memory.deliver(Buffer.from(data(ADA, '192.0.2.10'), 'hex'));
  });
  server.heard.length = 0;
  send(server, dhcpReply(SERVER, lease));
  assert.deepEqual([refused(ada), server.heard.map((frame) => frame.toString('hex'))], [2, [data(ADA, '192.0.2.10')]]);
  send(bob, data(ADA, '192.0.2.10'));
  assert.equal(refused(bob), 1, 'at another node');
  lab.pass(600_000);
  send(ada, data(ADA, '192.0.2.10'));
  assert.equal(refused(ada), 3, 'the lease has ended');
});

test('a station that overhears the request of a client at another node cannot begin its transaction', () => {
  const { lab, server, other, ada, bob, send, refused } = open();
  const lease = { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 };
  send(ada, dhcpRequest({ client: ADA }), dhcpv6Request({ client: ADA }, 'fe80::a'));
  other.heard.length = 0;
  send(bob, dhcpRequest({ client: ADA }), dhcpv6Request({ client: ADA }, 'fe80::a'));
  assert.deepEqual([refused(bob), other.heard.length], [2, 0]);
  send(server, dhcpReply(SERVER, lease), dhcpv6Reply(SERVER, { client: ADA, addresses: [['2001:db8::10', 7200]] }));
  const leasesAt = (name: string, { port }: StationPort): number =>
    [...lab.node(name).bridge.sourceGuard.bindings.at(port.number, lab.nowMs)].filter(({ kind }) => kind === 'dhcp')
      .length;
  assert.deepEqual([leasesAt('b', ada), leasesAt('c', bob)], [2, 0]);
  send(ada, dhcpRequest({ client: ADA }));
  assert.equal(refused(ada), 0, 'what others repeat does not end a transaction');
  // A client that has moved to another node begins a new one.
  send(bob, dhcpRequest({ client: ADA, transaction: 8 }));
  send(server, dhcpReply(SERVER, { ...lease, transaction: 8 }));
  assert.deepEqual([refused(bob), leasesAt('c', bob)], [2, 1]);
});

test('the same for DHCPv6', () => {
  const { lab, server, ada, send } = open();
  send(ada, dhcpv6Request({ client: ADA }, 'fe80::a'));
  send(server, dhcpv6Reply(SERVER, { client: ADA, addresses: [['2001:db8::10', 7200]] }));
  const kinds = [...lab.node('b').bridge.sourceGuard.bindings.at(ada.port.number, lab.nowMs)].map(({ kind }) => kind);
  assert.deepEqual(kinds, ['first', 'dhcp'], 'of the link-local address by use');
});

test('the message of a lease, octet by octet, and any octets', () => {
  const answer: LeaseAnswer = {
    ...{ family: 4, vid: 5 as Vid, transaction: 0x0102_0304, client: 0x02aa_bbcc_ddee as MacAddress },
    leases: [{ address: '\xc0\x00\x02\x0a', seconds: 600 }],
  };
  assert.equal(Buffer.from(encodeLeaseAnswer(answer)).toString('hex'), '0400050102030402aabbccddeec000020a00000258');
  const random = new Random(fuzzSeed());
  for (let number = 0; number < 5000; number++) {
    const family = random.pick([4, 6] as const);
    const leases = Array.from({ length: random.below(4) }, () => ({
      address: random.bytes(family === 4 ? 4 : 16).toString('latin1'),
      seconds: random.next(),
    }));
    const one = { ...answer, family, transaction: random.next(), leases };
    const octets = Buffer.from(encodeLeaseAnswer(one));
    assert.deepEqual(decodeLeaseAnswer(octets), one);
    octets[random.below(octets.length)] = random.below(256);
    decodeLeaseAnswer(octets.subarray(0, random.below(octets.length + 1)));
  }
  for (const bad of ['', '05'.padEnd(26, '0'), '040fff'.padEnd(26, '0'), '040005'.padEnd(28, '0')]) {
    assert.equal(decodeLeaseAnswer(Buffer.from(bad, 'hex')), undefined, bad);
  }
});
