import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arpFrame, dhcpReply } from '../../test/support/ip-frames.ts';
import { ADA, BOB, BROADCAST, CEM, MemoryLan, plain } from '../../test/support/memory-lan.ts';
import { joinFrame, queryFrame } from '../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../test/support/multicast-lan.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { TPID_C_TAG } from '../wire/ethernet/tag.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import type { BridgePort } from './bridge-port.ts';
import type { FilteringEntry } from './fdb.ts';
import { MESH_PORT_SETTINGS } from './mesh/mesh-port-settings.ts';
import type { StationExchange } from './mesh/station-exchange.ts';
import type { Tunnel } from './port.ts';
import { PortVlans } from './port-vlans.ts';

/* What a change of a bridge or of a port does, and what it leaves as it is. */

const mac = (hex: string): MacAddress => Number.parseInt(hex, 16) as MacAddress;
const access = (pvid: number): PortVlans | undefined =>
  PortVlans.of({ mode: 'access', pvid: pvid as Vid, vlans: VidSet.ALL, tpid: TPID_C_TAG });

/** What the discards of a port at egress are, without those that are 0. */
function drops({ tx }: BridgePort): Record<string, number> {
  return Object.fromEntries(Object.entries(tx.discards).filter(([, frames]) => frames > 0));
}

describe('the internal port', () => {
  /** Two ports, and the internal one with the station CEM. */
  function withInternal() {
    const lan = new MemoryLan();
    const told: string[] = [];
    lan.bridge.addressListener = {
      learned: (entry) => told.push(entry.mac.toString(16).padStart(12, '0')),
      moved: () => undefined,
      aged: () => undefined,
    };
    const [one, two] = [lan.join(), lan.join()];
    const heard: string[] = [];
    const memory = new MemoryPort({
      onFrames: (frames) => heard.push(...frames.map((frame) => frame.toString('hex'))),
    });
    const internal = lan.bridge.attachInternal(memory);
    memory.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
    const say = (frame: string): void =>
      void lan.bridge.receive(internal, batchOf(Buffer.from(frame, 'hex')), lan.nowMs);
    return { lan, bridge: lan.bridge, told, one, two, internal, say, take: () => heard.splice(0) };
  }

  test('gets floods and the frames to its address like others, and sends', () => {
    const { one, two, say, take } = withInternal();
    say(plain(BROADCAST, CEM));
    assert.deepEqual([one.take(), two.take()], [[plain(BROADCAST, CEM)], [plain(BROADCAST, CEM)]]);
    one.send(plain(BROADCAST, ADA), plain(CEM, ADA));
    assert.deepEqual(take(), [plain(BROADCAST, ADA), plain(CEM, ADA)]);
    assert.deepEqual(two.take(), [plain(BROADCAST, ADA)]);
  });

  test('is in no list, and neither is its address', () => {
    const { bridge, told, one, say } = withInternal();
    say(plain(BROADCAST, CEM));
    one.send(plain(BROADCAST, ADA));
    assert.deepEqual([...bridge.ports.keys()], [1, 2]);
    assert.deepEqual(told, [ADA]);
    const macs = (entries: Iterable<FilteringEntry>): number[] => [...entries].map((entry) => entry.mac);
    assert.deepEqual(macs(bridge.fdbEntries(0)), [mac(ADA)]);
    assert.deepEqual(macs(bridge.scanFdb(() => 0)), [mac(ADA)]);
    assert.deepEqual(
      [CEM, ADA].map((address) => bridge.lookup(UNTAGGED, mac(address), 0)),
      [undefined, one.port],
    );
    assert.equal(bridge.attach(new MemoryPort()).number, 3, 'it takes no number');
  });

  test('is forgotten when it goes, and a bridge without one has nothing to forget', () => {
    const { bridge, one, two, internal, say, take } = withInternal();
    say(plain(BROADCAST, CEM));
    for (const each of [one, two]) each.take();
    bridge.detachInternal();
    assert.equal(bridge.fdbSize, 0);
    one.send(plain(CEM, ADA));
    assert.deepEqual([take(), two.take()], [[], [plain(CEM, ADA)]]);
    assert.deepEqual(drops(internal), {}, 'nothing is offered to it');
    say(plain(BROADCAST, CEM));
    assert.deepEqual(one.take(), []);
    bridge.detachInternal();
    one.send(plain(BROADCAST, ADA));
    assert.equal(two.take().length, 1);
  });
});

describe('numbers of ports', () => {
  test('reserved ones are given to no further port', () => {
    const { bridge } = new MemoryLan();
    bridge.reserveNumbers(7);
    assert.equal(bridge.lastNumber, 7);
    bridge.reserveNumbers(3);
    assert.equal(bridge.attach(new MemoryPort()).number, 8);
    assert.deepEqual([bridge.hasPort(7), bridge.hasPort(8)], [false, true]);
  });

  test('a port that is removed a second time takes no other one with its number away', () => {
    const { bridge } = new MemoryLan();
    const former = bridge.attach(new MemoryPort(), 5);
    bridge.detach(former);
    const next = bridge.attach(new MemoryPort(), 5);
    bridge.detach(former);
    assert.deepEqual([...bridge.eachPort()], [next]);
  });
});

describe('a port that is shut, protected or whose link is down', () => {
  test('a link that goes down takes the stations of its own port only, and once', () => {
    const lan = new MemoryLan();
    const [one, two, three] = [lan.join(), lan.join(), lan.join()];
    one.send(plain(BROADCAST, ADA));
    two.send(plain(BROADCAST, BOB));
    lan.bridge.setLink(one.port, 'down', 'pulled');
    assert.equal(lan.bridge.fdbSize, 1);
    lan.bridge.entries.set(UNTAGGED, mac(CEM), one.port, 'sticky', 0);
    lan.bridge.setLink(one.port, 'down', 'still');
    assert.deepEqual([lan.bridge.fdbSize, one.port.linkReason], [2, 'still']);
    for (const each of [one, two, three]) each.take();
    three.send(plain(BOB, ADA));
    assert.equal(two.take().length, 1);
  });

  test('a port that the switch has shut is offered no flood, and shutting it does not clear the cause', () => {
    const lan = new MemoryLan();
    const [one, two] = [lan.join(), lan.join()];
    lan.bridge.protect(one.port, { cause: 'loop', reason: 'a loop' });
    two.send(plain(BROADCAST, BOB));
    assert.deepEqual(drops(one.port), {});
    lan.bridge.setShut(one.port, true);
    assert.equal(one.port.protection?.cause, 'loop');
    lan.bridge.setShut(one.port, false);
    assert.equal(one.port.protection, undefined);
    two.send(plain(BROADCAST, BOB));
    assert.equal(one.take().length, 1);
  });

  test('what is set at a protected port meanwhile stays when it is opened', () => {
    const lan = new MemoryLan();
    const [one, two] = [lan.join(), lan.join()];
    one.send(plain(BROADCAST, ADA));
    lan.bridge.protect(one.port, { cause: 'loop', reason: 'a loop' });
    assert.equal(lan.bridge.fdbSize, 0);
    lan.bridge.entries.set(UNTAGGED, mac(CEM), one.port, 'sticky', 0);
    lan.bridge.protect(one.port, undefined);
    assert.equal(lan.bridge.fdbSize, 1);
    two.send(plain(BROADCAST, BOB));
    assert.equal(one.take().length, 1);
  });

  test('the cause says how many addresses there may be', () => {
    for (const [macLimit, addresses] of [
      [1, '1 address'],
      [2, '2 addresses'],
    ] as const) {
      const lan = new MemoryLan();
      const one = lan.join({ macLimit, macLimitAction: 'shut' });
      one.send(...[ADA, BOB, CEM].map((from) => plain(BROADCAST, from)));
      assert.equal(one.port.protection?.reason, `frames from more than ${addresses}`);
    }
  });

  test('a port that copies of a mirror leave by is offered no flood until the mirror ends', () => {
    const lan = new MemoryLan();
    const [one, two, output] = [lan.join(), lan.join(), lan.join()];
    lan.bridge.setMirrors(one.port, [{ to: output.port, direction: 'rx' }]);
    two.send(plain(BROADCAST, BOB));
    assert.deepEqual([output.take(), drops(output.port)], [[], {}]);
    lan.bridge.setMirrors(one.port, []);
    two.send(plain(BROADCAST, BOB));
    assert.equal(output.take().length, 1);
  });
});

describe('the mesh of a network', () => {
  test('a port to another node has the settings of such a port from the beginning', () => {
    const { bridge } = new MemoryLan();
    const port = bridge.attach(Object.assign(new MemoryPort(), { meshNode: 'b' }));
    assert.equal(port.settings, MESH_PORT_SETTINGS);
  });

  test('is told of the stations of a port that is isolated now, or no longer, and of no other change', () => {
    const lan = new MemoryLan();
    const [one, two] = [lan.join(), lan.join()];
    const told: string[] = [];
    const exchange = {
      appeared: () => undefined,
      isolationChanged: (entry: FilteringEntry) => told.push(`${entry.mac % 16} ${entry.port.isIsolated}`),
    } as unknown as StationExchange;
    lan.bridge.mesh.watch(
      () => exchange,
      () => undefined,
    );
    one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB));
    two.send(plain(BROADCAST, CEM));
    lan.set(one.port, { isLearning: false });
    assert.deepEqual(told, []);
    lan.set(one.port, { isIsolated: true });
    lan.set(one.port, { isIsolated: true });
    lan.set(one.port, { isIsolated: false });
    assert.deepEqual(told, ['1 true', '2 true', '1 false', '2 false']);
  });
});

describe('addresses of hosts', () => {
  test('are kept when snooping is turned on again, and forgotten when it is turned off', () => {
    const lan = new MemoryLan();
    const one = lan.join();
    lan.bridge.setHostSnooping(true);
    one.send(arpFrame(ADA, '192.0.2.3', '192.0.2.1'));
    lan.bridge.setHostSnooping(true);
    assert.equal(lan.bridge.hosts.addresses, 1);
    lan.bridge.setHostSnooping(false);
    one.send(arpFrame(ADA, '192.0.2.4', '192.0.2.1'));
    assert.equal(lan.bridge.hosts.addresses, 0);
  });

  test('a trusted port that was removed keeps no trust: all servers are believed once the last one is trusted no more', () => {
    const lan = new MemoryLan();
    lan.bridge.setHostSnooping(true);
    const [client, other] = [lan.join(), lan.join()];
    const [first, second] = [lan.join({ isDhcpTrusted: true }), lan.join({ isDhcpTrusted: true })];
    client.send(plain(BROADCAST, ADA));
    const answer = (): void => other.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.9', leaseSeconds: 9000 }));
    lan.bridge.detach(first.port);
    answer();
    assert.equal(lan.bridge.hosts.addresses, 0);
    lan.set(second.port, { isDhcpTrusted: false });
    answer();
    assert.equal(lan.bridge.hosts.addresses, 1);
  });
});

describe('memberships of multicast groups', () => {
  const GROUP = '239.1.2.3';
  const members = (lan: MulticastLan): string[] => lan.memberships.map((line) => line.split(' ').slice(1, 3).join(' '));

  /** Makes a port that of a tunnel to one and the same switch. */
  function connect(lan: MulticastLan, number: number, rank: number): void {
    const tunnel: Tunnel = {
      peer: {
        instance: 'f'.repeat(22),
        tunnelId: `tunnel-${rank}`,
        rank,
        isParallelAllowed: false,
        isDialled: false,
        user: null,
      },
      announceLoss: () => undefined,
      abandon: () => undefined,
    };
    Object.assign(lan.port(number).port, { tunnel });
    lan.bridge.setLink(lan.port(number), 'up');
  }

  test('end with the VLANs of their port, and no others', () => {
    const lan = new MulticastLan(3);
    for (const port of [1, 2]) lan.send(port, joinFrame(GROUP));
    lan.bridge.setSettings(lan.port(1), { ...lan.port(1).settings, isIsolated: true });
    assert.deepEqual(members(lan), [`${GROUP} 1`, `${GROUP} 2`]);
    lan.bridge.setSettings(lan.port(1), { ...lan.port(1).settings, vlans: access(10) });
    assert.deepEqual(members(lan), [`${GROUP} 2`]);
  });

  test('are forgotten at a tunnel that begins to stand by for an older one', () => {
    const lan = new MulticastLan(3);
    connect(lan, 2, 2);
    for (const port of [2, 3]) lan.send(port, joinFrame(GROUP));
    connect(lan, 1, 1);
    assert.equal(lan.port(2).standsByFor, lan.port(1));
    assert.deepEqual(members(lan), [`${GROUP} 3`]);
  });

  test('are at the tunnel that takes over, since its switch is the same', () => {
    const lan = new MulticastLan(4);
    connect(lan, 1, 1);
    connect(lan, 2, 2);
    lan.send(4, queryFrame({ from: '192.0.2.254', station: 0xfe }));
    lan.pass(10_000);
    lan.send(1, joinFrame(GROUP));
    lan.bridge.setLink(lan.port(1), 'away', 'lost');
    assert.deepEqual(members(lan), [`${GROUP} 2`]);
    assert.deepEqual(lan.reach(3, GROUP), [2, 4]);
  });
});

test('an entity that decides parallel tunnels lets all of them forward, until it is taken away', () => {
  const lan = new MemoryLan();
  const station = lan.join();
  const tunnels = [1, 2].map((rank) => {
    const tunnel: Tunnel = {
      peer: { instance: 'f', tunnelId: `${rank}`, rank, isParallelAllowed: false, isDialled: false, user: null },
      announceLoss: () => undefined,
      abandon: () => undefined,
    };
    const memory = Object.assign(new MemoryPort(), { tunnel });
    memory.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
    return lan.bridge.attach(memory);
  });
  const sent = (): number[] => {
    const before = tunnels.map(({ tx }) => tx.frames);
    station.send(plain(BROADCAST, ADA));
    return tunnels.map(({ tx }, at) => tx.frames - (before[at] as number));
  };
  const others = { addresses: 2, received: () => false };
  const deciding = { addresses: 1, received: () => false, decidesParallel: true };
  lan.bridge.addProtocol(others);
  assert.deepEqual(sent(), [1, 0]);
  lan.bridge.addProtocol(deciding);
  assert.deepEqual(sent(), [1, 1]);
  lan.bridge.removeProtocol(others);
  assert.deepEqual(sent(), [1, 1]);
  lan.bridge.removeProtocol(deciding);
  assert.deepEqual(sent(), [1, 0]);
  for (const port of tunnels) assert.deepEqual(drops(port), {}, 'what stands by is offered no flood');
});
