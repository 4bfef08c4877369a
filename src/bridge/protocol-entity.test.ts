import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { Bridge } from './bridge.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgePort } from './bridge-port.ts';
import type { DiscardReason } from './port.ts';
import { DEFAULT_SETTINGS } from './port-settings.ts';
import type { ProtocolEntity } from './protocol-entity.ts';

const BPDU = frame('0180c2000000', 1);
const LLDP = frame('0180c200000e', 1);

function frame(destination: string, source: number): Buffer {
  return Buffer.from(`${destination}0200000000${source.toString(16).padStart(2, '0')}0800${'00'.repeat(46)}`, 'hex');
}

/** A bridge of three memory ports, and an entity that notes the frames to 01-80-C2-00-00-00. */
function open(options: BridgeOptions = {}) {
  const bridge = new Bridge(options);
  const heard: [port: number, octets: number][] = [];
  const sent: Buffer[][] = [];
  const ports: BridgePort[] = [];
  const memory: MemoryPort[] = [];
  for (let count = 0; count < 3; count++) {
    const own: Buffer[] = [];
    const port = new MemoryPort({ onFrames: (frames) => own.push(...frames) });
    const bridgePort = bridge.attach(port);
    port.open({
      receive: (batch) => bridge.receive(bridgePort, batch, 0),
      linkChanged: (state, reason) => bridge.setLink(bridgePort, state, reason),
      discarded: () => undefined,
    });
    ports.push(bridgePort);
    memory.push(port);
    sent.push(own);
  }
  const entity: ProtocolEntity = {
    addresses: 1,
    received: (port, octets) => {
      const isMine = octets[5] === 0;
      if (isMine) heard.push([port.number, octets.length]);
      return isMine;
    },
  };
  const deliver = (at: number, ...frames: Buffer[]): number[] => {
    for (const own of sent) own.length = 0;
    memory[at]?.deliver(...frames);
    return sent.map((own) => own.length);
  };
  return { bridge, entity, heard, sent, deliver, port: (at: number) => ports[at] as BridgePort };
}

test('a protocol entity gets the frames to its addresses, which are not relayed even where reserved addresses are', () => {
  const { bridge, entity, heard, deliver, port } = open({ forwardReserved: 1 });
  assert.deepEqual(deliver(0, BPDU), [0, 1, 1], 'relayed without an entity');
  bridge.addProtocol(entity);
  assert.deepEqual(deliver(0, BPDU, BPDU), [0, 0, 0]);
  assert.deepEqual(heard, [
    [1, 60],
    [1, 60],
  ]);
  assert.equal(port(0).rx.discards.reserved, 0);
  assert.deepEqual(deliver(1, LLDP), [0, 0, 0]);
  assert.equal(port(1).rx.discards.reserved, 1, 'an address of no entity');
  bridge.removeProtocol(entity);
  assert.deepEqual(deliver(0, BPDU), [0, 1, 1]);
});

test('a port that discards hears protocols only, one that learns also learns, and neither forwards', () => {
  const { bridge, entity, heard, deliver, port } = open();
  bridge.addProtocol(entity);
  bridge.setStpState(port(0), 'discarding');
  assert.deepEqual(deliver(0, BPDU, frame('ffffffffffff', 7), LLDP), [0, 0, 0]);
  assert.equal(heard.length, 1);
  assert.equal(port(0).rx.discards.discarding, 2);
  assert.equal(bridge.fdbSize, 0, 'nothing is learned');
  assert.deepEqual(deliver(1, frame('ffffffffffff', 8)), [0, 0, 1], 'nothing leaves by it');

  bridge.setStpState(port(0), 'learning');
  assert.deepEqual(deliver(0, BPDU, frame('ffffffffffff', 7), frame('020000000008', 7)), [0, 0, 0]);
  assert.equal(heard.length, 2);
  assert.equal(bridge.fdbSize, 3, 'its sources are learned');
  assert.deepEqual(deliver(1, frame('020000000007', 8)), [0, 0, 0], 'its station is there, but it does not forward');
  assert.equal(port(0).tx.discards.discarding, 1);

  bridge.setStpState(port(0), 'forwarding');
  assert.deepEqual(deliver(1, frame('020000000007', 8)), [1, 0, 0]);
});

test('the bridge sends frames of its own in every state of the spanning tree, unless the port cannot send', () => {
  const { bridge, sent, port } = open();
  bridge.setStpState(port(0), 'discarding');
  assert.equal(bridge.transmit(port(0), BPDU), true);
  assert.deepEqual(sent[0], [BPDU]);
  assert.deepEqual([port(0).tx.frames, port(0).tx.octets], [1, 60]);
  bridge.setShut(port(0), true);
  assert.equal(bridge.transmit(port(0), BPDU), false);
  bridge.setShut(port(0), false);
  bridge.setLink(port(0), 'down', 'a test');
  assert.equal(bridge.transmit(port(0), BPDU), false);
  bridge.detach(port(0));
  assert.equal(bridge.transmit(port(0), BPDU), false);
  assert.deepEqual(sent[0], [BPDU]);
});

test('a frame of the bridge that a port refuses is a discard there, and its octets stay for the next port', () => {
  const bridge = new Bridge();
  const flushes: boolean[] = [];
  class FullPort extends MemoryPort {
    override send(): DiscardReason {
      return 'queueFull';
    }

    override flush(isSoleEgress: boolean): void {
      flushes.push(isSoleEgress);
    }
  }
  const port = bridge.attach(new FullPort());
  assert.equal(bridge.transmit(port, BPDU), false);
  assert.deepEqual([port.tx.frames, port.tx.discards.queueFull, flushes], [0, 1, [false]]);
});

test('an answer within a batch changes nothing of the copies of the frames behind it', () => {
  const { bridge, entity, sent, deliver, port } = open();
  const [from, to, output] = [port(0), port(1), port(2)];
  bridge.setMirrors(from, [{ to: output, direction: 'rx' }]);
  bridge.setMirrors(to, [{ to: output, direction: 'tx' }]);
  bridge.addProtocol({ ...entity, received: () => bridge.transmit(from, BPDU) });
  const data = frame('ffffffffffff', 7);
  deliver(0, BPDU, data);
  assert.deepEqual(sent, [[BPDU], [data], [BPDU, data]], 'the mirror has one copy of each');
});

test('isolated ports exchange frames with others, but not with each other', () => {
  const { bridge, deliver, port } = open();
  for (const at of [0, 1]) bridge.setSettings(port(at), { ...DEFAULT_SETTINGS, isIsolated: true });
  assert.deepEqual(deliver(0, frame('ffffffffffff', 1)), [0, 0, 1]);
  assert.deepEqual(deliver(2, frame('ffffffffffff', 3)), [1, 1, 0]);
  assert.deepEqual(deliver(1, frame('020000000001', 2)), [0, 0, 0]);
  assert.equal(port(0).tx.discards.isolated, 1);
  assert.deepEqual(deliver(0, frame('020000000003', 1)), [0, 0, 1]);
  bridge.setSettings(port(0), DEFAULT_SETTINGS);
  assert.deepEqual(deliver(1, frame('020000000001', 2)), [1, 0, 0]);
});
