import {
  encodeDigest,
  encodeNames,
  encodeRecords,
  MOST_NAMES,
  MOST_RECORDS,
  STATION_KINDS,
  type StationName,
  type StationRecord,
} from '../../wire/mesh/station-records.ts';
import { DIGEST_EVERY_MS, type ExchangeParts } from './exchange-parts.ts';
import { isHeldBySome, type MeshStation } from './mesh-station.ts';
import type { StationPeer } from './station-peer.ts';
import type { StationPeers } from './station-peers.ts';
import { StationSums } from './station-sums.ts';
import { WaitingStations } from './waiting-stations.ts';

const NOTHING = new Uint8Array();

/** Stations that appear within this time are announced together. The first one is announced at once. */
const BATCH_MS = 5;
/** How many messages of whole sets are sent within that time. */
const MESSAGES_OF_BATCH = 32;
/** So often in that time a station of an isolated port is announced without a wait: each is a message to every node. */
const AT_ONCE_OF_BATCH = 4;
/** A digest is sent so long after a change, which finds what was lost with it. */
const DIGEST_AFTER_MS = 1000;

/** What this node tells the others of a network: which stations are at its own ports. */
export class StationTeller {
  readonly #parts: ExchangeParts;
  readonly #peers: StationPeers;
  /** Own stations that were announced. */
  readonly #sums = new StationSums();
  readonly #waiting = new WaitingStations();
  #withdrawn: StationName[] = [];
  /** No batch before this time. */
  #batchMs = Number.NEGATIVE_INFINITY;
  /** How often changes were sent since the last batch, that one included. */
  #sendings = 0;
  #digestMs = Number.POSITIVE_INFINITY;

  constructor(parts: ExchangeParts, peers: StationPeers) {
    this.#parts = parts;
    this.#peers = peers;
  }

  /** How many own stations the others were told of, and how many wait. */
  get announced(): number {
    return this.#sums.count;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Another node is reached: it gets a digest within a minute. */
  linkUp(nowMs: number): void {
    this.#digestMs = Math.min(this.#digestMs, nowMs + DIGEST_EVERY_MS);
  }

  /** With the first node, all stations are announced: by the answer to its question. */
  announceAll(): void {
    this.#withdrawn = [];
    for (const station of this.#parts.store.own()) {
      if (station.isAnnounced) continue;
      this.#waiting.remove(station, station.port);
      this.#markAnnounced(station);
    }
  }

  announce(station: MeshStation): void {
    if (this.#peers.size === 0) this.#markAnnounced(station);
    else {
      this.#waiting.add(station);
      if (station.port.isIsolated || station.isIsolated) this.#announceNow();
      else this.#soon();
    }
  }

  /**
   * Announces what waits, within the rate: nodes judge frames by the isolation of their sources. Behind the first few it waits
   * for the batch; until then its frames are refused.
   */
  #announceNow(): void {
    const nowMs = this.#parts.now();
    if (nowMs >= this.#batchMs) this.batch(nowMs);
    else if (this.#sendings < AT_ONCE_OF_BATCH) {
      this.#sendings++;
      this.#sendChanges(nowMs);
    }
    if (this.#waiting.size > 0) this.#parts.wakeBy(this.#batchMs);
  }

  #markAnnounced(station: MeshStation): void {
    station.isAnnounced = true;
    station.isIsolated = station.port.isIsolated;
    this.#sums.add(station);
  }

  /** An own station is none any more. @param port where it was */
  retract(station: MeshStation, port: object): void {
    if (this.#unmark(station)) {
      this.#withdrawn.push({ vid: station.vid, mac: station.mac });
      this.#soon();
    } else this.#waiting.remove(station, port);
  }

  /** The port of a station may be isolated now, or no longer. */
  isolationChanged(station: MeshStation): void {
    if (station.isIsolated === station.port.isIsolated || !this.#unmark(station)) return;
    this.announce(station);
  }

  /** An own station was seen at another own port. */
  movedWithin(station: MeshStation, from: object): void {
    if (this.#waiting.remove(station, from)) this.announce(station);
    else this.isolationChanged(station);
  }

  /** Announces an own station as one that has moved here. */
  raise(own: MeshStation, sequence: number): void {
    this.#unmark(own);
    own.sequence = sequence;
    this.announce(own);
  }

  /** A node asks for all own stations. */
  tellAll(peer: StationPeer, nowMs: number): void {
    this.#beginWhole(peer);
    this.batch(nowMs);
  }

  /** Sends the digest, if it is due, and asks for the next call. */
  digest(nowMs: number): void {
    if (this.#peers.size === 0) return;
    if (nowMs >= this.#digestMs) {
      this.#digestMs = nowMs + DIGEST_EVERY_MS;
      this.#sendAll(STATION_KINDS.digest, encodeDigest(this.#sums.digest));
    }
    this.#parts.wakeBy(this.#digestMs);
  }

  /** @returns whether the others know it */
  #unmark(station: MeshStation): boolean {
    if (!station.isAnnounced) return false;
    station.isAnnounced = false;
    this.#sums.remove(station);
    return true;
  }

  #soon(): void {
    if (this.#peers.size === 0) {
      this.#withdrawn = [];
      return;
    }
    this.batch(this.#parts.now());
  }

  /** Sends what waits, unless it is too early. */
  batch(nowMs: number): void {
    if (nowMs < this.#batchMs) {
      this.#parts.wakeBy(this.#batchMs);
      return;
    }
    const hasChanged = this.#sendChanges(nowMs);
    const hasMore = this.#sendWholes(nowMs) || this.#waiting.size > 0;
    if (hasChanged || hasMore) {
      this.#batchMs = nowMs + BATCH_MS;
      this.#sendings = 1;
    }
    if (hasMore) this.#parts.wakeBy(this.#batchMs);
  }

  /** @returns whether there were any */
  #sendChanges(nowMs: number): boolean {
    if (!this.#sendWithdrawn() && this.#waiting.size === 0) return false;
    const stations = this.#waiting.take(MESSAGES_OF_BATCH * MOST_RECORDS, nowMs);
    for (const station of stations) this.#markAnnounced(station);
    for (let at = 0; at < stations.length; at += MOST_RECORDS) {
      this.#sendAnnouncement(stations.slice(at, at + MOST_RECORDS), nowMs);
    }
    if (this.#digestMs > nowMs + DIGEST_AFTER_MS) {
      this.#digestMs = nowMs + DIGEST_AFTER_MS;
      this.#parts.wakeBy(this.#digestMs);
    }
    return true;
  }

  #sendAnnouncement(stations: readonly MeshStation[], nowMs: number): void {
    const payload = encodeRecords(stations.map((station) => recordOf(station, nowMs)));
    for (const peer of this.#peers.values()) {
      if (this.#parts.send(peer.node, STATION_KINDS.announce, payload)) continue;
      this.#peers.lost(peer, nowMs);
      for (const station of stations) peer.untold.add(station);
    }
  }

  #sendWithdrawn(): boolean {
    const names = this.#withdrawn;
    if (names.length === 0) return false;
    this.#withdrawn = [];
    if (this.#sums.count === 0 && names.length > MOST_NAMES) this.#sendAll(STATION_KINDS.flush, NOTHING);
    else {
      for (let at = 0; at < names.length; at += MOST_NAMES) {
        this.#sendAll(STATION_KINDS.withdraw, encodeNames(names.slice(at, at + MOST_NAMES)));
      }
    }
    return true;
  }

  /** Goes on with whole sets. @returns whether one is not finished */
  #sendWholes(nowMs: number): boolean {
    let messages = MESSAGES_OF_BATCH;
    if (!this.#peers.isAnyOpen) return false;
    for (const peer of this.#peers.values()) {
      if (peer.resendMs <= nowMs) this.#beginWhole(peer);
      else if (peer.resendMs !== Number.POSITIVE_INFINITY) this.#parts.wakeBy(peer.resendMs);
      while (peer.wanted !== undefined && messages-- > 0) if (!this.#sendSome(peer, peer.wanted, nowMs)) break;
      this.#peers.follow(peer);
    }
    for (const { wanted } of this.#peers.values()) if (wanted !== undefined) return true;
    return false;
  }

  #beginWhole(peer: StationPeer): void {
    this.#peers.open(peer);
    peer.resendMs = Number.POSITIVE_INFINITY;
    peer.wanted = { stations: [...this.#parts.store.own()].filter(({ isAnnounced }) => isAnnounced), at: 0 };
    this.#parts.send(peer.node, STATION_KINDS.wholeBegin, NOTHING);
  }

  /** @returns whether the tunnel took it */
  #sendSome(peer: StationPeer, wanted: NonNullable<StationPeer['wanted']>, nowMs: number): boolean {
    const some = wanted.stations.slice(wanted.at, wanted.at + MOST_RECORDS).filter(({ isAnnounced }) => isAnnounced);
    const { node } = peer;
    if (some.length > 0) {
      const payload = encodeRecords(some.map((station) => recordOf(station, nowMs)));
      if (!this.#parts.send(node, STATION_KINDS.announce, payload)) return false;
    }
    wanted.at += MOST_RECORDS;
    if (wanted.at < wanted.stations.length) return true;
    if (!this.#parts.send(node, STATION_KINDS.wholeEnd, encodeDigest(this.#sums.digest))) return false;
    peer.wanted = undefined;
    peer.untold = new WeakSet();
    return true;
  }

  #sendAll(kind: number, payload: Uint8Array): void {
    for (const peer of this.#peers.values()) {
      if (this.#parts.send(peer.node, kind, payload) || kind === STATION_KINDS.digest) continue;
      this.#peers.lost(peer, this.#parts.now());
    }
  }
}

/** A station as it is told. */
export function recordOf(station: MeshStation, nowMs: number): StationRecord {
  const { vid, mac, sequence, seenMs, isIsolated } = station;
  return { vid, mac, sequence, isHeld: isHeldBySome(station), isIsolated, ageMs: nowMs - seenMs };
}
