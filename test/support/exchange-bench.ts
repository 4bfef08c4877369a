import assert from 'node:assert/strict';
import type { MeshStation } from '../../src/bridge/mesh/mesh-station.ts';
import { StationExchange } from '../../src/bridge/mesh/station-exchange.ts';
import { StationSums } from '../../src/bridge/mesh/station-sums.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import {
  decodeDigest,
  decodeNames,
  decodeRecords,
  encodeDigest,
  encodeNames,
  encodeRecords,
  STATION_KINDS,
  type StationRecord,
} from '../../src/wire/mesh/station-records.ts';

const VID = 1 as Vid;
/** More calls of `tick` within one call of `pass` are a loop. */
const MOST_TICKS = 5000;

/** An own port, which may be isolated. */
export interface OwnPort {
  readonly meshNode: undefined;
  isIsolated: boolean;
}

export function ownPort(isIsolated = false): OwnPort {
  return { meshNode: undefined, isIsolated };
}

type OwnStation = { -readonly [Key in keyof MeshStation]: MeshStation[Key] };
type Kind = keyof typeof STATION_KINDS;

/**
 * The exchange of stations of node `m` with a model of a filtering database, on a virtual clock, which calls `tick`
 * each second and when it was asked to. Messages are texts: `announce 5#2hi@300` tells the station 5 with sequence number 2, which is held, isolated
 * and was seen 300 ms ago; a digest that is received names the stations that it is of, and one that is sent is `agrees` if it is
 * that of the stations that the other node has been told.
 */
export class ExchangeBench {
  nowMs = 1_000_000;
  /** How many more stations the filtering database takes. */
  room = 1000;
  /** Whether the message to a node is lost. */
  isLost: (message: string) => boolean = () => false;
  readonly port = ownPort();
  readonly isolated = ownPort(true);
  readonly stations = new Map<number, OwnStation>();
  readonly exchange: StationExchange;
  #sent: string[] = [];
  /** When a call of `tick` was asked for. */
  #wakeMs = Number.POSITIVE_INFINITY;
  #secondMs = this.nowMs + 377;
  readonly #peers = new Map<string, FarNode>();

  /** @param nodes that are reached, and that have no stations */
  constructor(...nodes: readonly string[]) {
    const roomOf = (): number => this.room;
    this.exchange = new StationExchange({
      store: {
        find: ({ mac }) => this.stations.get(mac),
        tell: ({ mac }, node, { sequence, isHeld, isIsolated, seenMs }) => {
          const told = { sequence, isHeld, isIsolated, seenMs, kind: 'told', isAnnounced: false } as const;
          const port = { meshNode: node, isIsolated: false };
          const known = this.stations.get(mac);
          if (known !== undefined) Object.assign(known, told, { port });
          else this.stations.set(mac, { vid: VID, mac, port, ...told });
        },
        forget: ({ mac }) => this.leave(mac),
        forgetNode: (node) => {
          for (const { mac, port } of [...this.stations.values()]) if (port.meshNode === node) this.leave(mac);
        },
        own: () => [...this.stations.values()].filter(({ port }) => port.meshNode === undefined),
        toldBy: (node) =>
          [...this.stations.values()].filter(({ port, kind }) => port.meshNode === node && kind === 'told'),
        get room() {
          return roomOf();
        },
      },
      self: () => 'm',
      now: () => this.nowMs,
      send: (node, kind, payload) => this.#send(node, kind, payload),
      wakeBy: (atMs) => {
        this.#wakeMs = Math.min(this.#wakeMs, atMs);
      },
    });
    for (const node of nodes) {
      this.exchange.linkUp(node, this.nowMs);
      this.receive(node, 'wholeBegin', 'wholeEnd');
      this.receive(node, 'wantWhole');
    }
    this.pass(10);
    this.sent();
  }

  /** The messages that were sent since the last call. */
  sent(): string[] {
    return this.#sent.splice(0);
  }

  /** What is known of the stations: where each is, and its sequence number. */
  get known(): string[] {
    const known = [...this.stations.values()].map(
      (station) => `${station.mac} ${station.port.meshNode ?? 'here'} ${station.kind}${textOf(station)}`,
    );
    return known.sort();
  }

  receive(node: string, ...messages: readonly string[]): void {
    for (const message of messages) {
      const [kind, ...stations] = message.split(' ') as [Kind, ...string[]];
      this.exchange.received(node, STATION_KINDS[kind], payloadOf(kind, stations.map(recordOf)), this.nowMs);
    }
  }

  /** A station is seen at an own port, for the first time or at another place than before. */
  see(mac: number, port: OwnPort = this.port, kind: MeshStation['kind'] = 'learned'): MeshStation {
    const known = this.stations.get(mac);
    if (known === undefined) return this.#appear(mac, port, kind);
    const { port: from, kind: was } = known;
    Object.assign(known, { port, kind, seenMs: this.nowMs });
    if (from !== port) this.exchange.moved(known, from, was);
    return known;
  }

  /** A station is learned from a frame of a node, which has not told it. */
  overhear(mac: number, node: string): MeshStation {
    return this.#appear(mac, { meshNode: node, isIsolated: false }, 'learned');
  }

  /** A station is removed: it has expired, or was displaced. */
  leave(mac: number): void {
    const station = this.stations.get(mac);
    assert.ok(station);
    this.stations.delete(mac);
    this.exchange.gone(station);
  }

  /** Lets time pass. @throws AssertionError if `tick` is asked for again and again */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let ticks = 0; ; ticks++) {
      const nextMs = Math.min(this.#wakeMs, this.#secondMs);
      if (nextMs > endMs) break;
      assert.ok(ticks < MOST_TICKS, 'asks for a tick again and again');
      this.nowMs = Math.max(this.nowMs, nextMs);
      // As in a network, the tick of a second ends no other timer.
      if (this.#wakeMs <= this.nowMs) this.#wakeMs = Number.POSITIVE_INFINITY;
      if (this.#secondMs <= this.nowMs) this.#secondMs += 1000;
      this.exchange.tick(this.nowMs);
    }
    this.nowMs = endMs;
  }

  #appear(mac: number, port: MeshStation['port'], kind: MeshStation['kind']): MeshStation {
    const station = {
      ...{ vid: VID, mac: mac as MacAddress, kind, seenMs: this.nowMs, port },
      ...{ sequence: 0, isHeld: false, isIsolated: false, isAnnounced: false },
    };
    this.stations.set(mac, station);
    this.exchange.appeared(station);
    return station;
  }

  #send(node: string, kind: number, payload: Uint8Array): boolean {
    const [name] = Object.entries(STATION_KINDS).find(([, number]) => number === kind) as [Kind, number];
    const peer = this.#peers.get(node) ?? new FarNode();
    this.#peers.set(node, peer);
    const message = [name, ...peer.read(name, payload)].join(' ');
    if (this.isLost(message)) return false;
    peer.take(name, payload);
    this.#sent.push(`${node} ${message}`);
    return true;
  }
}

/** What another node has been told. */
class FarNode {
  #stations = new Map<number, StationRecord>();
  #stale = new Set<number>();

  read(kind: Kind, payload: Uint8Array): string[] {
    if (kind === 'announce' || kind === 'newer') {
      return (decodeRecords(payload) ?? []).map((record) => {
        return `${record.mac}${textOf(record)}${record.ageMs === 0 ? '' : `@${record.ageMs}`}`;
      });
    }
    if (kind === 'withdraw') return (decodeNames(payload) ?? []).map(({ mac }) => String(mac));
    const digest = decodeDigest(payload);
    if (digest === undefined) return [];
    const sums = new StationSums();
    for (const [mac, record] of this.#stations) if (kind === 'digest' || !this.#stale.has(mac)) sums.add(record);
    return [sums.equals(digest) ? 'agrees' : 'differs'];
  }

  take(kind: Kind, payload: Uint8Array): void {
    const forget = (macs: Iterable<number>): void => {
      for (const mac of macs) this.#stations.delete(mac);
    };
    if (kind === 'announce') {
      for (const record of decodeRecords(payload) ?? []) {
        this.#stations.set(record.mac, record);
        this.#stale.delete(record.mac);
      }
    } else if (kind === 'withdraw') forget((decodeNames(payload) ?? []).map(({ mac }) => mac));
    else if (kind === 'flush') this.#stations.clear();
    else if (kind === 'wholeBegin') this.#stale = new Set(this.#stations.keys());
    else if (kind === 'wholeEnd') forget(this.#stale);
  }
}

function textOf({ sequence, isHeld, isIsolated }: Pick<StationRecord, 'sequence' | 'isHeld' | 'isIsolated'>): string {
  return `#${sequence}${isHeld ? 'h' : ''}${isIsolated ? 'i' : ''}`;
}

function recordOf(text: string): StationRecord {
  const [, mac, sequence = 0, isHeld, isIsolated, ageMs = 0] = /^(\d+)(?:#(\d+))?(h)?(i)?(?:@(\d+))?$/.exec(text) ?? [];
  assert.ok(mac !== undefined, text);
  return {
    ...{ vid: VID, mac: Number(mac) as MacAddress, sequence: Number(sequence), ageMs: Number(ageMs) },
    ...{ isHeld: isHeld !== undefined, isIsolated: isIsolated !== undefined },
  };
}

function payloadOf(kind: Kind, records: readonly StationRecord[]): Uint8Array {
  if (kind === 'announce' || kind === 'newer') return encodeRecords(records);
  if (kind === 'withdraw') return encodeNames(records);
  if (kind !== 'digest' && kind !== 'wholeEnd') return new Uint8Array();
  const sums = new StationSums();
  for (const record of records) sums.add(record);
  return encodeDigest(sums.digest);
}
