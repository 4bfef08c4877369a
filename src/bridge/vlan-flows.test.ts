import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowBench, frame, STATION_1 } from '../../test/support/flow-bench.ts';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import { TPID_C_TAG } from '../wire/ethernet/tag.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import type { VlanMode } from '../wire/ethernet/vlan-mode.ts';
import { PortVlans } from './port-vlans.ts';

test('a flow changes the tag as the bridge does, and a frame that its tag makes too long is none', () => {
  const vlans = (mode: VlanMode): PortVlans | undefined =>
    mode === 'trunk'
      ? PortVlans.of({ mode, pvid: 1 as Vid, vlans: VidSet.ALL, tpid: TPID_C_TAG })
      : PortVlans.of({ mode, pvid: 10 as Vid, vlans: VidSet.ALL, tpid: TPID_C_TAG });
  const tagged = (to: number, from: number, tag: string): Buffer =>
    Buffer.concat([frame(to, from).subarray(0, 12), Buffer.from(tag, 'hex'), frame(to, from).subarray(12)]);
  const cases: [VlanMode | 'none', VlanMode | 'none', string, strippedBytes: number, tag: number][] = [
    ['none', 'none', '8100000a', 0, 0],
    ['access', 'access', '', 0, 0],
    ['access', 'trunk', '', 0, 0x8100_000a],
    ['access', 'trunk', '8100a000', 4, 0x8100_a00a],
    ['access', 'none', '', 0, 0x8100_000a],
    ['trunk', 'access', '8100600a', 4, 0],
    ['trunk', 'trunk', '8100600a', 0, 0],
    ['none', 'access', '8100000a', 4, 0],
  ];
  for (const [from, to, tag, strippedBytes, inserted] of cases) {
    const bench = new FlowBench();
    for (const [at, mode] of [from, to].entries()) {
      const port = bench.at(at);
      if (mode !== 'none') bench.bridge.setSettings(port, { ...port.settings, vlans: vlans(mode) });
    }
    bench.bridge.entries.set(10 as Vid, STATION_1, bench.at(1), 'static', 0);
    const [flow] = bench.offered(tagged(1, 0, tag));
    const got = [flow?.strippedBytes, flow?.tag];
    assert.deepEqual(got, [strippedBytes, inserted], `${from} to ${to} with "${tag}"`);
  }

  const bench = new FlowBench();
  for (const [at, mode] of (['access', 'trunk'] as const).entries())
    bench.bridge.setSettings(bench.at(at), { ...bench.at(at).settings, vlans: vlans(mode) });
  bench.bridge.entries.set(10 as Vid, STATION_1, bench.at(1), 'static', 0);
  assert.deepEqual(bench.offered(frame(1, 0, MAX_SUPER_FRAME_BYTES)), []);
  assert.deepEqual(bench.offered(frame(1, 0), frame(1, 0, MAX_SUPER_FRAME_BYTES)), [], 'behind one that left');
  assert.equal(bench.at(1).tx.discards.tooLong, 2);
  // Its segments get a third tag one by one.
  const { frame: bytes, header } = superFrameOf({ payload: Buffer.alloc(2500), tags: [7, 8] }, 300);
  const between = { frame: Buffer.concat([frame(1, 0).subarray(0, 12), bytes.subarray(12)]), header };
  bench.receive(0, batchWithHeaders([between]));
  assert.equal(bench.flows.length, 1);
  bench.flows = [];
  bench.port(1).refusal = 'queueFull';
  bench.receive(0, batchWithHeaders([between]));
  assert.deepEqual(bench.flows, [], 'none of them was taken');
});
