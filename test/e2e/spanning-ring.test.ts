import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StpEntry } from '../../src/control/stp-entries.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { FramesUnderWay, type HeardAgain, type SentNumbers } from '../support/frames-under-way.ts';
import { openTapLab } from '../support/lab-test.ts';
import type { Host, Lab } from '../support/namespaces.ts';
import { OVS_HOST_TOOLS, OvsHost } from '../support/ovs-host.ts';
import type { Process } from '../support/process.ts';
import { until } from '../support/waits.ts';

/*
 * A ring of bridges of three makers: one of etherws, a tunnel, another one of etherws, Open vSwitch, the kernel's bridge, and
 * back. A station at each bridge broadcasts numbered frames all the time, and none may come twice, but for those that were under
 * way when a link or a bridge was cut. Each link and each bridge is cut in turn.
 *
 *   one ═ tunnel ═ two ─ ovs ─ kernel ─ one
 */

const PROGRAM = fileURLToPath(new URL('../../../test/e2e/programs/numbered_frames.py', import.meta.url));
const PERIOD_MS = 40;
/** A tunnel, and a bridge in user space, hold a frame back for so long on a busy machine. */
const LAG_MS = 1000;
/** The least that the standard allows beside a hello time of 1 s (IEEE 802.1D-2004, 17.14), in seconds. */
const TIMES = { hello: 1, maxAge: 6, forwardDelay: 4 };
/** An old bridge needs max age and twice the forward delay; twice that on a busy machine. */
const SETTLED_MS = 2 * (TIMES.maxAge + 2 * TIMES.forwardDelay) * 1000;

type Place = 'one' | 'two' | 'ovs' | 'kernel';
const PLACES: readonly Place[] = ['one', 'two', 'ovs', 'kernel'];

/** What numbered_frames.py prints. */
interface Report {
  readonly sent: number;
  readonly heard: Readonly<Record<string, readonly [last: number, frames: number]>>;
  readonly twice: readonly HeardAgain[];
}

class Station {
  readonly id: string;
  readonly #process: Process;
  report: Report = { sent: 0, heard: {}, twice: [] };
  #reports = 0;

  constructor(host: Host, id: number) {
    this.id = String(id);
    const command = ['python3', PROGRAM, 'eth0', this.id, String(PERIOD_MS)];
    this.#process = host.spawn(command, { isInteractive: true, timeoutMs: 600_000 });
    this.#process.onLine((line) => {
      this.report = JSON.parse(line) as Report;
      this.#reports++;
    });
  }

  /** Waits for a report that was made behind the call: the next one may have been made before. */
  async reported(): Promise<void> {
    const next = this.#reports + 2;
    await until(() => this.#reports >= next);
  }
}

/** The bridges, their links and their stations. */
class Ring {
  readonly stations: readonly Station[];
  readonly ovs: OvsHost;
  readonly #hosts: Readonly<Record<Place, Host>>;
  readonly #underWay = new FramesUnderWay(LAG_MS / PERIOD_MS);
  #one: EtherwsSwitch;
  #two: EtherwsSwitch;

  private constructor(hosts: Record<Place, Host>, stations: Station[], ovs: OvsHost, etherws: EtherwsSwitch[]) {
    this.#hosts = hosts;
    this.stations = stations;
    this.ovs = ovs;
    [this.#one, this.#two] = etherws as [EtherwsSwitch, EtherwsSwitch];
  }

  static async build(lab: Lab, ovsProtocol: 'rstp' | 'stp'): Promise<Ring> {
    const hosts = {} as Record<Place, Host>;
    for (const place of PLACES) hosts[place] = await lab.host(place);
    const stations: Station[] = [];
    for (const [at, place] of PLACES.entries()) {
      const host = await lab.host(`at-${place}`);
      await lab.link({ host: hosts[place], device: 'sta', addresses: [] }, { host, device: 'eth0', addresses: [] });
      stations.push(new Station(host, at + 1));
    }
    const { one, two, ovs, kernel } = hosts;
    await lab.link(
      { host: one, device: 'wan', addresses: ['198.51.100.1/24'] },
      { host: two, device: 'wan', addresses: ['198.51.100.2/24'] },
    );
    await lab.link({ host: two, device: 'r-ovs', addresses: [] }, { host: ovs, device: 'r-two', addresses: [] });
    await lab.link({ host: ovs, device: 'r-ker', addresses: [] }, { host: kernel, device: 'r-ovs', addresses: [] });
    await lab.link({ host: kernel, device: 'r-one', addresses: [] }, { host: one, device: 'r-ker', addresses: [] });
    await startKernelBridge(kernel);
    mkdirSync(`${lab.directory}/ovs`);
    const switched = await startOvs(ovs, `${lab.directory}/ovs`, ovsProtocol);
    const ring = new Ring(hosts, stations, switched, [await startOne(one), await startTwo(two)]);
    return ring;
  }

  /** Waits until each station hears each other one whose bridge is there, by frames that were sent from now on. */
  async settled(what: string, without?: Place): Promise<void> {
    const present = this.stations.filter((_, at) => PLACES[at] !== without);
    const marks = new Map(present.map(({ id, report }) => [id, report.sent]));
    const missing = (): string[] =>
      present.flatMap(({ id, report }) =>
        present.flatMap((other) => {
          const last = report.heard[other.id]?.[0] ?? 0;
          return other.id === id || last > (marks.get(other.id) ?? 0) + 1 ? [] : [`${what}: ${other.id} → ${id}`];
        }),
      );
    await eventually(
      () => Promise.resolve(missing()),
      (none) => none.length === 0,
      SETTLED_MS,
    );
    this.noneTwice(what);
  }

  noneTwice(what: string): void {
    for (const { id, report } of this.stations) {
      assert.deepEqual(this.#underWay.faults(report.twice), [], `${what}: twice at ${id}`);
    }
  }

  #sent(): SentNumbers {
    return new Map(this.stations.map(({ id, report }) => [id, report.sent]));
  }

  /** Makes a change of the ring, and notes which frames were sent around it. */
  async #change(make: () => Promise<unknown>): Promise<void> {
    const before = this.#sent();
    await make();
    await Promise.all(this.stations.map((station) => station.reported()));
    this.#underWay.changed(before, this.#sent());
  }

  /** Takes the carrier of a link of the ring away, or gives it back. */
  async setLink(place: Place, device: string, state: 'up' | 'down'): Promise<void> {
    await this.#change(() => this.#hosts[place].check(['ip', 'link', 'set', device, state]));
  }

  /** A bridge that dies keeps the carriers of its links: its neighbours only hear nothing any more. */
  async kill(place: Place): Promise<void> {
    if (place === 'ovs') await this.#change(() => this.ovs.kill());
    else if (place === 'kernel') await this.setLink('kernel', 'br0', 'down');
    else await this.#change(() => (place === 'one' ? this.#one : this.#two).process.end());
  }

  async revive(place: Place): Promise<void> {
    if (place === 'ovs') await this.ovs.run();
    else if (place === 'kernel') await this.setLink('kernel', 'br0', 'up');
    else if (place === 'one') this.#one = await startOne(this.#hosts.one);
    else this.#two = await startTwo(this.#hosts.two);
  }

  /** The root as each bridge knows it; that of Open vSwitch is shown by the stations behind it. */
  async roots(): Promise<string[]> {
    const shown = await this.#hosts.kernel.check(['ip', '-json', '-details', 'link', 'show', 'dev', 'r-one']);
    const [link] = JSON.parse(shown) as { linkinfo: { info_slave_data: { root_id: string } } }[];
    const kernel = link?.linkinfo.info_slave_data.root_id ?? '';
    const [one, two] = [await treeOf(this.#one), await treeOf(this.#two)];
    return [one.rootId, two.rootId, kernel].map(plainId);
  }

  async ownId(): Promise<string> {
    return plainId((await treeOf(this.#one)).bridgeId);
  }
}

/** A bridge identifier; ip-link(8) leaves zeros out. */
function plainId(id: string): string {
  const [priority = '', address = ''] = id.split('.');
  return [priority, ...address.split(':').map((octet) => octet.padStart(2, '0'))].join('.');
}

async function treeOf(lan: EtherwsSwitch): Promise<StpEntry> {
  const { entries } = JSON.parse(await lan.done('liststp', '--json')) as { entries: StpEntry[] };
  const [entry] = entries;
  assert.ok(entry !== undefined);
  return entry;
}

const { hello, maxAge, forwardDelay } = TIMES;
const SPANNING = [
  '--stp',
  'on',
  '--hello-time',
  `${hello}`,
  '--max-age',
  `${maxAge}`,
  '--forward-delay',
  `${forwardDelay}`,
];

/** The root. */
async function startOne(host: Host): Promise<EtherwsSwitch> {
  const lan = await EtherwsSwitch.start(host, ['--port', '8000', '--grace', '0']);
  await lan.done('setnet', 'default', ...SPANNING, '--priority', '4096');
  await lan.done('addport', 'netdev', 'sta', '--edge', 'on');
  await lan.done('addport', 'netdev', 'r-ker');
  return lan;
}

/** The root without the first one. */
async function startTwo(host: Host): Promise<EtherwsSwitch> {
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  await lan.done('setnet', 'default', ...SPANNING, '--priority', '8192');
  await lan.done('addport', 'netdev', 'sta', '--edge', 'on');
  await lan.done('addport', 'netdev', 'r-ovs');
  await lan.done('addport', 'client', 'ws://198.51.100.1:8000/');
  return lan;
}

async function startKernelBridge(host: Host): Promise<void> {
  const times = ['hello_time', hello, 'max_age', maxAge, 'forward_delay', forwardDelay];
  const inHundredths = times.map((word) => (typeof word === 'number' ? String(word * 100) : word));
  const bridge = ['type', 'bridge', 'stp_state', '1', 'mcast_snooping', '0', ...inHundredths];
  await host.check(['ip', 'link', 'add', 'br0', ...bridge]);
  for (const end of ['r-ovs', 'r-one', 'sta']) await host.check(['ip', 'link', 'set', end, 'master', 'br0']);
  await host.check(['ip', 'link', 'set', 'br0', 'up']);
}

async function startOvs(host: Host, directory: string, protocol: 'rstp' | 'stp'): Promise<OvsHost> {
  const ovs = await OvsHost.start(host, directory);
  const times = { 'hello-time': hello, 'max-age': maxAge, 'forward-delay': forwardDelay };
  const settings = Object.entries(times).map(([name, value]) => `other_config:${protocol}-${name}=${value}`);
  const bridge = ['set', 'bridge', 'br0', 'datapath_type=netdev', `${protocol}_enable=true`, ...settings];
  const edge = ['set', 'port', 'sta', ...(protocol === 'rstp' ? ['other_config:rstp-port-admin-edge=true'] : [])];
  const ports = ['r-two', 'r-ker', 'sta'].flatMap((port) => ['--', 'add-port', 'br0', port]);
  const last = protocol === 'rstp' ? ['--', ...edge] : [];
  await ovs.vsctl('add-br', 'br0', '--', ...bridge, ...ports, ...last);
  return ovs;
}

async function open(t: TestContext, protocol: 'rstp' | 'stp'): Promise<Ring | undefined> {
  const lab = await openTapLab(t, 'python3', ...OVS_HOST_TOOLS);
  return lab === undefined ? undefined : Ring.build(lab, protocol);
}

const LINKS: readonly (readonly [string, Place, string])[] = [
  ['kernel to one', 'kernel', 'r-one'],
  ['ovs to kernel', 'ovs', 'r-ker'],
  ['two to ovs', 'two', 'r-ovs'],
  ['the tunnel', 'two', 'wan'],
];

test('a ring of etherws, Open vSwitch with RSTP and the kernel: one tree after each cut, and no frame twice', async (t) => {
  const ring = await open(t, 'rstp');
  if (ring === undefined) return;
  await ring.settled('at first');
  const own = await ring.ownId();
  assert.deepEqual(await ring.roots(), [own, own, own]);
  for (const [name, place, device] of LINKS) {
    await ring.setLink(place, device, 'down');
    await ring.settled(`without the link ${name}`);
    await ring.setLink(place, device, 'up');
    await ring.settled(`with the link ${name} again`);
  }
  for (const place of PLACES) {
    await ring.kill(place);
    await ring.settled(`without ${place}`, place);
    await ring.revive(place);
    await ring.settled(`with ${place} again`);
  }
  assert.deepEqual(await ring.roots(), [own, own, own]);
});

test('the same ring with Open vSwitch as a bridge of the old kind', async (t) => {
  const ring = await open(t, 'stp');
  if (ring === undefined) return;
  await ring.settled('at first');
  const own = await ring.ownId();
  assert.deepEqual(await ring.roots(), [own, own, own]);
  await ring.setLink('ovs', 'r-ker', 'down');
  await ring.settled('without the link ovs to kernel');
  await ring.setLink('ovs', 'r-ker', 'up');
  await ring.settled('with the link again');
  await ring.kill('ovs');
  await ring.settled('without ovs', 'ovs');
});
