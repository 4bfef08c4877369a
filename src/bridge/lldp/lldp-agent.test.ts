import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { type Decoded, decodeLldpdu } from '../../wire/lldp/decode.ts';
import { lldpFrame } from '../../wire/lldp/frame.ts';
import { CHASSIS, type Lldpdu, PORT } from '../../wire/lldp/lldpdu.ts';
import { showChassisId, showPortId } from '../../wire/lldp/shown.ts';
import { BridgePort, type PortNumber } from '../bridge-port.ts';
import { LLDP_MODES, LldpAgent, type LldpMode, MAX_LLDPDU_BYTES } from './lldp-agent.ts';
import { MAX_NEIGHBORS, MAX_NEIGHBORS_OF_PORT } from './lldp-neighbors.ts';

/** An agent with ports in memory, on a virtual clock. */
class Station {
  readonly agent: LldpAgent;
  readonly ports: BridgePort[] = [];
  readonly modes = new Map<BridgePort, LldpMode>();
  readonly names = new Map<BridgePort, string>();
  readonly sent: { readonly port: number; readonly atMs: number; readonly frame: Buffer }[] = [];
  readonly happened: string[] = [];
  nowMs = 0;

  /** @param mode that of each port when it is added */
  constructor(chassis: number, ports = 1, mode: LldpMode = 'both') {
    const told = (what: string, { port, lldpdu }: { port: BridgePort; lldpdu: Lldpdu }): void => {
      this.happened.push(`${what} ${port.number} ${showChassisId(lldpdu.chassisId)} ${showPortId(lldpdu.portId)}`);
    };
    this.agent = new LldpAgent({
      system: { chassis: chassis as MacAddress, name: `switch-${chassis}`, description: 'a switch in a test' },
      modeOf: (port) => this.modes.get(port) ?? mode,
      describe: (port) => ({ id: this.names.get(port) ?? `port-${port.number}`, description: 'memory', portVlanId: 7 }),
      transmit: ({ number }, frame, atMs) => void this.sent.push({ port: number, atMs, frame }),
      added: (neighbor) => told('added', neighbor),
      changed: (neighbor) => told('changed', neighbor),
      removed: (neighbor, why) => told(`removed (${why})`, neighbor),
    });
    for (let number = 1; number <= ports; number++) {
      this.ports.push(new BridgePort(number as PortNumber, new MemoryPort()));
    }
    for (const port of this.ports) this.agent.update(port, 0);
  }

  at(index: number): BridgePort {
    return this.ports[index] as BridgePort;
  }

  hear(frame: Buffer, index = 0): boolean {
    return this.agent.received(this.at(index), frame, this.nowMs);
  }

  /** Lets seconds pass. @returns the times of what it sent, in seconds */
  run(seconds: number): number[] {
    const before = this.sent.length;
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      this.agent.tick(this.nowMs);
    }
    return this.sent.slice(before).map(({ atMs }) => atMs / 1000);
  }

  /** The last LLDPDU that it sent. */
  last(): Lldpdu {
    const { frame } = this.sent.at(-1) as { frame: Buffer };
    const decoded = decodeLldpdu(frame, 14, frame.length);
    assert.notEqual(typeof decoded, 'string', String(decoded));
    return (decoded as Decoded).lldpdu;
  }
}

function lldpdu(chassis: number, ttlSeconds = 120, more: Partial<Lldpdu> = {}): Lldpdu {
  const octets = Buffer.alloc(6);
  octets.writeUIntBE(chassis, 0, 6);
  const portId = { subtype: PORT.interfaceName, octets: Buffer.from('eth0') };
  return { chassisId: { subtype: CHASSIS.macAddress, octets }, portId, ttlSeconds, ...more };
}

const frameOf = (content: Lldpdu): Buffer => lldpFrame(0x02_0000_0000_99 as MacAddress, content);

test('a port tells at once and then every 30 s what it is', () => {
  const station = new Station(0x02_0000_0000_01);
  assert.equal(station.sent.length, 1);
  assert.equal(station.agent.addresses, 1 << 0xe, '01-80-C2-00-00-0E');
  const { portId, chassisId, ...rest } = station.last();
  assert.equal(showChassisId(chassisId), '02:00:00:00:00:01');
  assert.equal(showPortId(portId), 'port-1');
  assert.deepEqual(rest, {
    ttlSeconds: 121,
    portDescription: 'memory',
    systemName: 'switch-2199023255553',
    systemDescription: 'a switch in a test',
    capabilities: { supported: 4, enabled: 4 },
    portVlanId: 7,
  });
  const times = station.run(200);
  const first = times[0] as number;
  assert.ok(first >= 15 && first <= 30, `the first interval is shorter, so that many ports are spread: ${first}`);
  assert.deepEqual(
    times,
    [first, first + 30, first + 60, first + 90, first + 120, first + 150].filter((at) => at <= 200),
  );
  assert.equal(station.agent.countersOf(station.at(0))?.framesOut, station.sent.length);
});

test('ports that start together are spread over the interval', () => {
  const station = new Station(0x02_0000_0000_01, 100);
  const times = station.run(31);
  assert.equal(times.length, 100);
  const most = Math.max(...times.map((at) => times.filter((other) => other === at).length));
  assert.ok(most <= 10, `${most} in one second`);
});

test('a new neighbour is told four times in three seconds', () => {
  const station = new Station(1);
  station.nowMs = 5000;
  assert.equal(station.hear(frameOf(lldpdu(2))), true);
  assert.deepEqual(station.run(10), [6, 7, 8, 9]);
  station.hear(frameOf(lldpdu(2)));
  assert.deepEqual(station.run(10), [], 'one that is known causes none');
  assert.deepEqual(station.happened, ['added 1 00:00:00:00:00:02 eth0']);
});

test('changes of a port are told at once, but no more than five in a row and one a second', () => {
  const station = new Station(1);
  station.run(10);
  const before = station.sent.length;
  for (let change = 0; change < 50; change++) {
    station.names.set(station.at(0), `name-${change}`);
    station.agent.update(station.at(0), station.nowMs);
  }
  assert.equal(station.sent.length - before, 5);
  assert.deepEqual(station.run(2), [11], 'the last change is told as soon as there is credit');
  assert.equal(showPortId(station.last().portId), 'name-49');
});

test('a neighbour that is silent for its TTL is forgotten', () => {
  const station = new Station(1);
  station.hear(frameOf(lldpdu(2, 3)));
  station.run(2);
  assert.equal(station.agent.neighbors.size, 1);
  station.hear(frameOf(lldpdu(2, 3)));
  station.run(2);
  assert.equal(station.agent.neighbors.size, 1);
  station.run(1);
  assert.equal(station.agent.neighbors.size, 0);
  assert.deepEqual(station.happened, ['added 1 00:00:00:00:00:02 eth0', 'removed (aged) 1 00:00:00:00:00:02 eth0']);
  assert.equal(station.agent.countersOf(station.at(0))?.ageouts, 1);
});

test('of two neighbours each has its own time', () => {
  const station = new Station(1, 2);
  station.hear(frameOf(lldpdu(2, 10)));
  station.hear(frameOf(lldpdu(3, 3)), 1);
  station.run(5);
  assert.deepEqual(
    [...station.agent.neighbors.all()].map(({ port }) => port.number),
    [1],
  );
  station.run(5);
  assert.equal(station.agent.neighbors.size, 0);
});

test('what a neighbour says anew takes the place of what it said', () => {
  const station = new Station(1);
  station.hear(frameOf(lldpdu(2, 120, { systemName: 'old', portDescription: 'x' })));
  station.nowMs = 4000;
  station.hear(frameOf(lldpdu(2, 120, { systemName: 'new' })));
  const [neighbor, ...others] = station.agent.neighbors.of(station.at(0));
  assert.deepEqual(others, []);
  assert.equal(neighbor?.lldpdu.systemName, 'new');
  assert.equal(neighbor?.lldpdu.portDescription, undefined);
  assert.deepEqual([neighbor?.sinceMs, neighbor?.changedMs], [0, 4000]);
  assert.deepEqual(station.happened, ['added 1 00:00:00:00:00:02 eth0', 'changed 1 00:00:00:00:00:02 eth0']);
});

test('a neighbour that leaves is forgotten at once, and one that was not known is no event', () => {
  const station = new Station(1);
  station.hear(frameOf(lldpdu(2)));
  station.hear(frameOf(lldpdu(3, 0)));
  assert.equal(station.agent.neighbors.size, 1);
  station.hear(frameOf(lldpdu(2, 0)));
  assert.deepEqual(station.happened, ['added 1 00:00:00:00:00:02 eth0', 'removed (left) 1 00:00:00:00:00:02 eth0']);
});

test('a port whose transmission ends says so, and starts again 2 s later at the earliest', () => {
  const station = new Station(1);
  station.run(5);
  station.modes.set(station.at(0), 'rx');
  station.agent.update(station.at(0), station.nowMs);
  assert.equal(station.last().ttlSeconds, 0);
  assert.equal(station.last().systemName, undefined);
  assert.deepEqual(station.run(100), []);
  station.modes.set(station.at(0), 'off');
  station.agent.update(station.at(0), station.nowMs);
  station.modes.set(station.at(0), 'tx');
  station.agent.update(station.at(0), station.nowMs);
  assert.equal(station.last().ttlSeconds, 121);
  station.modes.set(station.at(0), 'off');
  station.agent.update(station.at(0), station.nowMs);
  station.modes.set(station.at(0), 'tx');
  station.agent.update(station.at(0), station.nowMs);
  assert.equal(station.last().ttlSeconds, 0);
  assert.deepEqual(station.run(3), [107]);
});

test('a port with mode tx or off takes no LLDPDU, and one with rx or off sends none', () => {
  const modes = [
    ['both', true, true],
    ['rx', true, false],
    ['tx', false, true],
    ['off', false, false],
  ] as const;
  assert.deepEqual(
    LLDP_MODES,
    modes.map(([mode]) => mode),
  );
  for (const [mode, takes, sends] of modes) {
    const station = new Station(1);
    station.hear(frameOf(lldpdu(2)));
    station.modes.set(station.at(0), mode);
    station.agent.update(station.at(0), station.nowMs);
    assert.equal(station.agent.neighbors.size, takes ? 1 : 0, mode);
    assert.equal(station.hear(frameOf(lldpdu(3))), takes, mode);
    assert.equal(station.run(40).length > 0, sends, mode);
    assert.equal(station.happened.includes('removed (disabled) 1 00:00:00:00:00:02 eth0'), !takes, mode);
    assert.equal(new Station(1, 1, mode).sent.length, sends ? 1 : 0, `${mode} from the start on`);
  }
});

test('a port that is down sends nothing, and forgets its neighbours; when it is up it tells at once', () => {
  const station = new Station(1);
  station.hear(frameOf(lldpdu(2)));
  const before = station.sent.length;
  station.at(0).link = 'down';
  station.agent.update(station.at(0), station.nowMs);
  assert.equal(station.agent.neighbors.size, 0);
  assert.equal(station.happened.at(-1), 'removed (port-down) 1 00:00:00:00:00:02 eth0');
  assert.deepEqual(station.run(60), []);
  assert.equal(station.sent.length, before);
  station.at(0).link = 'up';
  station.agent.update(station.at(0), station.nowMs);
  assert.equal(station.sent.length, before + 1);
});

test('neighbours are told when a port is removed, and when the agent ends', () => {
  const station = new Station(1, 3);
  station.hear(frameOf(lldpdu(2)), 1);
  station.agent.remove(station.at(1), station.nowMs);
  assert.deepEqual([station.sent.at(-1)?.port, station.last().ttlSeconds], [2, 0]);
  assert.equal(station.happened.at(-1), 'removed (port-removed) 2 00:00:00:00:00:02 eth0');
  assert.equal(station.hear(frameOf(lldpdu(2)), 1), false);
  station.hear(frameOf(lldpdu(2)), 0);
  const before = station.sent.length;
  station.agent.close(station.nowMs);
  assert.deepEqual(
    station.sent.slice(before).map(({ port }) => port),
    [1, 3],
  );
  assert.equal(station.last().ttlSeconds, 0);
  assert.equal(station.agent.neighbors.size, 0);
  assert.equal(station.happened.at(-1), 'removed (disabled) 1 00:00:00:00:00:02 eth0');
  assert.equal(station.hear(frameOf(lldpdu(2))), false);
  station.agent.remove(station.at(0), station.nowMs);
  assert.deepEqual(station.run(60), []);
});

test('a port that told nothing is removed without a word', () => {
  const station = new Station(1, 2, 'rx');
  station.agent.remove(station.at(0), station.nowMs);
  assert.equal(station.agent.countersOf(station.at(0)), undefined);
  station.agent.close(station.nowMs);
  assert.deepEqual(station.sent, []);
});

test('a host may leave out the calls that tell it of neighbours', () => {
  const agent = new LldpAgent({
    system: { chassis: 1 as MacAddress, name: 'quiet', description: '' },
    modeOf: () => 'both',
    describe: () => ({ id: 'port', description: '' }),
    transmit: () => undefined,
  });
  const port = new BridgePort(1 as PortNumber, new MemoryPort());
  agent.update(port, 0);
  const hear = (content: Lldpdu): boolean => agent.received(port, frameOf(content), 0);
  hear(lldpdu(2));
  hear(lldpdu(2, 120, { systemName: 'other' }));
  hear(lldpdu(2, 0));
  hear(lldpdu(3, 5));
  agent.tick(5000);
  assert.equal(agent.neighbors.size, 0);
  hear(lldpdu(4));
  agent.remove(port, 5000);
  assert.equal(agent.neighbors.size, 0);
});

test('frames that are none of LLDP are left to others; malformed ones are taken and counted', () => {
  const station = new Station(1);
  const other = frameOf(lldpdu(2));
  other.writeUInt16BE(0x8809, 12);
  assert.equal(station.hear(other), false);
  const counters = station.agent.countersOf(station.at(0));
  assert.equal(counters?.framesIn, 0);
  const order = frameOf(lldpdu(2));
  order[14] = 4;
  assert.equal(station.hear(order), true);
  const padded = Buffer.concat([frameOf(lldpdu(2)), Buffer.alloc(MAX_LLDPDU_BYTES)]);
  assert.equal(station.hear(padded.subarray(0, 14 + MAX_LLDPDU_BYTES + 1)), true, 'too long');
  assert.equal(station.hear(frameOf(lldpdu(2)).subarray(0, 14)), true, 'an empty one');
  assert.deepEqual([counters?.framesIn, counters?.framesDiscarded], [3, 3]);
  station.hear(padded.subarray(0, 14 + MAX_LLDPDU_BYTES));
  assert.deepEqual([counters?.framesIn, counters?.framesDiscarded], [4, 3], 'the longest one');
  const odd = Buffer.concat([frameOf(lldpdu(2)).subarray(0, 14 + 9 + 7 + 4), Buffer.from('0e01011200', 'hex')]);
  station.hear(odd);
  assert.deepEqual([counters?.tlvsDiscarded, counters?.tlvsUnrecognized], [1, 1]);
  assert.equal(station.agent.neighbors.size, 1);
});

test('the neighbours of a port are bounded, and so are all of them', () => {
  const station = new Station(1, 1 + MAX_NEIGHBORS / MAX_NEIGHBORS_OF_PORT);
  for (let chassis = 0; chassis < 2 * MAX_NEIGHBORS_OF_PORT; chassis++) station.hear(frameOf(lldpdu(100 + chassis)));
  assert.equal(station.agent.neighbors.size, MAX_NEIGHBORS_OF_PORT);
  assert.equal(station.agent.countersOf(station.at(0))?.tooManyNeighbors, MAX_NEIGHBORS_OF_PORT);
  for (let index = 1; index < station.ports.length; index++) {
    for (let chassis = 0; chassis < MAX_NEIGHBORS_OF_PORT; chassis++) station.hear(frameOf(lldpdu(chassis)), index);
  }
  assert.equal(station.agent.neighbors.size, MAX_NEIGHBORS);
  const lastPort = station.ports.length - 1;
  assert.equal(station.agent.countersOf(station.at(lastPort))?.tooManyNeighbors, MAX_NEIGHBORS_OF_PORT);
  station.hear(frameOf(lldpdu(100, 0)));
  station.hear(frameOf(lldpdu(7)), lastPort);
  assert.equal(station.agent.neighbors.size, MAX_NEIGHBORS, 'there is room again');
});

test('two agents on one cable know each other', () => {
  const [left, right] = [new Station(1), new Station(2)];
  const carry = (from: Station, to: Station): void => {
    for (const { frame } of from.sent.splice(0)) to.hear(frame);
  };
  for (let second = 0; second < 200; second++) {
    left.run(1);
    right.run(1);
    carry(left, right);
    carry(right, left);
  }
  for (const station of [left, right]) assert.equal(station.happened.length, 1, 'and nothing changes afterwards');
  left.agent.close(left.nowMs);
  carry(left, right);
  assert.equal(right.happened.at(-1), 'removed (left) 1 00:00:00:00:00:01 port-1');
});

test('a port takes at most 100 LLDPDUs a second, so that what changes all the time is told that often', () => {
  const station = new Station(0x02_0000_0000_01, 2);
  const flood = (): void => {
    for (let count = 0; count < 1000; count++) station.hear(frameOf(lldpdu(9, 120, { systemName: `name ${count}` })));
  };
  flood();
  assert.equal(station.happened.length, 100);
  assert.equal(station.agent.countersOf(station.at(0))?.framesDiscarded, 900);
  station.hear(frameOf(lldpdu(8)), 1);
  assert.equal(station.happened.length, 101, 'another port has its own');
  station.run(1);
  flood();
  assert.equal(station.happened.length, 201);
});
