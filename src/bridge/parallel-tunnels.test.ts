import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../wire/ethernet/vid.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort } from './bridge-port.ts';
import type { Port, Tunnel, TunnelPeer } from './port.ts';

const SILENT_EVENTS = { linkChanged: () => undefined, discarded: () => undefined };
const FAR = 'f'.repeat(22);

/** A bridge whose ports lead to switches that the test names. */
class Bench {
  readonly said: string[] = [];
  readonly announced: string[] = [];
  readonly bridge: Bridge = new Bridge({
    parallel: {
      standsBy: (port, active) => this.said.push(`${port.number} stands by for ${active.number}`),
      takesOver: (port, former) => this.said.push(`${port.number} takes over from ${former.number}`),
    },
  });

  attach(rank: number, peer: Partial<TunnelPeer> = {}): BridgePort {
    const tunnelId = `tunnel-${rank}`;
    const tunnel: Tunnel = {
      peer: { instance: FAR, tunnelId, rank, isParallelAllowed: false, isDialled: false, user: null, ...peer },
      announceLoss: (lost) => this.announced.push(`${lost} by ${tunnelId}`),
      abandon: () => undefined,
    };
    return this.bridge.attach(Object.assign(new MemoryPort(), { tunnel }) as Port);
  }

  get states(): string[] {
    return [...this.bridge.ports.values()].map(({ number, standsByFor, isForwarding }) =>
      isForwarding ? `${number} forwards` : `${number} for ${standsByFor?.number}`,
    );
  }
}

describe('of several tunnels to one switch', () => {
  test('the oldest forwards, in whatever order they become known', () => {
    for (const ranks of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
    ]) {
      const bench = new Bench();
      const ports = ranks.map((rank) => bench.attach(rank));
      const oldest = ports[ranks.indexOf(1)];
      for (const port of ports) assert.equal(port.standsByFor, port === oldest ? undefined : oldest);
      assert.deepEqual(bench.announced, []);
    }
  });

  test('of the same rank that with the lower id', () => {
    for (const ids of ['ab', 'ba']) {
      const bench = new Bench();
      const ports = new Map([...ids].map((tunnelId) => [tunnelId, bench.attach(1, { tunnelId })]));
      assert.deepEqual([ports.get('b')?.standsByFor, ports.get('a')?.standsByFor], [ports.get('a'), undefined]);
    }
  });

  test('a frame to a station that is set at one that stands by is a discard there', () => {
    const bench = new Bench();
    const [, standby] = [bench.attach(1), bench.attach(2)];
    const from = bench.bridge.attach(new MemoryPort());
    bench.bridge.entries.set(UNTAGGED, 0x0200_0000_0001 as MacAddress, standby, 'static', 0);
    bench.bridge.receive(from, batchOf(Buffer.from(`02000000000102000000000288b5${'00'.repeat(46)}`, 'hex')), 0);
    assert.deepEqual([standby.tx.discards.standby, standby.tx.discarded], [1, 1]);
  });

  test('ids have no say where ranks differ', () => {
    const bench = new Bench();
    bench.attach(2, { tunnelId: 'a' });
    bench.attach(1, { tunnelId: 'b' });
    assert.deepEqual(bench.states, ['1 for 2', '2 forwards']);
  });

  test('one that is lost stands by again when it is back, and one that is shut stands by for none', () => {
    const bench = new Bench();
    const [first, second] = [bench.attach(1), bench.attach(2)];
    bench.bridge.setLink(second, 'up');
    bench.bridge.setLink(first, 'away', 'lost');
    bench.bridge.setLink(first, 'up');
    const said = ['2 stands by for 1', '2 takes over from 1', '2 stands by for 1'];
    assert.deepEqual([bench.said, second.standsByFor], [said, first]);
    bench.bridge.setShut(second, true);
    assert.equal(second.standsByFor, undefined);
  });

  test('the port of a tunnel is found by its id, as long as it has the tunnel', () => {
    const bench = new Bench();
    const [first, second] = [bench.attach(1), bench.attach(2)];
    const found = (): unknown[] => [1, 2, 3].map((rank) => bench.bridge.portOfTunnel(`tunnel-${rank}`));
    assert.deepEqual(found(), [first, second, undefined]);
    bench.bridge.detach(first);
    assert.deepEqual(found(), [undefined, second, undefined]);
  });

  test('the next one takes over, and tells by itself which is lost', () => {
    const bench = new Bench();
    const [first, second, third] = [bench.attach(1), bench.attach(2), bench.attach(3)];
    bench.bridge.setLink(first, 'away', 'lost');
    assert.deepEqual([second.standsByFor, third.standsByFor], [undefined, second]);
    bench.bridge.setShut(second, true);
    assert.equal(third.standsByFor, undefined);
    bench.bridge.detach(third);
    assert.deepEqual(bench.said, [
      '2 stands by for 1',
      '3 stands by for 1',
      '2 takes over from 1',
      '3 stands by for 2',
      '3 takes over from 2',
    ]);
    assert.deepEqual(bench.announced, ['tunnel-1 by tunnel-2', 'tunnel-2 by tunnel-3']);
  });

  test('frames neither leave by the others nor enter there, and nothing is learned from them', () => {
    const bench = new Bench();
    const [, second] = [bench.attach(1), bench.attach(2)];
    const station = new MemoryPort();
    const [sent, heard]: [Buffer[], Buffer[]] = [[], []];
    station.onFrames((frames) => heard.push(...frames));
    (second.port as MemoryPort).onFrames((frames) => sent.push(...frames));
    const [from, to] = [bench.bridge.attach(station), bench.bridge.attach(new MemoryPort())];
    for (const { port } of [second, from, to]) port.open({ receive: () => undefined, ...SILENT_EVENTS });
    const broadcast = Buffer.alloc(60, 0xff).fill(2, 6, 12);
    bench.bridge.receive(second, batchOf(broadcast), 0);
    assert.deepEqual([heard.length, bench.bridge.fdbSize, second.rx.discards.standby, second.rx.frames], [0, 0, 1, 0]);
    bench.bridge.receive(from, batchOf(broadcast), 0);
    assert.deepEqual([sent.length, second.tx.frames, to.tx.frames], [0, 0, 1]);
  });

  test('what was learned behind one that begins to stand by, or that is lost, is forgotten', () => {
    const bench = new Bench();
    const [station, second] = [bench.bridge.attach(new MemoryPort()), bench.attach(2)];
    const hear = (port: BridgePort, source: number): void => {
      const frame = Buffer.from(`ffffffffffff02000000000${source}88b5`, 'hex');
      bench.bridge.receive(port, batchOf(frame), 0);
    };
    const known = (): string[] =>
      [...bench.bridge.fdbEntries(0)].map(({ mac, port }) => `${mac & 15} at ${port.number}`);
    hear(station, 1);
    hear(second, 2);
    const first = bench.attach(1);
    assert.deepEqual(known(), ['1 at 1'], 'port 2 stands by');
    hear(first, 3);
    bench.bridge.setLink(first, 'away', 'lost');
    assert.deepEqual(known(), ['1 at 1'], 'port 2 takes over');
  });

  test('while an entity such as spanning tree decides none stands by, and later they do again', () => {
    const bench = new Bench();
    const entity = { addresses: 0, received: () => false, decidesParallel: true };
    bench.attach(1);
    bench.attach(2);
    bench.said.length = 0;
    bench.bridge.addProtocol(entity);
    assert.deepEqual(bench.states, ['1 forwards', '2 forwards']);
    bench.attach(3);
    bench.bridge.addProtocol({ ...entity, decidesParallel: false });
    assert.deepEqual(bench.states, ['1 forwards', '2 forwards', '3 forwards']);
    assert.deepEqual([bench.said, bench.announced], [[], []], 'and no event tells of it');
    assert.equal(bench.bridge.portOfTunnel('tunnel-1'), undefined);
    bench.bridge.removeProtocol(entity);
    assert.deepEqual(bench.states, ['1 forwards', '2 for 1', '3 for 1']);
    assert.deepEqual(bench.said, ['2 stands by for 1', '3 stands by for 1']);
    bench.bridge.addProtocol({ ...entity, decidesParallel: false });
    assert.equal(bench.said.length, 2, 'nothing has changed for tunnels');
    bench.bridge.addProtocol(entity);
    for (const port of bench.bridge.ports.values()) bench.bridge.detach(port);
    bench.attach(4);
    bench.bridge.removeProtocol(entity);
    assert.deepEqual(bench.states, ['4 forwards'], 'what has gone meanwhile has no say');
  });

  test('a bridge without listeners changes places all the same', () => {
    const bridge = new Bridge();
    const [first, second] = [1, 2].map((rank) => {
      const peer = { instance: FAR, tunnelId: `${rank}`, rank, isParallelAllowed: false, isDialled: false, user: null };
      const tunnel: Tunnel = { peer, announceLoss: () => undefined, abandon: () => undefined };
      return bridge.attach(Object.assign(new MemoryPort(), { tunnel }) as Port);
    }) as [BridgePort, BridgePort];
    assert.equal(second.standsByFor, first);
    bridge.detach(first);
    assert.equal(second.standsByFor, undefined);
  });

  test('those of two users are of two switches; that which we dialled is of either', () => {
    const bench = new Bench();
    bench.attach(1, { user: 'ann' });
    bench.attach(2, { user: 'bob' });
    bench.attach(3, { user: 'ann' });
    bench.attach(4, { isDialled: true });
    assert.deepEqual(bench.states, ['1 forwards', '2 forwards', '3 for 1', '4 for 1']);
  });

  test('those to another switch, those that may be parallel, and ports without a peer have no say', () => {
    const bench = new Bench();
    bench.attach(1);
    bench.attach(2, { instance: 'o'.repeat(22) });
    bench.attach(3, { isParallelAllowed: true });
    bench.bridge.attach(new MemoryPort());
    assert.deepEqual(bench.states, ['1 forwards', '2 forwards', '3 forwards', '4 forwards']);
  });
});
