import { HEADER_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { ReservedSet } from '../../wire/ethernet/reserved-address.ts';
import { decodeLldpdu } from '../../wire/lldp/decode.ts';
import { isLldp, lldpFrame } from '../../wire/lldp/frame.ts';
import { CAPABILITY_BRIDGE, CHASSIS, type Lldpdu, type ManagementAddress, PORT } from '../../wire/lldp/lldpdu.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import type { ProtocolEntity } from '../protocol-entity.ts';
import { type LldpNeighbor, LldpNeighbors } from './lldp-neighbors.ts';
import { LldpTransmitter, TX_TTL_SECONDS } from './lldp-transmitter.ts';

/** The admin status of a port (IEEE 802.1AB-2016, 9.2.5.1). */
export const LLDP_MODES = ['both', 'rx', 'tx', 'off'] as const;
export type LldpMode = (typeof LLDP_MODES)[number];

/** The longest LLDPDU that is read: what fits into an Ethernet frame. It bounds the memory of a neighbour. */
export const MAX_LLDPDU_BYTES = 1500;

/**
 * The most LLDPDUs that a port takes in one second; further ones are discarded. An agent sends five in a row, and then one a
 * second (9.2.5.17). So a peer that tells something new all the time cannot flood the subscribers of its events.
 */
const MOST_PER_SECOND = 100;

/** What an agent tells about its switch. */
export interface LldpSystem {
  /** the chassis ID, and the source address of LLDPDUs */
  readonly chassis: MacAddress;
  readonly name: string;
  readonly description: string;
}

/** What an agent tells about a port. */
export interface LldpLocalPort {
  /** the port ID, as an interface name */
  readonly id: string;
  readonly description: string;
  /** 0: none */
  readonly portVlanId?: number | undefined;
}

/** Why a neighbour is none any more. */
export type NeighborEnd = 'aged' | 'left' | 'port-down' | 'port-removed' | 'disabled';

/** What an agent needs of its network. */
export interface LldpHost {
  readonly system: LldpSystem;
  /** Must be cheap: it is called for each received LLDPDU. */
  modeOf(port: BridgePort): LldpMode;
  describe(port: BridgePort): LldpLocalPort;
  /** Those of the switch, in each LLDPDU. */
  managementAddresses?(nowMs: number): readonly ManagementAddress[];
  transmit(port: BridgePort, frame: Buffer, nowMs: number): void;
  added?(neighbor: LldpNeighbor): void;
  changed?(neighbor: LldpNeighbor): void;
  removed?(neighbor: LldpNeighbor, why: NeighborEnd): void;
}

/** The counters of a port (11.5.2, lldpV2StatsTxPortTable and lldpV2StatsRxPortTable), and remote table drops. */
export interface LldpCounters {
  framesOut: number;
  framesIn: number;
  framesDiscarded: number;
  tlvsDiscarded: number;
  tlvsUnrecognized: number;
  ageouts: number;
  tooManyNeighbors: number;
}

interface PortState {
  readonly transmitter: LldpTransmitter;
  readonly counters: LldpCounters;
  isReceiving: boolean;
  /** How many LLDPDUs it has received since the last tick. */
  heard: number;
}

/** Spreads ports evenly: the fractional parts of multiples of the golden ratio. */
const GOLDEN = 0.618_033_988_75;

/**
 * The LLDP agent of one network, for the nearest bridge group address (IEEE 802.1AB-2016). Sans-I/O: its owner calls
 * `update` for each port that is added or may have changed, `received` for frames to that address, and `tick` about once
 * a second.
 */
export class LldpAgent implements ProtocolEntity {
  readonly addresses: ReservedSet = 1 << 0xe;
  readonly neighbors: LldpNeighbors = new LldpNeighbors();
  readonly #host: LldpHost;
  readonly #ports = new LazyMap<BridgePort, PortState>();

  constructor(host: LldpHost) {
    this.#host = host;
  }

  /** The sums of the counters of all ports. */
  get counters(): LldpCounters {
    const sums = noCounters();
    for (const { counters } of this.#ports.values()) {
      for (const name of Object.keys(sums) as (keyof LldpCounters)[]) sums[name] += counters[name];
    }
    return sums;
  }

  /** undefined for a port that `update` was not called for */
  countersOf(port: BridgePort): Readonly<LldpCounters> | undefined {
    return this.#ports.get(port)?.counters;
  }

  /** The port is new, or its link, its admin status, its name or its description may have changed. */
  update(port: BridgePort, nowMs: number): void {
    const state = this.#stateOf(port);
    // A port that is reserved for a mirror sends nothing but copies, and discards what it receives.
    const isUsable = port.isUsable && !port.isMirrorOutput;
    const mode = this.#host.modeOf(port);
    const hasEnded = state.transmitter.enable(isUsable && mode !== 'off' && mode !== 'rx', nowMs);
    if (hasEnded && isUsable) this.#shutDown(port, state, nowMs);
    state.transmitter.localChange();
    state.isReceiving = isUsable && mode !== 'off' && mode !== 'tx';
    if (!state.isReceiving) this.#forget(port, isUsable ? 'disabled' : 'port-down');
    this.#poll(port, state, nowMs);
  }

  /** The port is about to be removed; neighbours are told while it can still send. */
  remove(port: BridgePort, nowMs: number): void {
    const state = this.#ports.get(port);
    if (state === undefined) return;
    if (state.transmitter.enable(false, nowMs) && port.isUsable) this.#shutDown(port, state, nowMs);
    this.#ports.delete(port);
    this.#forget(port, 'port-removed');
  }

  /** Ends the agent: all neighbours are told (9.1.2.2), and forgotten. */
  close(nowMs: number): void {
    for (const [port, state] of this.#ports) {
      if (state.transmitter.enable(false, nowMs) && port.isUsable) this.#shutDown(port, state, nowMs);
      this.#forget(port, 'disabled');
    }
    this.#ports.clear();
  }

  /**
   * Takes a frame that came to a reserved group address.
   * @returns whether it is taken; false: it is none of LLDP, or the port does not receive LLDP
   */
  received(port: BridgePort, frame: Uint8Array, nowMs: number): boolean {
    if (!isLldp(frame, 0)) return false;
    const state = this.#ports.get(port);
    if (state === undefined || !state.isReceiving) return false;
    this.#process(port, state, frame.subarray(HEADER_BYTES), nowMs);
    return true;
  }

  tick(nowMs: number): void {
    this.neighbors.age(nowMs, (neighbor) => {
      const state = this.#ports.get(neighbor.port);
      if (state !== undefined) state.counters.ageouts++;
      this.#host.removed?.(neighbor, 'aged');
    });
    for (const [port, state] of this.#ports) {
      state.heard = 0;
      this.#poll(port, state, nowMs);
    }
  }

  /** rxProcessFrame (9.2.7.7). */
  #process(port: BridgePort, state: PortState, body: Uint8Array, nowMs: number): void {
    const { transmitter, counters } = state;
    counters.framesIn++;
    const isTooMuch = ++state.heard > MOST_PER_SECOND || body.length > MAX_LLDPDU_BYTES;
    const decoded = isTooMuch ? 'length' : decodeLldpdu(body, 0, body.length);
    if (typeof decoded === 'string') {
      counters.framesDiscarded++;
      return;
    }
    const { lldpdu, discarded, unrecognized } = decoded;
    counters.tlvsDiscarded += discarded;
    counters.tlvsUnrecognized += unrecognized;
    if (lldpdu.ttlSeconds === 0) {
      const left = this.neighbors.leave(port, lldpdu);
      if (left !== undefined) this.#host.removed?.(left, 'left');
      return;
    }
    const taken = this.neighbors.take(port, lldpdu, body, nowMs);
    if (taken.update === 'full') counters.tooManyNeighbors++;
    else if (taken.update === 'changed') this.#host.changed?.(taken.found);
    else if (taken.update === 'added') {
      this.#host.added?.(taken.found);
      transmitter.newNeighbor(nowMs);
    }
  }

  #stateOf(port: BridgePort): PortState {
    const known = this.#ports.get(port);
    if (known !== undefined) return known;
    const state: PortState = {
      transmitter: new LldpTransmitter((port.number * GOLDEN) % 1),
      counters: noCounters(),
      isReceiving: false,
      heard: 0,
    };
    this.#ports.set(port, state);
    return state;
  }

  #forget(port: BridgePort, why: NeighborEnd): void {
    for (const neighbor of this.neighbors.forget(port)) this.#host.removed?.(neighbor, why);
  }

  #poll(port: BridgePort, state: PortState, nowMs: number): void {
    if (state.transmitter.poll(nowMs)) this.#send(port, state, TX_TTL_SECONDS, nowMs);
  }

  #shutDown(port: BridgePort, state: PortState, nowMs: number): void {
    this.#send(port, state, 0, nowMs);
  }

  #send(port: BridgePort, { counters }: PortState, ttlSeconds: number, nowMs: number): void {
    const { system } = this.#host;
    counters.framesOut++;
    this.#host.transmit(port, lldpFrame(system.chassis, this.#informationOf(port, ttlSeconds, nowMs)), nowMs);
  }

  #informationOf(port: BridgePort, ttlSeconds: number, nowMs: number): Lldpdu {
    const { system } = this.#host;
    const { id, description, portVlanId } = this.#host.describe(port);
    const chassis = Buffer.alloc(6);
    chassis.writeUIntBE(system.chassis, 0, 6);
    return {
      chassisId: { subtype: CHASSIS.macAddress, octets: chassis },
      portId: { subtype: PORT.interfaceName, octets: Buffer.from(id) },
      ttlSeconds,
      portDescription: description,
      systemName: system.name,
      systemDescription: system.description,
      capabilities: { supported: CAPABILITY_BRIDGE, enabled: CAPABILITY_BRIDGE },
      managementAddresses: this.#host.managementAddresses?.(nowMs),
      portVlanId,
    };
  }
}

/** Counters of a port that has done nothing. */
export function noCounters(): LldpCounters {
  return {
    framesOut: 0,
    framesIn: 0,
    framesDiscarded: 0,
    tlvsDiscarded: 0,
    tlvsUnrecognized: 0,
    ageouts: 0,
    tooManyNeighbors: 0,
  };
}
