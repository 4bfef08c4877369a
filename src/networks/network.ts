import type { Bridge } from '../bridge/bridge.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { defaultSettings, type NetworkChange, type NetworkSettings } from '../schema/network-options.ts';
import { type Entities, type EntityHost, makeEntities, type NetworkEntity } from './network-entity.ts';
import { type NetworkClock, NetworkHost } from './network-host.ts';
import type { FdbLimits, SwitchSide } from './network-parts.ts';

export interface NetworkOptions {
  /** default: `performance.now` */
  readonly nowMs?: () => number;
  /** default: those of network-entity.ts */
  readonly makeEntities?: (host: EntityHost) => Readonly<Record<string, NetworkEntity>>;
}

/**
 * A network: one bridge with its own filtering database and flows, its settings, and its protocol entities. No frame
 * goes from one network to another. It drives its entities: its owner calls `tick` once a second, and it has a timer
 * for what they want earlier.
 */
export class Network implements NetworkClock {
  readonly name: string;
  /** The owner whose tunnel made it: it is removed with its last port. undefined: it stays until it is removed. */
  maker: string | undefined;
  readonly bridge: Bridge;
  /** The protocol entities by their names. */
  readonly entities: Entities;
  readonly #entities: readonly NetworkEntity[];
  readonly #nowMs: () => number;
  #limits: FdbLimits;
  #settings: NetworkSettings;
  #timer: NodeJS.Timeout | undefined;
  /** when the timer ends */
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(name: string, side: SwitchSide, limits: FdbLimits, options: NetworkOptions = {}) {
    const { nowMs = monotonicMs, makeEntities: make = makeEntities } = options;
    this.name = name;
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#settings = defaultSettings(name);
    const host = new NetworkHost(name, side, limits, this);
    this.bridge = host.bridge;
    this.entities = make(host) as Entities;
    this.#entities = Object.values(this.entities);
    this.configure({});
  }

  /** All settings as they are. */
  get settings(): NetworkSettings {
    return this.#settings;
  }

  /** Changes settings; absent ones stay. */
  configure(change: NetworkChange): void {
    this.#settings = { ...this.#settings, ...change };
    this.#applyLimits();
    this.bridge.setHostSnooping(this.#settings.hostSnooping === 'on');
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.configure?.(this.#settings, nowMs);
  }

  /** The limits of the switch are these; settings of the network have precedence. */
  setLimits(limits: FdbLimits): void {
    this.#limits = limits;
    this.#applyLimits();
  }

  /** To be called when a port was attached to the bridge, and before it is open. */
  portAdded(port: BridgePort): void {
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.portAdded?.(port, nowMs);
  }

  /** To be called after a possible change of a port's state, link or settings. */
  portChanged(port: BridgePort): void {
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.portChanged?.(port, nowMs);
  }

  /** To be called before a port is detached from the bridge. */
  portLeaving(port: BridgePort): void {
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.portLeaving?.(port, nowMs);
  }

  /** To be called when a port was detached from the bridge. */
  portRemoved(port: BridgePort): void {
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.portRemoved?.(port, nowMs);
  }

  /** Lets addresses age, and the entities do what is due; to be called about once a second. */
  tick(nowMs: number): void {
    this.bridge.age(nowMs);
    for (const entity of this.#entities) entity.tick?.(nowMs);
  }

  nowMs(): number {
    return this.#nowMs();
  }

  /** The entities want a tick by this time. To be called by `NetworkHost` only. */
  wakeBy(atMs: number): void {
    if (atMs >= this.#wakeMs) return;
    this.#wakeMs = atMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(atMs - this.#nowMs()))).unref();
  }

  /** To be called when its last port was removed. Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#wakeMs = Number.NEGATIVE_INFINITY;
    for (const entity of this.#entities) entity.close?.();
  }

  #applyLimits(): void {
    const { ageout, fdbSize } = this.#settings;
    const ageingTimeMs = ageout === 0 ? this.#limits.ageingTimeMs : ageout * 1000;
    this.bridge.setAgeingTime(ageingTimeMs);
    this.bridge.setFdbCapacity(fdbSize === 0 ? this.#limits.fdbCapacity : fdbSize, this.#nowMs());
  }

  #wake(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#nowMs();
    for (const entity of this.#entities) entity.tick?.(nowMs);
  }
}

function monotonicMs(): number {
  return performance.now();
}
