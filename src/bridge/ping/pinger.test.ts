import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { arpProbe } from '../../wire/probe/arp.ts';
import { frameWith } from '../../wire/probe/header.ts';
import { ALL_NODES, advertisement, echoRequest, linkLocalOf, solicitation } from '../../wire/probe/icmpv6.ts';
import { llcTest } from '../../wire/probe/llc.ts';
import { Pinger, type PingReply } from './pinger.ts';

const OWN = 0x02_0000_0000_01 as MacAddress;
const HOST = 0x52_5400_1234_56 as MacAddress;
const OTHER = 0x52_5400_0000_99 as MacAddress;
const IP = 0xc000_0207;

/** An ARP reply of a host. */
function arpReply(source: MacAddress, ip: number, vid = 0): Buffer {
  const frame = arpProbe({ destination: OWN, source, vid }, 0);
  const at = vid === 0 ? 14 : 18;
  frame.writeUInt16BE(2, at + 6);
  frame.writeUInt32BE(ip, at + 14);
  return frame;
}

/** An echo reply, made of the request by its type and its checksum. */
function echoReply(source: MacAddress, id: number, sequence: number): Buffer {
  const frame = echoRequest({ destination: OWN, source, vid: 0 }, linkLocalOf(OWN), id, sequence);
  frame[54] = 129;
  const sum = frame.readUInt16BE(56) - 0x100;
  frame.writeUInt16BE(sum < 0 ? sum + 0xffff : sum, 56);
  return frame;
}

const ask = (pinger: Pinger, frame: Buffer): PingReply | undefined => pinger.answerIn(frame, 0, frame.length);
const firstOctets = (frames: readonly Buffer[]): string[] => frames.map((frame) => frame.toString('hex', 0, 14));

test('an IPv4 address is asked for by an ARP probe to all, and answered by its owner', () => {
  const pinger = new Pinger(OWN, 0, { kind: 'ipv4', ip: IP }, 1, 1);
  assert.deepEqual(firstOctets(pinger.requests()), ['ffffffffffff0200000000010806']);
  assert.deepEqual(ask(pinger, arpReply(HOST, IP)), { by: 'arp', mac: HOST, ip: '192.0.2.7' });
  assert.equal(ask(pinger, arpReply(HOST, IP + 1)), undefined, 'another address');
  assert.equal(ask(pinger, arpReply(HOST, IP, 5)), undefined, 'another VLAN');
  assert.equal(ask(pinger, pinger.requests()[0] as Buffer), undefined, 'a request');
  const elsewhere = arpReply(HOST, IP);
  elsewhere.writeUIntBE(OTHER, 0, 6);
  assert.equal(ask(pinger, elsewhere), undefined, 'for another station');
});

test('in a VLAN requests have a tag, and so have answers', () => {
  const pinger = new Pinger(OWN, 10, { kind: 'ipv4', ip: IP }, 1, 1);
  assert.equal(pinger.requests()[0]?.toString('hex', 12, 18), '8100000a0806');
  assert.equal(ask(pinger, arpReply(HOST, IP, 10))?.mac, HOST);
  assert.equal(ask(pinger, arpReply(HOST, IP)), undefined);
  assert.equal(ask(pinger, arpReply(HOST, IP, 11)), undefined);
});

test('an IPv6 address is asked for by a solicitation to its group', () => {
  const ip = Buffer.from('20010db8000000000000000000000007', 'hex');
  const pinger = new Pinger(OWN, 0, { kind: 'ipv6', ip }, 1, 1);
  assert.deepEqual(firstOctets(pinger.requests()), ['3333ff00000702000000000186dd']);
  const answer = solicitation({ destination: OWN, source: HOST, vid: 0 }, ip);
  assert.equal(ask(pinger, answer), undefined, 'a question of another');
  const told = advertisement({ destination: OWN, source: HOST, vid: 0 }, linkLocalOf(OWN));
  assert.equal(ask(pinger, told), undefined, 'another address');
  const linkLocal = new Pinger(OWN, 0, { kind: 'ipv6', ip: linkLocalOf(HOST) }, 1, 1);
  assert.deepEqual(ask(linkLocal, told), { by: 'nd', mac: HOST, ip: 'fe80::5054:ff:fe12:3456' });
});

test('a MAC address is asked in three ways, each only to it', () => {
  const pinger = new Pinger(OWN, 0, { kind: 'mac', mac: HOST }, 3, 9);
  const toHost = '525400123456020000000001';
  assert.deepEqual(firstOctets(pinger.requests()), [`${toHost}86dd`, `${toHost}86dd`, `${toHost}0005`]);
  const told = advertisement({ destination: OWN, source: HOST, vid: 0 }, linkLocalOf(OWN));
  assert.equal(ask(pinger, told)?.by, 'nd');
  assert.deepEqual(ask(pinger, echoReply(HOST, 3, 9)), { by: 'echo', mac: HOST, ip: 'fe80::5054:ff:fe12:3456' });
  const test = llcTest({ destination: OWN, source: HOST, vid: 0 }, 9);
  test[15] = 1;
  assert.deepEqual(ask(pinger, test), { by: 'llc-test', mac: HOST, ip: undefined });
  const others = [
    echoReply(OTHER, 3, 9),
    echoReply(HOST, 4, 9),
    echoReply(HOST, 3, 8),
    advertisement({ destination: OWN, source: OTHER, vid: 0 }, linkLocalOf(OWN)),
    llcTest({ destination: OWN, source: HOST, vid: 0 }, 9),
    arpReply(HOST, IP),
    frameWith({ destination: OWN, source: HOST, vid: 0 }, 0x88b5, Buffer.from('0001f30009', 'hex')),
  ];
  for (const frame of others) assert.equal(ask(pinger, frame), undefined, frame.toString('hex'));
  // The addresses of this frame are like an answer: two service access points, TEST, and the sequence number.
  const elsewhere = frameWith(
    { destination: 0x0000_01f3_0009 as MacAddress, source: HOST, vid: 0 },
    5,
    Buffer.alloc(5),
  );
  assert.equal(ask(pinger, elsewhere), undefined, 'for another station');
  const inVlan = new Pinger(OWN, 10, { kind: 'mac', mac: HOST }, 3, 9);
  assert.equal(ask(inVlan, elsewhere), undefined, 'in another VLAN, too');
  const late = llcTest({ destination: OWN, source: HOST, vid: 0 }, 8);
  late[15] = 1;
  assert.equal(ask(pinger, late), undefined);
});

test('1500 is the largest length of an LLC frame, and above it is an EtherType', () => {
  const pinger = new Pinger(OWN, 0, { kind: 'mac', mac: HOST }, 3, 9);
  const header = { destination: OWN, source: HOST, vid: 0 };
  const response = Buffer.concat([Buffer.from('0001f30009', 'hex'), Buffer.alloc(1496)]);
  assert.equal(ask(pinger, frameWith(header, 1500, response))?.by, 'llc-test');
  assert.equal(ask(pinger, frameWith(header, 1501, response)), undefined);
});

test('a station that asks for our link-local address is told, also when it looks for duplicates', () => {
  const pinger = new Pinger(OWN, 0, { kind: 'mac', mac: HOST }, 3, 9);
  const question = solicitation(
    { destination: 0x3333_ff00_0001 as MacAddress, source: HOST, vid: 0 },
    linkLocalOf(OWN),
  );
  const respond = (frame: Buffer): Buffer | undefined => pinger.responseTo(frame, 0, frame.length);
  const header = { destination: HOST, source: OWN, vid: 0 };
  assert.deepEqual(respond(question), advertisement(header, linkLocalOf(HOST)));
  const unspecified = Buffer.from(question);
  unspecified.fill(0, 22, 38);
  // The sum of the source address is missing in the checksum then.
  let sum = question.readUInt16BE(56);
  for (let at = 22; at < 38; at += 2) sum += question.readUInt16BE(at);
  unspecified.writeUInt16BE((sum & 0xffff) + (sum >>> 16), 56);
  const toAll = { destination: 0x3333_0000_0001 as MacAddress, source: OWN, vid: 0 };
  assert.deepEqual(respond(unspecified), advertisement(toAll, ALL_NODES));
  const other = solicitation({ destination: 0x3333_ff00_0001 as MacAddress, source: HOST, vid: 0 }, ALL_NODES);
  assert.equal(respond(other), undefined);
  assert.equal(respond(arpReply(HOST, IP)), undefined);
  const ofOtherType = Buffer.from(question);
  ofOtherType.writeUInt16BE(0x88b5, 12);
  assert.equal(respond(ofOtherType), undefined);
  const broken = Buffer.from(question);
  broken[57] = (broken[57] as number) ^ 1;
  assert.equal(respond(broken), undefined, 'a wrong checksum');
  assert.equal(
    new Pinger(OWN, 5, { kind: 'mac', mac: HOST }, 3, 9).responseTo(question, 0, question.length),
    undefined,
  );
});

test('runts and cut frames are no answers', () => {
  const frame = arpReply(HOST, IP);
  const pinger = new Pinger(OWN, 0, { kind: 'ipv4', ip: IP }, 1, 1);
  for (let length = 0; length < 42; length++) {
    assert.equal(pinger.answerIn(frame, 0, length), undefined);
    assert.equal(pinger.responseTo(frame, 0, length), undefined);
  }
});
