import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { StpEntry } from '../../src/control/stp-entries.ts';
import type { ClusterNode } from '../support/cluster/node.ts';
import { Station } from '../support/cluster/station.ts';
import { type ClusterLab, openClusterLab } from '../support/cluster-lab.ts';
import { eventually } from '../support/etherws.ts';
import { FramesUnderWay, type SentNumbers } from '../support/frames-under-way.ts';
import type { Host } from '../support/namespaces.ts';
import { OVS_HOST_TOOLS, OvsHost } from '../support/ovs-host.ts';

/*
 * A bridge of another maker that is joined to two nodes of a cluster, which are one bridge of the spanning tree:
 *
 *   station 1 ─ r1 ══ mesh ══ r2 ─ station 2
 *                 ╲        ╱
 *               a1 ╲      ╱ b1
 *                   bridge ─ station 9
 */

/** Forward delay is 4 s, max age 6 s. */
const TIMES = ['--hello-time', '1', '--max-age', '6', '--forward-delay', '4'];
/** For so long stations send while nothing changes, so that a frame that comes twice is seen. */
const STEADY_MS = 2000;
const SETTLED_MS = 60_000;
const PERIOD_MS = 25;
/** A tunnel, and a bridge in user space, hold a frame back for so long on a busy machine. */
const LAG_MS = 1000;

async function treeOf(node: ClusterNode): Promise<StpEntry> {
  const { entries } = await node.call<{ entries: StpEntry[] }>('listStp');
  const [entry] = entries;
  assert.ok(entry !== undefined);
  return entry;
}

/** The role and state of the ports of both nodes to the bridge. */
async function rolesOf(lab: ClusterLab): Promise<string> {
  const roles = await Promise.all(
    lab.nodes.map(async (node) => {
      const { ports } = await treeOf(node);
      const uplink = ports.find(({ portName }) => portName === 'uplink');
      return uplink === undefined ? 'none' : `${uplink.role} ${uplink.state}`;
    }),
  );
  return roles.join(', ');
}

interface Site {
  readonly lab: ClusterLab;
  readonly host: Host;
  readonly stations: readonly Station[];
  readonly underWay: FramesUnderWay;
}

/** @param build makes the bridge of the devices `a1` and `b1` of a host, and `br0`, at which the station is */
async function openSite(
  t: TestContext,
  priority: number,
  build: (host: Host, directory: string) => Promise<void>,
  ...tools: readonly string[]
): Promise<Site | undefined> {
  const lab = await openClusterLab(t, { sites: 2 }, ...tools);
  if (lab === undefined) return undefined;
  const host = await lab.lab.host('bridge');
  for (const [number, cable] of [
    [1, 'a1'],
    [2, 'b1'],
  ] as const) {
    await lab.lab.link(
      { host: lab.site(number).host, device: 'cab', addresses: [] },
      { host, device: cable, addresses: [] },
    );
  }
  const directory = join(lab.lab.directory, 'bridge');
  mkdirSync(directory);
  await build(host, directory);
  await lab.startNodes();
  for (const node of lab.nodes) {
    await node.switch.done('setnet', 'default', '--stp', 'on', '--priority', String(priority), ...TIMES);
    await node.switch.done('addport', 'netdev', 'cab', '--name', 'uplink', '--path-cost', '2000');
  }
  await lab.whole();
  const ids = [1, 2, 9];
  const stations = [
    new Station(lab.placeAt(1), 'eth0', 1, ids, PERIOD_MS),
    new Station(lab.placeAt(2), 'eth0', 2, ids, PERIOD_MS),
    new Station(host, 'br0', 9, ids, PERIOD_MS),
  ];
  await Promise.all(stations.map((station) => station.ready()));
  return { lab, host, stations, underWay: new FramesUnderWay(LAG_MS / PERIOD_MS) };
}

/** Waits until each station hears each other one again. */
async function allHear({ stations }: Site): Promise<void> {
  const heard = async (): Promise<boolean> => {
    const before = await Promise.all(stations.map((station) => station.report()));
    await delay(500);
    const after = await Promise.all(stations.map((station) => station.report()));
    const last = (report: (typeof before)[number], id: number) => {
      const ranges = Object.entries(report.heard).flatMap(([key, each]) => (key.startsWith(`${id}`) ? each : []));
      return Math.max(-1, ...ranges.map(([, to]) => to));
    };
    return stations.every(({ id }, at) =>
      stations.every((other) => {
        if (other.id === id) return true;
        return last(after[at] as never, other.id) > last(before[at] as never, other.id);
      }),
    );
  };
  await eventually(heard, (isSo) => isSo, SETTLED_MS);
}

async function sentBy({ stations }: Site): Promise<SentNumbers> {
  return new Map(await Promise.all(stations.map(async (each) => [`${each.id}`, (await each.report()).sent] as const)));
}

/** Makes a change, waits until the tree has its new shape, and notes which frames were sent meanwhile. */
async function change(site: Site, make: () => Promise<void>): Promise<void> {
  const before = await sentBy(site);
  await make();
  await allHear(site);
  site.underWay.changed(before, await sentBy(site));
}

/** No frame is heard twice, but for those that were under way while the tree changed. */
async function noneTwice({ stations, underWay }: Site, what: string): Promise<void> {
  await delay(STEADY_MS);
  for (const station of stations) {
    const { twice } = await station.report();
    assert.deepEqual(underWay.faults(twice), [], `${what}: heard twice by station ${station.id}`);
  }
}

/** Waits until the ports to the bridge have these roles and states. */
async function shaped({ lab }: Site, settled: string): Promise<void> {
  await eventually(
    () => rolesOf(lab),
    (roles) => roles === settled,
    SETTLED_MS,
  );
}

/** Cuts both links in turn, and the mesh stays. */
async function cutEach(site: Site, settled: string): Promise<void> {
  const { lab } = site;
  for (const number of [1, 2]) {
    const { host } = lab.site(number);
    await change(site, async () => {
      await host.check(['ip', 'link', 'set', 'cab', 'down']);
    });
    await noneTwice(site, `without the link to r${number}`);
    await change(site, async () => {
      await host.check(['ip', 'link', 'set', 'cab', 'up']);
      await shaped(site, settled);
    });
    await noneTwice(site, `with the link to r${number} again`);
  }
}

/** The bridge of Linux, which knows STP. */
function kernelBridge(priority: number) {
  return async (host: Host): Promise<void> => {
    const times = ['forward_delay', '400', 'max_age', '600', 'hello_time', '100', 'priority', String(priority)];
    const options = ['type', 'bridge', 'stp_state', '1', 'mcast_snooping', '0', ...times];
    await host.check(['ip', 'link', 'add', 'br0', ...options]);
    for (const end of ['a1', 'b1']) await host.check(['ip', 'link', 'set', end, 'master', 'br0', 'up']);
    await host.check(['ip', 'link', 'set', 'br0', 'address', '02:00:00:00:01:09', 'up']);
  };
}

/** Open vSwitch, which knows RSTP. */
function openVSwitch(priority: number) {
  return async (host: Host, directory: string): Promise<void> => {
    const ovs = await OvsHost.start(host, directory);
    const address = 'other-config:hwaddr="02:00:00:00:01:09"';
    const rstp = [`other-config:rstp-priority=${priority}`, 'other-config:rstp-forward-delay=4'];
    const times = ['other-config:rstp-max-age=6', 'other-config:rstp-hello-time=1'];
    const bridge = [
      '--',
      'set',
      'bridge',
      'br0',
      'datapath_type=netdev',
      address,
      'rstp_enable=true',
      ...rstp,
      ...times,
    ];
    await ovs.vsctl('add-br', 'br0', ...bridge);
    for (const end of ['a1', 'b1']) await ovs.vsctl('add-port', 'br0', end);
    await host.check(['ip', 'link', 'set', 'br0', 'up']);
  };
}

const BRIDGES = { 'the bridge of Linux (STP)': kernelBridge, 'Open vSwitch (RSTP)': openVSwitch };

for (const [name, bridgeOf] of Object.entries(BRIDGES)) {
  const tools = bridgeOf === openVSwitch ? OVS_HOST_TOOLS : ['ip'];

  test(`${name} at two nodes of a cluster that is the root: no loop, no frame twice, each link cut in turn`, async (t) => {
    const site = await openSite(t, 4096, bridgeOf(32_768), ...tools);
    if (site === undefined) return;
    const settled = 'designated forwarding, designated forwarding';
    await change(site, () => shaped(site, settled));
    await noneTwice(site, 'at first');
    const trees = await Promise.all(site.lab.nodes.map(treeOf));
    assert.equal(trees[0]?.bridgeId, trees[1]?.bridgeId);
    assert.deepEqual(
      trees.map(({ rootPort }) => rootPort),
      [null, null],
    );
    await cutEach(site, settled);
  });

  test(`${name} as the root at two nodes of a cluster: one node has the root port, the other one blocks`, async (t) => {
    const site = await openSite(t, 32_768, bridgeOf(4096), ...tools);
    if (site === undefined) return;
    const settled = 'root forwarding, alternate discarding';
    await change(site, () => shaped(site, settled));
    await noneTwice(site, 'at first');
    const [one, two] = (await Promise.all(site.lab.nodes.map(treeOf))) as [StpEntry, StpEntry];
    assert.deepEqual([one.rootNode, two.rootNode], [null, 'r1']);
    assert.deepEqual([two.rootPort, two.rootCost, two.rootId], [one.rootPort, one.rootCost, one.rootId]);
    const shown = await site.lab.node(2).switch.done('liststp');
    assert.ok(shown.includes(` by port r1/${one.rootPort} at cost 2000`), shown);
    await cutEach(site, settled);
  });
}
