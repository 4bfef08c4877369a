import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Bridge } from '../../bridge/bridge.ts';
import type { BridgePort, PortNumber } from '../../bridge/bridge-port.ts';
import { LoopDetection } from '../../bridge/loop-detection/loop-detection.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { LOOP_HELLO } from '../../wire/mesh/loop-messages.ts';
import { SharedLoops } from './shared-loops.ts';

/** A cable between ports of two nodes, which are joined by a mesh as well. */
class Node {
  readonly name: string;
  readonly bridge = new Bridge();
  readonly loops: LoopDetection;
  readonly shared: SharedLoops;
  readonly port: BridgePort;
  readonly shut: string[] = [];
  other: Node | undefined;
  nowMs = 0;

  /** @param portNumber numbers of nodes say nothing about the ages of their ports */
  constructor(name: string, mode: 'on' | 'off', sinceMs: number, otherPorts = 0) {
    this.name = name;
    for (let port = 0; port < otherPorts; port++) this.bridge.attach(new MemoryPort());
    this.port = this.bridge.attach(new MemoryPort());
    this.bridge.setLink(this.port, 'up');
    this.loops = new LoopDetection(mode, {
      address: 0x0200_0000_0001 as MacAddress,
      randomBytes,
      transmit: (port, _vid, frame, nowMs) => {
        if (port === this.port) this.other?.hear(frame, nowMs);
      },
      protect: (port, reason) => this.bridge.protect(port, { cause: 'loop', reason }),
      unprotect: (port) => this.bridge.protect(port, undefined),
      onForeignProbe: (probe, by, nowMs) => this.shared.probed(probe, by, nowMs),
    });
    this.shared = new SharedLoops({
      mesh: {
        self: name,
        send: (kind, payload) => {
          this.other?.shared.messageReceived(kind, this.name, payload, this.nowMs);
          return true;
        },
        nodes: () => (this.other === undefined ? [] : [this.other.name]),
        join: () => undefined,
      },
      loops: this.loops,
      portOf: (number) => this.bridge.ports.get(number as PortNumber),
      onShut: (port, by) => void this.shut.push(`${port.number} ${by}`),
    });
    this.shared.portAdded(this.port, sinceMs);
  }

  meet(other: Node): void {
    this.other = other;
    this.shared.nodesChanged();
  }

  hear(frame: Uint8Array, nowMs: number): void {
    if (this.port.isShut) return;
    this.loops.received(this.port, frame, 0, frame.length, nowMs);
  }

  tick(nowMs: number): void {
    this.nowMs = nowMs;
    this.shared.tick(nowMs);
    this.loops.tick(this.bridge.eachPort(), nowMs);
  }
}

function run(nodes: readonly Node[], fromS: number, toS: number): void {
  for (let second = fromS; second <= toS; second++) {
    for (const node of nodes) node.nowMs = second * 1000;
    for (const node of nodes) node.tick(second * 1000);
  }
}

for (const younger of ['r1', 'r2']) {
  test(`of two ports of different nodes in a loop the younger one is shut, alone: at ${younger}`, () => {
    const one = new Node('r1', 'on', younger === 'r1' ? 500 : 0, 3);
    const two = new Node('r2', 'on', younger === 'r2' ? 500 : 0);
    one.meet(two);
    two.meet(one);
    run([two, one], 1, 60);
    const [shut, open] = younger === 'r1' ? [one, two] : [two, one];
    assert.equal(shut.shut.length, 1);
    assert.deepEqual(open.shut, []);
    assert.equal(open.port.protection, undefined);
    const other = `${open.name}/${open.port.number}`;
    assert.equal(shut.port.protection?.reason, `a loop with port ${other}; tried again after 30 s without it`);
    // The cable is taken away: 30 s later the port is open.
    one.other = two.other = undefined;
    run([one, two], 61, 95);
    assert.equal(shut.port.protection, undefined);
  });
}

test('a node whose loop detection is off tells of probes, and the port of the other one is shut', () => {
  for (const [first, second] of [
    ['on', 'off'],
    ['off', 'on'],
  ] as const) {
    const one = new Node('r1', first, 0);
    const two = new Node('r2', second, 500);
    one.meet(two);
    two.meet(one);
    run([one, two], 1, 20);
    const [probing, silent] = first === 'on' ? [one, two] : [two, one];
    assert.deepEqual([probing.shut.length, silent.shut.length], [1, 0]);
  }
});

test('a message of a node about a probe that was not sent shuts nothing', () => {
  const one = new Node('r1', 'on', 0);
  const two = new Node('r2', 'on', 0);
  one.meet(two);
  run([one], 1, 1);
  const forged = {
    probed: one.port.number,
    nonce: randomBytes(16),
    instance: one.loops.instance,
    port: one.port.number,
    vid: UNTAGGED,
  };
  two.meet(one);
  two.shared.probed(forged, two.port, 1000);
  assert.deepEqual([one.shut, two.shut], [[], []]);
});

test('hellos come each 5 s for half a minute after the nodes have changed, and each minute later', () => {
  const [one, two] = [new Node('r1', 'on', 0), new Node('r2', 'on', 0)];
  // No cable, so no probes.
  one.hear = two.hear = () => undefined;
  one.meet(two);
  two.meet(one);
  let hellos = 0;
  const { shared } = two;
  const received = shared.messageReceived.bind(shared);
  shared.messageReceived = (kind, ...message) => {
    if (kind === LOOP_HELLO) hellos++;
    received(kind, ...message);
  };
  const within = (fromS: number, toS: number): number => {
    hellos = 0;
    run([one, two], fromS, toS);
    return hellos;
  };
  assert.equal(within(1, 30), 6);
  assert.equal(within(31, 330), 5);
  one.meet(two);
  assert.equal(within(331, 360), 6);
});
