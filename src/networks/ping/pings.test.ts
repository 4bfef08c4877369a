import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../bridge/bridge.ts';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import { arpProbe, readArp } from '../../wire/probe/arp.ts';
import { linkLocalOf, readIcmpv6, solicitation } from '../../wire/probe/icmpv6.ts';
import { Pings } from './pings.ts';

const OWN = 0x02_0000_0000_01 as MacAddress;
const HOST = 0x52_5400_1234_56 as MacAddress;
const IP = 0xc000_0207;

/** A bridge with two ports; behind the second one is a host, whose answers are those of `answers`. */
class Bench {
  readonly bridge = new Bridge();
  readonly pings = new Pings(this.bridge, OWN);
  readonly ports = [new MemoryPort(), new MemoryPort()];
  readonly attached: BridgePort[];
  readonly seen: Buffer[] = [];

  constructor(answers: (frame: Buffer) => Buffer | undefined) {
    this.attached = this.ports.map((port) => {
      const bridgePort = this.bridge.attach(port);
      port.open({
        receive: (batch) => this.bridge.receive(bridgePort, batch, performance.now()),
        linkChanged: () => undefined,
        discarded: () => undefined,
      });
      return bridgePort;
    });
    this.ports[1]?.onFrames((frames) => {
      for (const frame of frames) {
        this.seen.push(frame);
        const answer = answers(frame);
        if (answer !== undefined) setImmediate(() => this.ports[1]?.deliver(answer));
      }
    });
  }
}

/** What a host with this address answers to an ARP request. */
function answerArp(frame: Buffer): Buffer | undefined {
  const at = frame.readUInt16BE(12) === 0x8100 ? 18 : 14;
  if (frame.readUInt16BE(at - 2) !== 0x0806 || readArp(frame, at, frame.length)?.targetIp !== IP) return undefined;
  const vid = at === 18 ? frame.readUInt16BE(14) & 0xfff : 0;
  const reply = arpProbe({ destination: OWN, source: HOST, vid }, 0);
  reply.writeUInt16BE(2, at + 6);
  reply.writeUInt32BE(IP, at + 14);
  return reply;
}

test('an address that a host has is answered with its MAC address, port and round trip', async () => {
  const bench = new Bench(answerArp);
  const answer = await bench.pings.ask({ kind: 'ipv4', ip: IP }, UNTAGGED, 5000);
  assert.ok(answer !== undefined);
  assert.deepEqual([answer.by, answer.mac, answer.ip, answer.port], ['arp', HOST, '192.0.2.7', bench.attached[1]]);
  assert.ok(answer.roundTripMs >= 0 && answer.roundTripMs < 5000);
  bench.pings.close();
  assert.deepEqual(
    [...bench.bridge.fdbEntries(performance.now())].map(({ mac }) => mac),
    [HOST],
    'the address of the switch itself is not listed',
  );
});

test('in a VLAN the request has its tag', async () => {
  const bench = new Bench(answerArp);
  const answer = await bench.pings.ask({ kind: 'ipv4', ip: IP }, 10 as Vid, 5000);
  assert.equal(answer?.mac, HOST);
  assert.equal(bench.seen[0]?.readUInt32BE(12), 0x8100_000a);
});

test('an address that no host has is not answered, and two requests do not take each other’s answer', async () => {
  const bench = new Bench(answerArp);
  const [right, wrong] = await Promise.all([
    bench.pings.ask({ kind: 'ipv4', ip: IP }, UNTAGGED, 5000),
    bench.pings.ask({ kind: 'ipv4', ip: IP + 1 }, UNTAGGED, 50),
  ]);
  assert.deepEqual([right?.mac, wrong], [HOST, undefined]);
});

test('a station that asks for the switch gets its advertisement', async () => {
  const asks = (frame: Buffer): Buffer | undefined => {
    const isEcho = frame.readUInt16BE(12) === 0x86dd && frame[54] === 128;
    const group = 0x3333_ff00_0001 as MacAddress;
    return isEcho ? solicitation({ destination: group, source: HOST, vid: 0 }, linkLocalOf(OWN)) : undefined;
  };
  const bench = new Bench(asks);
  await bench.pings.ask({ kind: 'mac', mac: HOST }, UNTAGGED, 200);
  const told = bench.seen.filter((frame) => frame.readUInt16BE(12) === 0x86dd && frame[54] === 136);
  assert.equal(told.length, 1);
  const icmp = readIcmpv6(told[0] as Buffer, 14, (told[0] as Buffer).length);
  assert.deepEqual(icmp?.kind === 'advertisement' ? icmp.target : undefined, linkLocalOf(OWN));
});

test('without a request the bridge has no internal port: nothing is flooded to it, and its address is forgotten', async () => {
  const bench = new Bench(answerArp);
  let learned = 0;
  bench.bridge.addressListener = { learned: () => learned++, moved: () => undefined, aged: () => undefined };
  await bench.pings.ask({ kind: 'ipv4', ip: IP }, UNTAGGED, 5000);
  bench.pings.close();
  assert.equal(learned, 1, 'of the host only');
  assert.equal(bench.bridge.fdbSize, 1);
  assert.equal(bench.bridge.lookup(UNTAGGED, OWN, performance.now()), undefined);
  assert.equal(bench.bridge.hasPort(0), false);
});

test('closing answers what waits', async () => {
  const bench = new Bench(() => undefined);
  const waiting = bench.pings.ask({ kind: 'ipv4', ip: IP }, UNTAGGED, 60_000);
  bench.pings.close();
  assert.equal(await waiting, undefined);
});
