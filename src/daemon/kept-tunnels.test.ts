import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { PortRecorder } from '../../test/support/port-recorder.ts';
import { RoamingNode, TestNodes } from '../../test/support/roaming-node.ts';
import { until } from '../../test/support/waits.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import { SILENT } from '../observability/logger.ts';
import { dialTunnel } from '../ports/tunnel/dial/dial-tunnel.ts';
import { ResumeTicket, RoamingToken } from '../ports/tunnel/resume/resume-ticket.ts';
import type { TunnelPort } from '../ports/tunnel/tunnel-port.ts';
import { StateFile } from '../runtime/state-file.ts';
import { KeptTunnels } from './kept-tunnels.ts';

describe('a node with a state file that was killed, and whose client is at another node since', () => {
  let hub: MemoryHub;
  let nodes: TestNodes;
  let directory: string;
  let ends: (() => Promise<void>)[];

  beforeEach(async () => {
    hub = new MemoryHub();
    nodes = new TestNodes();
    directory = await mkdtemp(join(tmpdir(), 'etherws-kept-'));
    ends = [];
  });

  afterEach(async () => {
    for (const end of ends.reverse()) await end();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(name: string, store = new MemoryStore(hub)): Promise<RoamingNode> {
    if (store.isConnected) await store.table('sessions').whenLoaded();
    const node = new RoamingNode(store, nodes.of(name));
    await node.start();
    nodes.set(...nodes.alive, name);
    ends.push(async () => {
      await node.kill();
      await store.close();
    });
    return node;
  }

  async function enter({ url }: RoamingNode, ticket: ResumeTicket): Promise<TunnelPort> {
    const tunnel = await dialTunnel({ url, ticket });
    tunnel.open(new PortRecorder());
    ends.push(() => tunnel.close());
    return tunnel;
  }

  const rowNode = (): unknown =>
    [...hub.entries('sessions')].map(({ value }) => (value as { node?: string } | undefined)?.node).join();

  /** The client was at `a`, and is at `b`; the file has what `a` kept before. */
  async function moved(): Promise<{ b: RoamingNode; path: string }> {
    const [a, b] = [await start('a'), await start('b')];
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket);
    await until(() => rowNode() === 'a');
    const [row] = hub.entries('sessions');
    assert.ok(row !== undefined);
    const { target, address, latest } = row.value as Record<string, string>;
    const tunnels = [{ number: 1, target, address, latest, session: row.key, shut: false }];
    const path = join(directory, 'state');
    writeFileSync(path, JSON.stringify({ version: 1, sections: { tunnels } }), { mode: 0o600 });
    await enter(b, ticket);
    await until(() => a.etherSwitch.ports.size === 0 && rowNode() === 'b');
    await ends.shift()?.();
    return { b, path };
  }

  async function restore(node: RoamingNode, path: string): Promise<StateFile> {
    const { server, etherSwitch, roaming } = node;
    const state = await StateFile.open(path, { soonMs: 1 });
    const kept = new KeptTunnels({
      ...{ state, server, etherSwitch, roaming, ports: [], logger: SILENT },
      attach: (port, user, facts, more = {}) =>
        etherSwitch.attach(port, {
          ...more,
          network: facts.network,
          user,
          attached: (bridgePort) => roaming.attached(bridgePort, user, facts),
          dropped: (bridgePort) => roaming.dropped(bridgePort),
        }),
    });
    kept.restore();
    ends.push(() => state.close());
    return state;
  }

  const isUp = (node: RoamingNode): boolean =>
    [...node.etherSwitch.ports.values()].some((port) => port.link === 'up') && node.etherSwitch.ports.size === 1;

  test('leaves it there, and forgets it', async () => {
    const { b, path } = await moved();
    const again = await start('a');
    const state = await restore(again, path);
    assert.equal(again.etherSwitch.ports.size, 0);
    await again.roaming.flush();
    await state.write();
    assert.deepEqual(state.read('tunnels'), []);
    assert.equal(rowNode(), 'b');
    assert.ok(isUp(b));
  });

  test('leaves it there, when the store comes after the start', async () => {
    const { b, path } = await moved();
    const store = new MemoryStore(hub);
    store.setConnected(false);
    const again = await start('a', store);
    const state = await restore(again, path);
    assert.equal(again.etherSwitch.ports.size, 1, 'it cannot know that the client is elsewhere');
    store.setConnected(true);
    await until(() => again.etherSwitch.ports.size === 0);
    await again.roaming.flush();
    await state.write();
    assert.deepEqual(state.read('tunnels'), []);
    assert.equal(rowNode(), 'b');
    assert.ok(isUp(b));
  });
});
