import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PORT_SETTINGS } from '../../src/bridge/spanning-tree/settings.ts';
import { SpanningTree } from '../../src/bridge/spanning-tree/spanning-tree.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { missingTools } from '../support/tools.ts';
import { OVS_TOOLS, OvsProcess } from './ovs-process.ts';
import { readFrames } from './ovs-world.ts';

const skip = missingTools(...OVS_TOOLS);
const BRIDGE = 'br0';
const TURNS = 20;

/** Our spanning tree and a bridge of Open vSwitch with RSTP, connected by two links, on one virtual clock. */
class TwoBridges {
  readonly states = new Map<number, string>();
  readonly ovs: OvsProcess;
  readonly tree: SpanningTree;
  #sending: Promise<unknown> = Promise.resolve();

  private constructor(ovs: OvsProcess, priority: number) {
    this.ovs = ovs;
    this.tree = new SpanningTree(
      { address: 0x0200_0000_1000 as MacAddress, priority },
      {
        transmit: (port, frame) => {
          const hex = Buffer.from(frame).toString('hex');
          this.#sending = this.#sending.then(() => ovs.appctl('netdev-dummy/receive', `p${port}`, hex));
        },
        setState: (port, state) => void this.states.set(port, state),
        flush: () => undefined,
      },
    );
  }

  static async open(ovs: OvsProcess, priority: number): Promise<TwoBridges> {
    const args = ['add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=dummy', 'rstp_enable=true'];
    args.push('other_config:hwaddr=02:00:00:00:20:00', 'other_config:rstp-priority=32768');
    args.push('--', 'set', 'port', BRIDGE, 'other_config:rstp-enable=false');
    for (const name of ['p1', 'p2']) {
      args.push('--', 'add-port', BRIDGE, name, '--', 'set', 'Interface', name, 'type=dummy');
      args.push(`options:pstream=punix:${ovs.directory}/${name}.sock`, `ofport_request=${name.slice(1)}`);
      args.push(
        '--',
        'set',
        'port',
        name,
        'other_config:rstp-path-cost=20000',
        `other_config:rstp-port-num=${name.slice(1)}`,
      );
    }
    await ovs.vsctl(...args);
    await ovs.appctl('time/stop');
    const both = new TwoBridges(ovs, priority);
    for (const port of [1, 2]) {
      readFrames(await ovs.farEnd(`p${port}.sock`), (frame) => both.tree.received(port, frame, 0, frame.length));
      both.tree.addPort(port, DEFAULT_PORT_SETTINGS);
      await both.setLink(port, true);
    }
    return both;
  }

  async setLink(port: number, isUp: boolean): Promise<void> {
    await this.ovs.appctl('netdev-dummy/set-admin-state', `p${port}`, isUp ? 'up' : 'down');
    this.tree.setUp(port, isUp);
  }

  /** Lets time pass for both, and carries what they send. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.tree.tick();
      for (let turn = 0; turn < TURNS; turn++) {
        await this.#sending;
        await this.ovs.appctl('time/warp', String(1000 / TURNS));
      }
    }
  }

  /** `ROLE STATE` of the ports of Open vSwitch. */
  async theirs(): Promise<string[]> {
    const shown = await this.ovs.appctl('rstp/show', BRIDGE);
    return ['p1', 'p2'].map((name) => {
      const [, role = '', state = ''] = new RegExp(`^\\s*${name}\\s+(\\w+)\\s+(\\w+)`, 'm').exec(shown) ?? [];
      return `${role} ${state}`.toLowerCase();
    });
  }

  ours(): string[] {
    return [1, 2].map((port) => `${this.tree.ports.get(port)?.role} ${this.states.get(port)}`);
  }
}

const ROOT = ['designated forwarding', 'designated forwarding'];
const LEAF = ['root forwarding', 'alternate discarding'];

for (const [name, priority, ours, theirs] of [
  ['we are the root', 4096, ROOT, LEAF],
  ['Open vSwitch is the root', 61_440, LEAF, ROOT],
] as const) {
  test(`RSTP with Open vSwitch over two links: ${name}`, { skip }, async (t) => {
    const ovs = await OvsProcess.start();
    t.after(() => ovs.close());
    const both = await TwoBridges.open(ovs, priority);
    await both.pass(10);
    assert.deepEqual([both.ours(), await both.theirs()], [ours, theirs]);
    assert.ok((both.tree.ports.get(1)?.received.rst ?? 0) > 0, 'they speak RSTP');
    await both.setLink(1, false);
    await both.pass(1);
    const isLeaf = ours === LEAF;
    assert.equal(both.ours()[1], isLeaf ? 'root forwarding' : 'designated forwarding');
    assert.equal((await both.theirs())[1], isLeaf ? 'designated forwarding' : 'root forwarding');
    assert.equal(both.tree.unsettled, 0);
  });
}
