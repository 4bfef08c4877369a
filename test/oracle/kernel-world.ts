import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LineProgram } from './line-program.ts';
import {
  addEntry,
  type BridgeAttribute,
  createBridge,
  deleteEntry,
  dumpEntries,
  type PortAttribute,
  setAddress,
  setBridge,
  setMaster,
  setPort,
  setUp,
} from './netlink.ts';
import {
  AGEING_MS,
  type BridgeSetting,
  heardAt,
  type Outcome,
  octetsOf,
  type PortSetting,
  type Script,
  type Step,
  sortedOutcome,
  WAIT_MS,
  type World,
} from './script.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/oracle/programs/kernel_bridge.py', import.meta.url));
/** The most ports that a script may have. */
const MOST_PORTS = 6;
const BRIDGE = 'br0';
/** The addresses of the bridge and of its devices begin so; stations have others. */
const OWN_ADDRESSES = '02be';
/** The kernel counts times of bridges in hundredths of a second. */
const TICK_MS = 10;
/** A frame this much later than on the virtual clock makes a script with waits worthless; it is played again. */
const SLACK_MS = 15;
const MOST_TRIES = 25;

const FLOODS = ['flood', 'mcast_flood', 'bcast_flood'] as const;
const PORT_ATTRIBUTES: Readonly<Record<Exclude<PortSetting, 'floods'>, PortAttribute>> = {
  isolated: 'isolated',
  learning: 'learning',
  flood: 'flood',
  mcast_flood: 'mcastFlood',
  bcast_flood: 'bcastFlood',
  locked: 'locked',
  fastleave: 'fastLeave',
  mcast_router: 'multicastRouter',
  mcast_max_groups: 'mcastMaxGroups',
  state: 'state',
};
const BRIDGE_ATTRIBUTES: Readonly<Record<BridgeSetting, BridgeAttribute>> = {
  fdb_max_learned: 'fdbMaxLearned',
  group_fwd_mask: 'groupFwdMask',
  mcast_snooping: 'mcastSnooping',
};

const DISABLED = 0;
const FORWARDING = 3;

type Operation = readonly (string | number)[];
/** The time since the start of the script, and the frames by TAP device. */
type FrameResult = readonly [ms: number, heard: readonly (readonly [tap: number, frame: string])[]];
type NetlinkResult = readonly [errno: number, messages: readonly string[]];

/**
 * The bridge of the Linux kernel in this process's network namespace, which must be its own (enterOwnNamespace). Its ports
 * are TAP devices: kernel_bridge.py says why nothing has to be waited for.
 */
export class KernelWorld implements World {
  readonly name: string = `Linux ${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}`;
  readonly #program = new LineProgram(['python3', PROGRAM]);
  /** Interface indexes, by port number less one. */
  readonly #ports: number[] = [];
  #bridge = 0;
  /** The ports of the last script, and those with settings or entries that must not stay. */
  #members = new Set<number>();
  #changed = new Set<number>();
  #changedBridge = new Set<BridgeSetting>();

  private constructor() {}

  static async open(): Promise<KernelWorld> {
    // The kernel would send frames of its own.
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    const world = new KernelWorld();
    await world.#build();
    return world;
  }

  close(): Promise<void> {
    return this.#program.close();
  }

  async play(script: Script): Promise<Outcome> {
    for (let tries = 0; ; tries++) {
      const outcome = await this.#try(script);
      if (outcome !== undefined) return outcome;
      if (tries >= MOST_TRIES) throw new Error(`this machine is too busy for a script with waits, ${tries} times`);
    }
  }

  /** Asks for one setting, for tests of what this kernel has. @returns the errno; 0: it has been set */
  async trySetting(name: PortSetting | BridgeSetting, value: number): Promise<number> {
    const request =
      name in PORT_ATTRIBUTES
        ? setPort(this.#indexOf(1), PORT_ATTRIBUTES[name as keyof typeof PORT_ATTRIBUTES], value)
        : setBridge(this.#bridge, BRIDGE_ATTRIBUTES[name as BridgeSetting], value);
    await this.#become(new Set([1]));
    const [[errno]] = (await this.#ask([['netlink', request]])) as [NetlinkResult];
    this.#changed.add(1);
    if (name in BRIDGE_ATTRIBUTES) this.#changedBridge.add(name as BridgeSetting);
    return errno;
  }

  async #try({ ports, steps }: Script): Promise<Outcome | undefined> {
    await this.#become(new Set(Array.from({ length: ports }, (_, at) => at + 1)));
    const operations: Operation[] = [];
    /** The place of each step's frame in the results; -1 without one. */
    const places: number[] = [];
    let waitedMs = 0;
    for (const step of steps) {
      if (step.do === 'wait') waitedMs += step.units * WAIT_MS;
      const those = this.#operationsOf(step, waitedMs);
      places.push(step.do === 'frame' ? operations.length : -1);
      operations.push(...those);
      this.#note(step);
    }
    const results = await this.#ask(operations);
    const hasWaits = steps.some((step) => step.do === 'wait');
    let virtualMs = 0;
    const outcome: string[][] = [];
    for (const [at, step] of steps.entries()) {
      if (step.do === 'wait') virtualMs += step.units * WAIT_MS;
      const place = places[at] as number;
      if (place < 0) {
        outcome.push([]);
        continue;
      }
      const [ms, heard] = results[place] as FrameResult;
      if (hasWaits && ms - virtualMs > SLACK_MS) return undefined;
      const frames = heard.filter(([, frame]) => frame.slice(12, 16) !== OWN_ADDRESSES);
      outcome.push([...sortedOutcome(frames.map(([tap, frame]) => heardAt(tap + 1, frame)))]);
    }
    return outcome;
  }

  #operationsOf(step: Step, waitedMs: number): Operation[] {
    switch (step.do) {
      case 'frame':
        return [['frame', step.port - 1, octetsOf(step).toString('hex')]];
      case 'link':
        // Not the carrier, whose loss makes the kernel, as it makes us, forget the port's stations: the link is that of a tunnel.
        return this.#setPort(step.port, 'state', step.isUp ? FORWARDING : DISABLED);
      case 'set':
        return this.#setPort(step.port, step.name, step.value);
      case 'bridge':
        return [['netlink', setBridge(this.#bridge, BRIDGE_ATTRIBUTES[step.name], step.value)]];
      case 'attach':
      case 'detach':
        return [['netlink', setMaster(this.#indexOf(step.port), step.do === 'attach' ? this.#bridge : 0)]];
      case 'entry': {
        const port = this.#indexOf(step.port);
        return [['netlink', step.kind === 'none' ? deleteEntry(port, step.mac) : addEntry(port, step.mac, step.kind)]];
      }
      case 'wait':
        return [['until', waitedMs], this.#settle];
      default:
        throw new Error(`the kernel's bridge has no "${step.do}"`);
    }
  }

  #setPort(port: number, name: PortSetting, value: number): Operation[] {
    const names: readonly (keyof typeof PORT_ATTRIBUTES)[] = name === 'floods' ? FLOODS : [name];
    return names.map((each) => ['netlink', setPort(this.#indexOf(port), PORT_ATTRIBUTES[each], value)]);
  }

  get #settle(): Operation {
    const ageing = setBridge(this.#bridge, 'ageingTime', AGEING_MS / TICK_MS);
    return ['settle', ageing, dumpEntries(), AGEING_MS / TICK_MS];
  }

  /** Notes what a step leaves behind. */
  #note(step: Step): void {
    if (step.do === 'bridge') {
      this.#changedBridge.add(step.name);
      // Group memberships end with the port.
      if (step.name === 'mcast_snooping') for (const port of this.#members) this.#changed.add(port);
    }
    if (step.do === 'detach') this.#members.delete(step.port);
    else if (step.do === 'attach') this.#members.add(step.port);
    else if ('port' in step && step.do !== 'frame') this.#changed.add(step.port);
  }

  /** Prepares the bridge for a script: these ports with their default settings, and no entries. */
  async #become(members: ReadonlySet<number>): Promise<void> {
    const operations: Operation[] = [];
    for (let port = 1; port <= MOST_PORTS; port++) {
      const leaves = this.#members.has(port) && (this.#changed.has(port) || !members.has(port));
      if (leaves) operations.push(['netlink', setMaster(this.#indexOf(port), 0)]);
      const joins = members.has(port) && (leaves || !this.#members.has(port));
      if (joins) operations.push(['netlink', setMaster(this.#indexOf(port), this.#bridge)]);
    }
    for (const name of this.#changedBridge) {
      operations.push(['netlink', setBridge(this.#bridge, BRIDGE_ATTRIBUTES[name], 0)]);
    }
    if (this.#changedBridge.has('mcast_snooping')) {
      // Forgets the querier.
      for (const isUp of [false, true]) operations.push(['netlink', setUp(this.#bridge, isUp)]);
    }
    operations.push(['netlink', setBridge(this.#bridge, 'fdbFlush', 0)]);
    await this.#done(operations);
    this.#members = new Set(members);
    this.#changed = new Set();
    this.#changedBridge = new Set();
  }

  async #build(): Promise<void> {
    const [, bridge] = await this.#done([
      ['netlink', createBridge(BRIDGE)],
      ['index', BRIDGE],
    ]);
    this.#bridge = bridge as number;
    const names = Array.from({ length: MOST_PORTS }, (_, at): Operation => ['tap', `port${at + 1}`]);
    this.#ports.push(...((await this.#ask(names)) as number[]));
    const devices = [this.#bridge, ...this.#ports];
    const operations = devices.flatMap((index, at): Operation[] => [
      ['netlink', setAddress(index, `${OWN_ADDRESSES}${at.toString(16).padStart(8, '0')}`)],
      ['netlink', setUp(index, true)],
    ]);
    await this.#done([
      ...operations,
      ['netlink', setBridge(this.#bridge, 'mcastSnooping', 0)],
      // It knows sources with these versions only.
      ['netlink', setBridge(this.#bridge, 'mcastIgmpVersion', 3)],
      ['netlink', setBridge(this.#bridge, 'mcastMldVersion', 2)],
      ['netlink', setBridge(this.#bridge, 'ageingTime', AGEING_MS / TICK_MS)],
    ]);
  }

  #indexOf(port: number): number {
    const index = this.#ports[port - 1];
    if (index === undefined) throw new Error(`no port ${port}; the most are ${MOST_PORTS}`);
    return index;
  }

  async #ask(operations: readonly Operation[]): Promise<unknown[]> {
    return JSON.parse(await this.#program.ask(JSON.stringify(operations))) as unknown[];
  }

  /** Requests that must succeed. */
  async #done(operations: readonly Operation[]): Promise<unknown[]> {
    const results = await this.#ask(operations);
    for (const [at, [name, request]] of operations.entries()) {
      if (name !== 'netlink') continue;
      const [errno] = results[at] as NetlinkResult;
      if (errno !== 0) throw new Error(`the kernel refuses a request with errno ${errno}: ${request}`);
    }
    return results;
  }
}
