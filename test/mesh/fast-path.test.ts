import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MeshEntity } from '../../src/networks/mesh/mesh-entity.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { NativeTransport } from '../../src/ports/stream/native-transport.ts';
import { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../src/wire/ethernet/vid.ts';
import { CountingBridge, nativePair, nativeTunnel, stationFrame } from '../support/fast-lab.ts';
import { PortRecorder } from '../support/port-recorder.ts';
import { until } from '../support/waits.ts';

/** A node with the tunnel of one client, and the client's end of it. */
class Node {
  readonly world = new CountingBridge();
  readonly mesh: MeshEntity;
  readonly heard = new PortRecorder();
  #client: TunnelPort | undefined;

  constructor(name: string, timers: NodeJS.Timeout[]) {
    const { bridge } = this.world;
    this.mesh = new MeshEntity({
      network: 'lab',
      address: (0x02ff_0000_0000 + name.charCodeAt(0)) as MacAddress,
      bridge,
      logger: SILENT,
      nowMs: () => performance.now(),
      labelsOf: () => ({}),
      portCalled: () => undefined,
      wakeBy: () => undefined,
      publish: () => undefined,
      portChanged: () => undefined,
    });
    this.mesh.setSelf(name);
    timers.push(setInterval(() => this.mesh.tick(performance.now()), 10));
  }

  async addClient(t: TestContext): Promise<void> {
    const { client, server } = await nativeTunnel();
    t.after(() => Promise.all([client.close(), server.close()]));
    client.open(this.heard);
    this.world.attach(server);
    this.#client = client;
  }

  addMesh(t: TestContext, port: TunnelPort): BridgePort {
    t.after(() => port.close());
    const bridgePort = this.world.attach(port);
    this.mesh.portAdded(bridgePort);
    return bridgePort;
  }

  send(...frames: readonly Buffer[]): void {
    const batch = batchOf(...frames);
    for (let index = 0; index < batch.count; index++) assert.equal(this.#client?.send(batch, index), undefined);
    this.#client?.flush(false);
  }
}

async function open(t: TestContext): Promise<{ a: Node; b: Node; mesh: BridgePort }> {
  const timers: NodeJS.Timeout[] = [];
  t.after(() => timers.forEach(clearInterval));
  const [a, b] = [new Node('a', timers), new Node('b', timers)];
  await a.addClient(t);
  await b.addClient(t);
  const { accepted, dialled } = await nativePair();
  const toNode = (socket: typeof accepted, type: 'client' | 'server', meshNode: string): TunnelPort => {
    const transport = NativeTransport.adopt(socket, Buffer.alloc(0));
    assert.ok(transport !== undefined);
    const limits = { closeTimeoutMs: 200 };
    return new TunnelPort({ type, target: meshNode, transport, wire: 'batched', limits, meshNode });
  };
  const mesh = a.addMesh(t, toNode(dialled, 'client', 'b'));
  b.addMesh(t, toNode(accepted, 'server', 'a'));
  return { a, b, mesh };
}

const [ADA, BEN] = [1, 2];
const BEN_ADDRESS = 0x0200_0000_0002 as MacAddress;

test('a flow from a client of one node to a client of another one passes both bridges by', async (t) => {
  const { a, b, mesh } = await open(t);
  b.send(stationFrame(BEN, ADA, 0));
  await until(() => a.world.bridge.entries.find(UNTAGGED, BEN_ADDRESS)?.kind === 'told');
  assert.equal(a.world.bridge.lookup(UNTAGGED, BEN_ADDRESS, performance.now()), mesh);
  let number = 0;
  const send = async (node: Node, to: Node, from: number, at: number): Promise<void> => {
    const frames = Array.from({ length: 8 }, () => stationFrame(from, at, ++number));
    const before = to.heard.frames.length;
    node.send(...frames);
    await until(() => to.heard.frames.length >= before + frames.length);
    assert.deepEqual(to.heard.frames.slice(-frames.length), frames);
  };
  for (let round = 0; round < 3; round++) {
    await send(a, b, ADA, BEN);
    await send(b, a, BEN, ADA);
  }
  const seen = [a.world.frames, b.world.frames];
  for (let round = 0; round < 10; round++) {
    await send(a, b, ADA, BEN);
    await send(b, a, BEN, ADA);
  }
  const passed = 160 - (a.world.frames - (seen[0] as number));
  const passedB = 160 - (b.world.frames - (seen[1] as number));
  t.diagnostic(`of 160 frames passed by: ${passed} at one node, ${passedB} at the other`);
  // A flow lives for a second, and messages of the mesh come between.
  assert.ok(passed > 100 && passedB > 100, `${passed} and ${passedB} of 160 passed by`);

  // The station moves: the next frame goes to its new node only, not by the former flow.
  a.send(stationFrame(BEN, 9, ++number));
  await until(() => b.world.bridge.entries.find(UNTAGGED, BEN_ADDRESS)?.kind === 'told');
  const before = b.heard.frames.length;
  a.send(stationFrame(ADA, BEN, ++number));
  await until(() => a.world.bridge.entries.find(UNTAGGED, BEN_ADDRESS)?.kind === 'learned');
  assert.equal(b.heard.frames.length, before);
});
