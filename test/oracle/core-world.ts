import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import {
  MULTICAST_TIMERS,
  type MulticastOptions,
  type RouterMode,
} from '../../src/bridge/multicast/multicast-settings.ts';
import type { BridgePortSettings } from '../../src/bridge/port-settings.ts';
import { PortVlans, type VlanSettings } from '../../src/bridge/port-vlans.ts';
import type { StpState } from '../../src/bridge/stp-state.ts';
import { MirrorEntity } from '../../src/networks/mirror-entity.ts';
import type { EntityHost } from '../../src/networks/network-entity.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { DEFAULT_NETWORK, defaultSettings } from '../../src/schema/network-options.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { Tpid } from '../../src/wire/ethernet/tag.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { VidSet } from '../../src/wire/ethernet/vid-set.ts';
import {
  AGEING_MS,
  type BridgeSetting,
  heardAt,
  type MirrorStep,
  type Outcome,
  octetsOf,
  type PortSetting,
  type Script,
  type Step,
  sortedOutcome,
  type VlanStep,
  WAIT_MS,
  type World,
} from './script.ts';

/** The states of a port under the numbers of the kernel; what is absent is discarding. */
const STATES: Readonly<Record<number, StpState>> = { 2: 'learning', 3: 'forwarding' };
const DISABLED = 0;
/** As Linux, it does not flood to ports that begin to forward (by-design.ts). */
const SNOOPING: MulticastOptions = {
  mac: 0x02be_0000_0000 as MacAddress,
  isQuerier: false,
  timers: { ...MULTICAST_TIMERS, newPortIntervalMs: 0 },
};
const ROUTER_MODES: readonly RouterMode[] = ['off', 'auto', 'on'];
const KINDS = { dynamic: 'learned', static: 'static', sticky: 'sticky' } as const;

type EntryStep = Extract<Step, { do: 'entry' }>;

interface Place {
  readonly memory: MemoryPort;
  readonly bridgePort: BridgePort;
}

/** The classes that a bridge is made of. */
export interface BridgeParts {
  readonly Bridge: typeof Bridge;
  readonly PortVlans: typeof PortVlans;
  readonly MirrorEntity: typeof MirrorEntity;
}

/** Our bridge with ports in memory, on a virtual clock. */
export class CoreWorld implements World {
  readonly name: string;
  readonly #parts: BridgeParts;

  /** @param parts other ones, such as with a mistake */
  constructor(name = 'etherws', parts: BridgeParts = { Bridge, PortVlans, MirrorEntity }) {
    this.name = name;
    this.#parts = parts;
  }

  play({ ports, steps }: Script): Promise<Outcome> {
    const run = new Run(this.#parts);
    for (let port = 1; port <= ports; port++) run.attach(port);
    return Promise.resolve(steps.map((step) => run.play(step)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One script in a new bridge. */
class Run {
  readonly #bridge: Bridge;
  readonly #portVlans: typeof PortVlans;
  readonly #places = new Map<number, Place>();
  readonly #mirrors: MirrorEntity;
  #nowMs = 1_000_000;
  #waits = 0;
  #heard: string[] = [];

  constructor({ Bridge, PortVlans, MirrorEntity }: BridgeParts) {
    this.#bridge = new Bridge({ ageingTimeMs: AGEING_MS });
    this.#portVlans = PortVlans;
    const host: Pick<EntityHost, 'bridge' | 'portCalled' | 'portChanged'> = {
      bridge: this.#bridge,
      portCalled: (reference) => this.#places.get(Number(reference))?.bridgePort,
      portChanged: () => undefined,
    };
    this.#mirrors = new MirrorEntity(host as EntityHost, () => undefined);
  }

  play(step: Step): readonly string[] {
    this.#heard = [];
    if (step.do === 'wait') {
      this.#nowMs += step.units * WAIT_MS;
      // Not each time, since look-ups must ignore what has expired.
      if (++this.#waits % 2 === 0) this.#bridge.age(this.#nowMs);
    } else if (step.do === 'attach') {
      if (!this.#places.has(step.port)) this.attach(step.port);
    } else if (step.do === 'mirrorAll') {
      this.#mirrors.configure({ ...defaultSettings(DEFAULT_NETWORK), mirrorTo: referenceOf(step.to) }, this.#nowMs);
      this.#forgetAll();
    } else if (step.do === 'bridge') {
      this.#setBridge(step.name, step.value);
    } else {
      const place = this.#places.get(step.port);
      if (place !== undefined) this.#playAt(place, step);
    }
    return sortedOutcome(this.#heard);
  }

  attach(port: number): void {
    const memory = new MemoryPort({
      onFrames: (frames) => this.#heard.push(...frames.map((frame) => heardAt(port, frame.toString('hex')))),
    });
    const bridgePort = this.#bridge.attach(memory);
    memory.open({
      receive: (batch) => this.#bridge.receive(bridgePort, batch, this.#nowMs),
      linkChanged: (state, reason) => this.#bridge.setLink(bridgePort, state, reason),
      discarded: (direction, reason, frames) => bridgePort.discard(direction, reason, frames),
    });
    this.#places.set(port, { memory, bridgePort });
    this.#mirrors.portAdded(bridgePort, this.#nowMs);
  }

  #playAt(
    { memory, bridgePort }: Place,
    step: Exclude<Step, { do: 'wait' | 'attach' | 'bridge' | 'mirrorAll' }>,
  ): void {
    const bridge = this.#bridge;
    switch (step.do) {
      case 'frame':
        memory.deliver(octetsOf(step));
        break;
      case 'link':
        // A tunnel that is lost for a moment: its stations stay, as those of a disabled port in the kernel.
        memory.setLink(step.isUp ? 'up' : 'away');
        break;
      case 'vlan':
        bridge.setSettings(bridgePort, { ...bridgePort.settings, vlans: this.#portVlans.of(vlansOf(step)) });
        break;
      case 'mirror':
        bridge.setSettings(bridgePort, { ...bridgePort.settings, ...mirrorOf(step) });
        this.#mirrors.portChanged(bridgePort, this.#nowMs);
        this.#forgetAll();
        break;
      case 'entry':
        this.#setEntry(bridgePort, step);
        break;
      case 'detach':
        bridge.detach(bridgePort);
        this.#places.delete(step.port);
        this.#mirrors.portRemoved(bridgePort, this.#nowMs);
        break;
      case 'set':
        if (step.name === 'state') this.#setState(bridgePort, step.value);
        else bridge.setSettings(bridgePort, { ...bridgePort.settings, ...settingsOf(step.name, step.value) });
        break;
    }
  }

  #setBridge(name: BridgeSetting, value: number): void {
    if (name === 'mcast_snooping') {
      this.#bridge.setMulticast(value === 0 ? undefined : SNOOPING, this.#nowMs);
    } else if (name === 'fdb_max_learned') {
      // By design (by-design.ts): of each port.
      for (const { bridgePort } of this.#places.values()) {
        this.#bridge.setSettings(bridgePort, { ...bridgePort.settings, macLimit: value });
      }
    } else {
      throw new Error(`our bridge has no "${name}"`);
    }
  }

  #setEntry(port: BridgePort, { vid, mac, kind }: EntryStep): void {
    const address = Number.parseInt(mac, 16) as MacAddress;
    const { entries } = this.#bridge;
    if (kind !== 'none') entries.set(vid as Vid, address, port, KINDS[kind], this.#nowMs);
    else if (entries.find(vid as Vid, address)?.port === port) entries.delete(vid as Vid, address);
  }

  /** By design (by-design.ts): Open vSwitch forgets all stations when a mirror changes. */
  #forgetAll(): void {
    this.#bridge.entries.flush();
  }

  #setState(port: BridgePort, state: number): void {
    this.#bridge.setShut(port, state === DISABLED);
    if (state !== DISABLED) this.#bridge.setStpState(port, STATES[state] ?? 'discarding');
  }
}

function settingsOf(name: PortSetting, value: number): Partial<BridgePortSettings> {
  const isOn = value === 1;
  switch (name) {
    case 'isolated':
      return { isIsolated: isOn };
    case 'learning':
      return { isLearning: isOn };
    case 'flood':
      return { floodsUnicast: isOn };
    case 'mcast_flood':
      return { floodsMulticast: isOn };
    case 'bcast_flood':
      return { floodsBroadcast: isOn };
    case 'floods':
      return { floodsUnicast: isOn, floodsMulticast: isOn, floodsBroadcast: isOn };
    case 'locked':
      return { isLocked: isOn };
    case 'fastleave':
      return { fastLeave: isOn };
    case 'mcast_max_groups':
      return { multicastLimit: value };
    case 'mcast_router':
      return { multicastRouter: ROUTER_MODES[value] ?? 'auto' };
    default:
      throw new Error(`our bridge has no "${name}"`);
  }
}

function mirrorOf({ to, direction, vids }: MirrorStep): Partial<BridgePortSettings> {
  const mirrorVlans = vids.length === 0 ? undefined : vidSetOf(vids);
  return { mirrorTo: referenceOf(to), mirrorDirection: direction, mirrorVlans };
}

const referenceOf = (port: number): string => (port === 0 ? '' : String(port));

const vidSetOf = (vids: readonly number[]): VidSet => VidSet.of(vids.map((vid) => [vid, vid]));

function vlansOf({ mode, pvid, vlans, tpid }: VlanStep): VlanSettings {
  return { mode, pvid: pvid as Vid, vlans: vidSetOf(vlans), tpid: tpid as Tpid };
}
