import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgePort, type PortNumber } from '../../src/bridge/bridge-port.ts';
import { LldpAgent } from '../../src/bridge/lldp/lldp-agent.ts';
import { MAX_NEIGHBORS_OF_PORT } from '../../src/bridge/lldp/lldp-neighbors.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { lldpFrame } from '../../src/wire/lldp/frame.ts';
import { CHASSIS, PORT } from '../../src/wire/lldp/lldpdu.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CASES = fuzzCases(100_000);

test(`${CASES} LLDPDUs with changed octets, cut and prolonged, for an agent whose neighbours age`, () => {
  const random = new Random(fuzzSeed());
  const agent = new LldpAgent({
    system: { chassis: 1 as MacAddress, name: 'fuzzed', description: '' },
    modeOf: () => 'both',
    describe: () => ({ id: 'port-1', description: '' }),
    transmit: () => undefined,
  });
  const port = new BridgePort(1 as PortNumber, new MemoryPort());
  agent.update(port, 0);
  let nowMs = 0;
  for (let number = 0; number < CASES; number++) {
    const frame = lldpFrame(2 as MacAddress, {
      chassisId: { subtype: CHASSIS.local, octets: random.bytes(random.between(1, 8)) },
      portId: { subtype: PORT.local, octets: random.bytes(random.between(1, 255)) },
      ttlSeconds: random.below(200),
      systemName: 'a name',
      managementAddresses: [{ family: 1, octets: random.bytes(4), interfaceSubtype: 1, interfaceNumber: 0 }],
      portVlanId: random.below(4096),
    });
    for (let changes = random.below(4); changes > 0; changes--) {
      frame[random.between(14, frame.length - 1)] = random.below(256);
    }
    const length = random.once(4) ? random.between(14, frame.length) : frame.length;
    const tail = random.once(8) ? random.bytes(random.below(2000)) : Buffer.alloc(0);
    assert.equal(agent.received(port, Buffer.concat([frame.subarray(0, length), tail]), nowMs), true);
    assert.ok(agent.neighbors.size <= MAX_NEIGHBORS_OF_PORT);
    if (!random.once(20)) continue;
    nowMs += random.below(2000);
    agent.tick(nowMs);
  }
  const { framesIn, framesDiscarded, tooManyNeighbors, ageouts } = agent.counters;
  assert.equal(framesIn, CASES);
  for (const count of [framesDiscarded, tooManyNeighbors, ageouts]) assert.ok(count > 0);
  agent.tick(nowMs + 70_000_000);
  assert.equal(agent.neighbors.size, 0, 'nothing stays');
});
