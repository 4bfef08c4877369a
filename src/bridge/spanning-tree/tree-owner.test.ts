import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS, BRIDGE_ID, idOf, TIMES, vectorOf } from '../../../test/support/state-machine.ts';
import { type Bpdu, type ConfigurationMessage, roleIn } from '../../wire/bpdu/bpdu.ts';
import { addressOf } from '../../wire/bpdu/bridge-id.ts';
import { decodeBpdu } from '../../wire/bpdu/decode.ts';
import { encodeBpdu } from '../../wire/bpdu/encode.ts';
import { sourceOf } from '../../wire/ethernet/ethernet-frame.ts';
import type { PortNumbers } from './port-numbers.ts';
import { DEFAULT_PORT_SETTINGS, type SpanningTreePortSettings } from './settings.ts';
import { SpanningTree, type SpanningTreeEvent, type SpanningTreeOptions } from './spanning-tree.ts';

/** A spanning tree whose owner is the test. */
class Owner {
  readonly frames: { readonly port: number; readonly frame: Uint8Array }[] = [];
  readonly states: string[] = [];
  readonly flushed: number[] = [];
  readonly events: SpanningTreeEvent[] = [];
  readonly tree: SpanningTree;
  onTransmit: (port: number) => void = () => undefined;
  onState: (port: number, state: string) => void = () => undefined;

  constructor(options: Partial<SpanningTreeOptions> = {}) {
    this.tree = new SpanningTree(
      { address: ADDRESS, ...options },
      {
        transmit: (port, frame) => {
          this.frames.push({ port, frame });
          this.onTransmit(port);
        },
        setState: (port, state) => {
          this.states.push(`${port} ${state}`);
          this.onState(port, state);
        },
        flush: (port) => void this.flushed.push(port),
        happened: (event) => void this.events.push(event),
      },
    );
  }

  add(number: number, settings: Partial<SpanningTreePortSettings> = {}): void {
    this.tree.addPort(number, { ...DEFAULT_PORT_SETTINGS, ...settings });
    this.tree.setUp(number, true);
  }

  port(number: number) {
    const port = this.tree.ports.get(number);
    assert.ok(port !== undefined);
    return port;
  }

  hear(port: number, bpdu: Bpdu): void {
    const frame = encodeBpdu(bpdu, 0x0200_0000_9001 as never);
    this.tree.received(port, frame, 0, frame.length);
  }

  tick(seconds: number): void {
    for (let second = 0; second < seconds; second++) this.tree.tick();
  }

  takeFrames() {
    return this.frames.splice(0).map(({ port, frame }) => ({ port, frame, bpdu: decodeBpdu(frame, 0, frame.length) }));
  }
}

/** A message of a designated port that forwards. */
function designated(root: number, cost: number, bridge: number, change: Partial<ConfigurationMessage> = {}): Bpdu {
  return { type: 'rst', flags: 0x3c, ...vectorOf(root, cost, bridge), ...TIMES, ...change };
}

test('a port sends nothing before its link is up, then as a designated port with an address of its own (7.12.2)', () => {
  const owner = new Owner();
  owner.tree.addPort(5, DEFAULT_PORT_SETTINGS);
  assert.equal(owner.tree.runAll(), false, 'its machines have run');
  owner.tick(3);
  assert.deepEqual([owner.takeFrames(), owner.states, owner.port(5).role], [[], ['5 discarding'], 'disabled']);
  owner.tree.setUp(5, true);
  const [sent] = owner.takeFrames();
  assert.ok(sent?.bpdu !== undefined && sent.bpdu.type === 'rst');
  assert.deepEqual([sent.port, sent.bpdu.bridgeId, sent.bpdu.portId], [5, BRIDGE_ID, 0x8005]);
  assert.equal(roleIn(sent.bpdu), 3);
  assert.equal(sourceOf(sent.frame, 0), addressOf(BRIDGE_ID) + 5);
  owner.tree.setUp(5, true);
  assert.deepEqual(owner.takeFrames(), [], 'nothing has changed');
  owner.tree.setUp(5, false);
  assert.equal(owner.port(5).role, 'disabled');
});

test('the source of BPDUs has the port number in its lower 12 bits, whatever the address of the bridge has there', () => {
  const owner = new Owner({ address: 0x0200_0000_5fff as never });
  owner.add(4095);
  const [sent] = owner.takeFrames();
  assert.equal(sourceOf((sent as { frame: Uint8Array }).frame, 0), 0x0200_0000_5fff);
  owner.add(1);
  assert.equal(sourceOf((owner.takeFrames()[0] as { frame: Uint8Array }).frame, 0), 0x0200_0000_5001);
});

test('settings of the bridge work at once, and another root is told with the port to it', () => {
  const owner = new Owner({ priority: 4096, maxAge: 30, helloTime: 1 });
  assert.deepEqual(owner.tree.settings, { priority: 4096, helloTime: 1, maxAge: 30, forwardDelay: 15 });
  owner.add(1);
  owner.takeFrames();
  assert.deepEqual(owner.events, [], 'it is the root from its start');
  owner.hear(1, designated(2, 0, 2));
  assert.deepEqual(owner.events, [], 'that one is worse');
  owner.tree.configure({ priority: 0x8000 });
  owner.hear(1, designated(2, 0, 2));
  const roots = () => owner.events.splice(0).filter(({ kind }) => kind === 'rootChanged');
  assert.deepEqual(roots(), [
    { kind: 'rootChanged', rootId: BRIDGE_ID, port: undefined },
    { kind: 'rootChanged', rootId: idOf(2), port: 1 },
  ]);
  owner.tree.configure({ maxAge: 20, helloTime: 2 });
  assert.deepEqual(owner.tree.settings, { priority: 0x8000, helloTime: 2, maxAge: 20, forwardDelay: 15 });
  owner.tree.setUp(1, false);
  assert.deepEqual(roots(), [{ kind: 'rootChanged', rootId: BRIDGE_ID, port: undefined }]);
  assert.deepEqual(owner.tree.bridge.rootTimes, TIMES);
});

test('with the version STP only Configuration BPDUs and TCN BPDUs are sent (17.13.4)', () => {
  const owner = new Owner({ forceVersion: 'stp' });
  owner.add(1);
  owner.tree.checkProtocol(1);
  owner.tick(10);
  const types = new Set(owner.takeFrames().map(({ bpdu }) => bpdu?.type));
  assert.deepEqual([...types], ['config']);
  assert.equal(owner.port(1).mcheck, false, 'a bridge with STP has nothing to check');
  const { config, rst, tcn } = owner.port(1).transmitted;
  assert.ok(config > 4);
  assert.deepEqual([rst, tcn], [0, 0]);
});

test('mcheck asks the neighbours at a port again, and no other port', () => {
  const owner = new Owner();
  for (const port of [1, 2]) owner.add(port);
  owner.tick(4);
  for (const port of [1, 2]) owner.hear(port, { type: 'config', flags: 0, ...vectorOf(9, 0, 9), ...TIMES });
  owner.tick(4);
  assert.deepEqual([owner.port(1).sendRstp, owner.port(2).sendRstp], [false, false]);
  owner.tree.checkProtocol(3);
  owner.tree.checkProtocol(2);
  assert.deepEqual([owner.port(1).sendRstp, owner.port(2).sendRstp], [false, true]);
});

test('the times that are given count, and Transmit Hold Count as well (17.13)', () => {
  const owner = new Owner({ txHoldCount: 1 });
  owner.add(1);
  for (let change = 0; change < 5; change++) owner.tree.configure({ priority: change % 2 === 0 ? 4096 : 8192 });
  assert.equal(owner.takeFrames().length, 1);
  owner.tree.tick();
  assert.equal(owner.takeFrames().length, 1, 'a second later the last state');
});

test('each BPDU is counted once, and those that are not used are counted as discarded', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2, { hasBpduFilter: true });
  owner.tree.addPort(3, DEFAULT_PORT_SETTINGS);
  const counts = (port: number) => ({ ...owner.port(port).received, discarded: owner.port(port).discarded });
  owner.hear(1, { type: 'tcn' });
  owner.hear(1, { type: 'config', flags: 0, ...vectorOf(9, 0, 9), ...TIMES });
  for (let time = 0; time < 3; time++) owner.hear(1, designated(9, 0, 9));
  owner.tree.received(1, new Uint8Array(60), 0, 60);
  assert.deepEqual(counts(1), { tcn: 1, config: 1, rst: 3, discarded: 1 });
  for (const port of [2, 3]) {
    owner.hear(port, designated(1, 0, 1));
    assert.deepEqual(counts(port), { tcn: 0, config: 0, rst: 0, discarded: 1 });
  }
  owner.hear(9, designated(1, 0, 1));
  owner.tree.tick();
  for (let time = 1; time <= 52; time++) owner.hear(1, designated(9, 0, 9));
  assert.deepEqual(counts(1), { tcn: 1, config: 1, rst: 53, discarded: 3 }, 'at most 50 in a second');
});

test('a port that is removed frees its number, and the tree goes on without it', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2);
  owner.hear(1, designated(1, 0, 1));
  assert.equal(owner.tree.bridge.rootPort?.number, 1);
  owner.tree.removePort(1);
  owner.tree.removePort(1);
  assert.equal(owner.tree.bridge.rootPort, undefined);
  assert.deepEqual([...owner.tree.ports.keys()], [2]);
  assert.deepEqual([owner.tree.bridge.pending.size, owner.tree.bridge.dependents.size], [0, 0]);
  owner.states.length = 0;
  owner.hear(1, designated(1, 0, 1));
  for (const call of [() => owner.tree.setUp(1, true), () => owner.tree.configurePort(1, DEFAULT_PORT_SETTINGS)])
    call();
  owner.tick(2);
  assert.ok(owner.states.every((state) => state.startsWith('2')));
  owner.add(5000);
  assert.equal(owner.port(5000).stpNumber, 1);
});

test('a root port that is removed while the machines run is no root port any more', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2, { edge: 'off' });
  owner.hear(1, designated(1, 0, 1));
  owner.onState = (port, state) => {
    if (port !== 2 || state !== 'learning') return;
    owner.states.length = 0;
    owner.onState = () => undefined;
    owner.tree.removePort(1);
  };
  for (let second = 0; second < 40 && owner.tree.ports.has(1); second++) {
    owner.hear(1, designated(1, 0, 1));
    owner.tree.tick();
  }
  assert.equal(owner.tree.ports.has(1), false);
  assert.deepEqual([owner.tree.bridge.rootPort, owner.tree.bridge.rootPriority.rootId], [undefined, BRIDGE_ID]);
  assert.equal(owner.port(2).role, 'designated');
  assert.deepEqual([owner.tree.bridge.pending.size, owner.tree.bridge.dependents.size], [0, 0]);
  assert.deepEqual(
    owner.states.filter((state) => state.startsWith('1')),
    [],
    'its state is not told any more',
  );
});

test('a BPDU that comes while the machines run waits until they have settled', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2);
  owner.tick(2);
  const roots: (bigint | undefined)[] = [];
  owner.onTransmit = () => {
    owner.onTransmit = () => undefined;
    owner.hear(2, designated(1, 0, 1));
    roots.push(owner.tree.bridge.rootPriority.rootId);
  };
  owner.hear(1, designated(2, 0, 2, { flags: 0x3e }));
  assert.deepEqual(roots, [idOf(2)]);
  assert.equal(owner.tree.bridge.rootPort?.number, 2);
});

test('of BPDUs that come while the machines run none is lost', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2, { edge: 'off' });
  owner.tick(40);
  owner.events.length = 0;
  owner.onTransmit = () => {
    owner.onTransmit = () => undefined;
    owner.hear(2, { type: 'tcn' });
    owner.hear(2, designated(1, 0, 1));
  };
  owner.hear(1, designated(2, 0, 2, { flags: 0x3e }));
  assert.deepEqual(
    owner.events.filter((event) => event.kind === 'topologyChange' && event.port === 2),
    [{ kind: 'topologyChange', port: 2, isDetected: false }],
  );
  assert.equal(owner.tree.bridge.rootPort?.number, 2);
});

test('what the owner asks while the machines run is done when they are through', () => {
  const owner = new Owner();
  owner.add(1);
  owner.add(2, { edge: 'on' });
  assert.equal(owner.states.at(-1), '2 forwarding');
  const isDone: boolean[] = [];
  owner.onTransmit = () => {
    owner.onTransmit = () => undefined;
    owner.tree.setUp(2, false);
    isDone.push(owner.states.lastIndexOf('2 discarding') > owner.states.indexOf('2 forwarding'));
  };
  owner.hear(1, designated(1, 0, 1, { flags: 0x3e }));
  assert.deepEqual([isDone, owner.states.at(-1)], [[false], '2 discarding']);
});

test('an owner that changes the link at each change of the state does not occupy the process', () => {
  const owner = new Owner();
  owner.tree.addPort(1, { ...DEFAULT_PORT_SETTINGS, edge: 'on' });
  owner.onState = (port, state) => {
    if (state !== 'learning') owner.tree.setUp(port, state === 'discarding');
  };
  owner.tree.setUp(1, true);
  assert.equal(owner.tree.unsettled, 1);
  assert.ok(owner.states.length < 3000);
  owner.onState = () => undefined;
  owner.tree.setUp(1, false);
  owner.tree.setUp(1, true);
  assert.deepEqual([owner.states.at(-1), owner.tree.unsettled], ['1 forwarding', 1]);
});

test('an owner that wants no events hears of none', () => {
  const ignored = () => undefined;
  const tree = new SpanningTree({ address: ADDRESS }, { transmit: ignored, setState: ignored, flush: ignored });
  tree.addPort(1, { ...DEFAULT_PORT_SETTINGS, hasBpduGuard: true });
  tree.setUp(1, true);
  const frame = encodeBpdu(designated(1, 0, 1), 0x0200_0000_9001 as never);
  tree.received(1, frame, 0, frame.length);
  assert.equal(tree.ports.get(1)?.isGuardTripped, true);
});

test('the BPDU guard is told once, and what comes to a disabled port is discarded', () => {
  const owner = new Owner();
  owner.add(1, { hasBpduGuard: true });
  for (let time = 0; time < 3; time++) owner.hear(1, designated(1, 0, 1));
  assert.deepEqual(owner.events, [{ kind: 'bpduGuard', port: 1 }]);
  assert.deepEqual([owner.port(1).received.rst, owner.port(1).discarded, owner.port(1).role], [1, 2, 'disabled']);
  assert.equal(owner.tree.bridge.rootPriority.rootId, BRIDGE_ID);
  owner.tree.setUp(1, false);
  owner.tree.setUp(1, true);
  assert.equal(owner.port(1).role, 'designated');
});

test('a topology change is counted, and told with its port and how it is known', () => {
  const owner = new Owner();
  owner.add(1, { edge: 'off' });
  owner.add(2, { edge: 'off' });
  owner.tick(40);
  const changes = owner.events.filter(({ kind }) => kind === 'topologyChange');
  assert.deepEqual(
    changes,
    [1, 2].map((port) => ({ kind: 'topologyChange', port, isDetected: true })),
  );
  owner.flushed.length = 0;
  owner.hear(1, { type: 'tcn' });
  assert.deepEqual(owner.events.at(-1), { kind: 'topologyChange', port: 1, isDetected: false });
  assert.deepEqual([owner.flushed, owner.tree.bridge.topologyChanges], [[2], 3]);
});

test('a port without a number takes part as soon as there is one', () => {
  const free: number[] = [];
  const portNumbers: PortNumbers = { take: (_preferred, present) => present ?? free.shift(), free: () => undefined };
  const owner = new Owner({ portNumbers });
  owner.add(1);
  assert.deepEqual([owner.port(1).role, owner.takeFrames()], ['disabled', []]);
  free.push(9);
  owner.tree.renumber();
  const [sent] = owner.takeFrames();
  assert.ok(sent?.bpdu !== undefined && sent.bpdu.type === 'rst');
  assert.deepEqual([sent.bpdu.portId, owner.port(1).role], [0x8009, 'designated']);
  owner.tree.renumber();
  assert.equal(owner.port(1).stpNumber, 9);
  assert.deepEqual(owner.takeFrames(), []);
});

test('machines that have settled have nothing to do when they run again', () => {
  const owner = new Owner();
  owner.add(1);
  owner.hear(1, designated(1, 0, 1));
  assert.equal(owner.tree.runAll(), false);
  assert.equal(owner.tree.bridge.pending.size, 0);
  owner.port(1).rcvdInfoWhile = 0;
  assert.equal(owner.tree.runAll(), true);
});

test('a bridge that is of one node hears of no others', () => {
  const owner = new Owner();
  owner.add(1);
  owner.takeFrames();
  owner.tree.nodeUp('a');
  owner.tree.nodeWithoutTree('a');
  owner.tree.reportReceived('a', new Uint8Array(200).fill(1));
  owner.tree.nodeDown('a');
  assert.deepEqual([owner.takeFrames(), owner.tree.bridge.rootPriority.rootId], [[], BRIDGE_ID]);
});
