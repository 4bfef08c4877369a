import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';

/** A bridge whose ports lead to these nodes; undefined: to stations. */
class Lab {
  readonly bridge = new Bridge();
  readonly ports: BridgePort[] = [];
  readonly #memory: MemoryPort[] = [];
  readonly #heard: number[];

  constructor(...nodes: readonly (string | undefined)[]) {
    this.#heard = nodes.map(() => 0);
    nodes.forEach((meshNode, at) => {
      const memory = new MemoryPort();
      memory.onFrames((frames) => {
        this.#heard[at] = frames.length;
      });
      const port = this.bridge.attach(meshNode === undefined ? memory : Object.assign(memory, { meshNode }));
      memory.open({
        receive: (batch) => this.bridge.receive(port, batch, 0),
        linkChanged: (state) => this.bridge.setLink(port, state),
        discarded: () => undefined,
      });
      this.ports.push(port);
      this.#memory.push(memory);
    });
  }

  /** @returns the numbers of frames that left by each port */
  send(at: number, to: number, from: number): number[] {
    this.#heard.fill(0);
    const frame = Buffer.alloc(60);
    frame.writeUIntBE(to, 0, 6);
    frame.writeUIntBE(from, 6, 6);
    frame.writeUInt16BE(0x0800, 12);
    this.#memory[at]?.deliver(frame);
    return [...this.#heard];
  }

  at(index: number): BridgePort {
    return this.ports[index] as BridgePort;
  }
}

const BROADCAST = 0xffff_ffff_ffff;
const [ADA, BEN] = [0x0200_0000_0001, 0x0200_0000_0002];

test('a flooded frame of a node goes to stations, and is not offered to other nodes', () => {
  const lab = new Lab(undefined, 'b', 'c', undefined);
  assert.deepEqual(lab.send(1, BROADCAST, ADA), [1, 0, 0, 1]);
  assert.deepEqual(lab.send(2, BEN, ADA), [1, 0, 0, 1]);
  assert.deepEqual(lab.send(0, BROADCAST, BEN), [0, 1, 1, 1]);
  for (const { rx, tx } of lab.ports) assert.deepEqual([rx.discarded, tx.discarded], [0, 0]);
});

test('a frame of a node for a station at another node is a discard with its own reason', () => {
  const lab = new Lab(undefined, 'b', 'c');
  lab.send(2, BROADCAST, BEN);
  assert.deepEqual(lab.send(1, BEN, ADA), [0, 0, 0]);
  assert.equal(lab.at(2).tx.discards.splitHorizon, 1);
  assert.deepEqual(lab.send(0, BEN, ADA), [0, 0, 1]);
});

test('settings of a port do not change a port of the mesh', () => {
  const lab = new Lab(undefined, 'b');
  const wanted = {
    ...DEFAULT_SETTINGS,
    isIsolated: true,
    floodsBroadcast: false,
    storm: { broadcast: 0 },
    macLimit: 1,
  };
  for (const port of lab.ports) lab.bridge.setSettings(port, wanted);
  assert.equal(lab.at(1).storm, undefined);
  assert.equal(lab.at(1).settings.lldp, 'off');
  assert.deepEqual(lab.send(1, BROADCAST, ADA), [0, 0]);
  lab.bridge.setSettings(lab.at(0), DEFAULT_SETTINGS);
  assert.deepEqual(lab.send(1, BROADCAST, BEN), [1, 0]);
  assert.deepEqual(lab.send(0, BROADCAST, 0x0200_0000_0003), [0, 1]);
});
