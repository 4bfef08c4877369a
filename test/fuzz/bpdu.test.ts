import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PORT_SETTINGS } from '../../src/bridge/spanning-tree/settings.ts';
import { SpanningTree } from '../../src/bridge/spanning-tree/spanning-tree.ts';
import type { BridgeId } from '../../src/wire/bpdu/bridge-id.ts';
import { encodeBpdu } from '../../src/wire/bpdu/encode.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { spoil } from '../support/spoil.ts';

const CASES = fuzzCases(100_000);
const PORTS = 3;

test(`${CASES} spoilt BPDUs for a spanning tree: its machines settle behind each, and it sends as often as it may`, () => {
  const random = new Random(fuzzSeed());
  let sent = 0;
  const tree = new SpanningTree(
    { address: 0x0200_0000_0001 as MacAddress, priority: 32_768 },
    { transmit: () => void sent++, setState: () => undefined, flush: () => undefined },
  );
  for (let port = 1; port <= PORTS; port++) {
    tree.addPort(port, DEFAULT_PORT_SETTINGS);
    tree.setUp(port, true);
  }
  let ticks = 0;
  for (let number = 0; number < CASES; number++) {
    const type = random.pick(['tcn', 'config', 'rst', 'rst'] as const);
    const frame = encodeBpdu(
      type === 'tcn'
        ? { type }
        : {
            ...{
              type,
              flags: random.below(256),
              rootId: BigInt(random.next()) as BridgeId,
              rootPathCost: random.next(),
            },
            ...{ bridgeId: BigInt(random.next()) as BridgeId, portId: random.below(0x1_0000) },
            ...{ messageAge: random.below(40), maxAge: random.below(41), helloTime: random.below(3) },
            forwardDelay: random.below(31),
          },
      0x0200_0000_0002 as MacAddress,
    );
    const bytes = spoil(random, Buffer.from(frame));
    tree.received(random.between(1, PORTS), bytes, 0, bytes.length);
    assert.equal(tree.runAll(), false, `seed ${random.seed}, case ${number}: a machine has more to do`);
    if (!random.once(20)) continue;
    ticks++;
    tree.tick();
  }
  // The hold count is 6, and one more a second (IEEE 802.1D-2004, 17.13.12).
  assert.ok(sent > 0 && sent <= PORTS * (6 + ticks), `${sent} BPDUs in ${ticks} s`);
});
