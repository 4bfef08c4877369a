import { isGroupAddress } from '../../wire/ethernet/mac-address.ts';
import {
  decodeDigest,
  decodeNames,
  decodeRecords,
  encodeRecords,
  STATION_KINDS,
  type StationDigest,
  type StationName,
  type StationRecord,
} from '../../wire/mesh/station-records.ts';
import type { EntryKind } from '../filtering-entry.ts';
import { DIGEST_EVERY_MS, type ExchangeParts } from './exchange-parts.ts';
import { type Claim, isHeldBySome, isSet, type MeshStation, type StationPlace, supersedes } from './mesh-station.ts';
import type { StationPeer } from './station-peer.ts';
import { StationPeers } from './station-peers.ts';
import { recordOf, StationTeller } from './station-teller.ts';

const NOTHING = new Uint8Array();

/** The bridge sees a station on the fast path once a second. What was seen later by more than this was seen later. */
const SIGHT_TOLERANCE_MS = 3000;

/**
 * Tells the other nodes of a network which stations are at this one, and learns from them which are at theirs, as EVPN does
 * by BGP (RFC 7432, 9 and 15), but on the ports of the mesh. Sans-I/O.
 *
 * A node that sees a station that another one has told takes it over with a sequence number higher by one. Each node has all
 * announcements of each other one; nothing is passed on. Loss costs floods, no frames: a digest finds it, and what differs
 * is asked for as a whole.
 */
export class StationExchange {
  readonly #parts: ExchangeParts;
  readonly #peers: StationPeers;
  /** what is told of the own stations */
  readonly #own: StationTeller;
  /** Whether the store forgets because this exchange has asked for it. */
  #isForgetting = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#peers = new StationPeers(parts.wakeBy);
    this.#own = new StationTeller(parts, this.#peers);
  }

  /** How many own stations the others were told of, and how many wait. */
  get announced(): number {
    return this.#own.announced;
  }

  get waiting(): number {
    return this.#own.waiting;
  }

  /** Whether all stations that a node has announced are known here. */
  knowsAllOf(node: string): boolean {
    return this.#peers.get(node)?.isKnown === true;
  }

  /** Whether a node was told of an own station. */
  hasTold(station: MeshStation, node: string): boolean {
    return station.isAnnounced && this.#peers.get(node)?.untold.has(station) !== true;
  }

  /** A node is reached. */
  linkUp(node: string, nowMs: number): void {
    if (this.#peers.size === 0) this.#own.announceAll();
    this.#peers.add(node, nowMs);
    this.#own.linkUp(nowMs);
    this.#ask(nowMs);
  }

  /** A node is reached no longer: its stations are forgotten. */
  linkDown(node: string): void {
    this.#peers.remove(node);
    this.#forgetting(() => this.#parts.store.forgetNode(node));
  }

  /** A station is new at its port. */
  appeared(station: MeshStation): void {
    if (station.port.meshNode === undefined) this.#own.announce(station);
  }

  /** A station was seen at another port than before. */
  moved(station: MeshStation, from: StationPlace, was: EntryKind): void {
    const wasTold = this.#leaves(station, from, was);
    if (station.port.meshNode !== undefined) {
      this.#own.retract(station, from);
      return;
    }
    if (from.meshNode === undefined) {
      this.#own.movedWithin(station, from);
      return;
    }
    station.sequence = wasTold ? station.sequence + 1 : 0;
    station.isHeld = false;
    this.#own.announce(station);
  }

  /** A station was seen at the port of the switch itself, of which no node is told. */
  movedInside(station: MeshStation, from: StationPlace, was: EntryKind): void {
    this.#leaves(station, from, was);
    this.#own.retract(station, from);
  }

  /** A station is no longer where it was. @returns whether a node had told it */
  #leaves(station: MeshStation, from: StationPlace, was: EntryKind): boolean {
    if (was !== 'told' || from.meshNode === undefined) return false;
    const teller = this.#peers.get(from.meshNode);
    if (teller === undefined) return true;
    teller.sums.remove(station);
    teller.stale?.delete(station);
    if (station.isIsolated) teller.isInDoubt = true;
    return true;
  }

  /** The port of a station may be isolated now, or no longer. */
  isolationChanged(station: MeshStation): void {
    this.#own.isolationChanged(station);
  }

  /** A station was removed. */
  gone(station: MeshStation): void {
    const { meshNode } = station.port;
    if (meshNode === undefined) this.#own.retract(station, station.port);
    else if (station.kind === 'told') {
      const peer = this.#peers.get(meshNode);
      if (peer === undefined) return;
      peer.sums.remove(station);
      peer.stale?.delete(station);
      if (!this.#isForgetting) peer.isCut = true;
    }
  }

  /** Takes a message. @param node its sender */
  received(node: string, kind: number, payload: Uint8Array, nowMs: number): void {
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    this.#take(peer, kind, payload, nowMs);
    this.#peers.follow(peer);
  }

  #take(peer: StationPeer, kind: number, payload: Uint8Array, nowMs: number): void {
    const { node } = peer;
    switch (kind) {
      case STATION_KINDS.announce:
        this.#takeRecords(peer, decodeRecords(payload) ?? [], nowMs);
        break;
      case STATION_KINDS.withdraw:
        for (const name of decodeNames(payload) ?? []) this.#takeWithdrawal(peer, name, nowMs);
        break;
      case STATION_KINDS.flush:
        this.#forgetting(() => this.#parts.store.forgetNode(node));
        break;
      case STATION_KINDS.wholeBegin:
        peer.stale = new Set(this.#parts.store.toldBy(node));
        peer.answers(nowMs);
        break;
      case STATION_KINDS.wholeEnd:
        this.#takeEnd(peer, decodeDigest(payload), nowMs);
        break;
      case STATION_KINDS.digest:
        this.#takeDigest(peer, decodeDigest(payload), nowMs);
        break;
      case STATION_KINDS.wantWhole:
        this.#own.tellAll(peer, nowMs);
        break;
      case STATION_KINDS.newer:
        for (const record of decodeRecords(payload) ?? []) this.#takeNewer(record, nowMs);
        break;
      default:
    }
  }

  /** Does what is due, and asks for the next call. */
  tick(nowMs: number): void {
    this.#own.batch(nowMs);
    this.#ask(nowMs);
    this.#own.digest(nowMs);
  }

  /** Asks the nodes whose stations are not known. */
  #ask(nowMs: number): void {
    if (!this.#peers.isAnyOpen) return;
    for (const peer of this.#peers.values()) {
      if (peer.askMs <= nowMs) {
        this.#parts.send(peer.node, STATION_KINDS.wantWhole, NOTHING);
        peer.asked(nowMs);
      }
      if (peer.askMs !== Number.POSITIVE_INFINITY) this.#parts.wakeBy(peer.askMs);
    }
  }

  #takeRecords(peer: StationPeer, records: readonly StationRecord[], nowMs: number): void {
    const { node } = peer;
    const answers: StationRecord[] = [];
    const newer: StationRecord[] = [];
    if (peer.stale !== undefined) peer.answers(nowMs);
    for (const record of records) {
      // No station has such an address.
      if (isGroupAddress(record.mac) || record.mac === 0) continue;
      const known = this.#parts.store.find(record, nowMs);
      const holder = known?.port.meshNode;
      if (known === undefined || holder === node) this.#tell(peer, record, known, nowMs);
      else if (holder === undefined) this.#takeRival(peer, record, known, answers, nowMs);
      else if (known.kind !== 'told' || supersedes({ ...record, node }, claimOf(known, holder))) {
        this.#tell(peer, record, known, nowMs);
      } else newer.push(recordOf(known, nowMs));
      if (record.isIsolated && this.#parts.store.find(record, nowMs)?.port.meshNode !== node) peer.isInDoubt = true;
    }
    if (answers.length > 0) this.#parts.send(node, STATION_KINDS.announce, encodeRecords(answers));
    if (newer.length > 0) this.#parts.send(node, STATION_KINDS.newer, encodeRecords(newer));
  }

  /** Another node has a station of this one. */
  #takeRival(
    peer: StationPeer,
    record: StationRecord,
    own: MeshStation,
    answers: StationRecord[],
    nowMs: number,
  ): void {
    const { node } = peer;
    if (!supersedes({ ...record, node }, claimOf(own, this.#parts.self()))) {
      // Two nodes that have set the same station would answer each other for ever.
      if (own.isAnnounced && !record.isHeld) answers.push(recordOf(own, nowMs));
      return;
    }
    if (!record.isHeld && own.seenMs > nowMs - record.ageMs + SIGHT_TOLERANCE_MS) {
      this.#own.raise(own, record.sequence + 1);
      return;
    }
    this.#own.retract(own, own.port);
    this.#tell(peer, record, own, nowMs);
  }

  /** A third node holds a station by a later move than this node has announced. If it was seen here last, it has moved here. */
  #takeNewer(record: StationRecord, nowMs: number): void {
    const own = this.#parts.store.find(record, nowMs);
    if (own === undefined || own.port.meshNode !== undefined || isSet(own) || record.isHeld) return;
    // Of two sights within the tolerance the later one counts: this node may have announced again what moves away just now.
    if (own.sequence > record.sequence || own.seenMs < nowMs - record.ageMs) return;
    this.#own.raise(own, record.sequence + 1);
  }

  #tell(peer: StationPeer, record: StationRecord, known: MeshStation | undefined, nowMs: number): void {
    const { store } = this.#parts;
    const { sequence, isHeld, isIsolated, ageMs } = record;
    if (known?.kind === 'told') {
      this.#peers.get(known.port.meshNode)?.sums.remove(known);
      peer.stale?.delete(known);
      const teller = known.port.meshNode === peer.node ? undefined : this.#peers.get(known.port.meshNode);
      teller?.stale?.delete(known);
      if (teller !== undefined && known.isIsolated) teller.isInDoubt = true;
    }
    peer.sums.add(record);
    store.tell(record, peer.node, { sequence, isHeld, isIsolated, seenMs: nowMs - ageMs }, nowMs);
  }

  #takeWithdrawal({ node }: StationPeer, name: StationName, nowMs: number): void {
    const known = this.#parts.store.find(name, nowMs);
    // Also one that was learned from frames, since the announcement was lost.
    if (known?.port.meshNode === node) this.#forgetAll([known], nowMs);
  }

  #takeEnd(peer: StationPeer, digest: StationDigest | undefined, nowMs: number): void {
    const { stale } = peer;
    peer.stale = undefined;
    peer.wholeMs = nowMs;
    if (stale !== undefined) this.#forgetAll(stale, nowMs);
    if (digest === undefined || peer.sums.equals(digest) || peer.isCut) peer.agreed();
    else peer.differs(true, nowMs);
    this.#peers.follow(peer);
    this.#ask(nowMs);
  }

  #takeDigest(peer: StationPeer, digest: StationDigest | undefined, nowMs: number): void {
    if (digest === undefined || peer.isAnswering(nowMs)) return;
    peer.stale = undefined;
    if (peer.sums.equals(digest)) {
      peer.isCut = false;
      peer.isInDoubt = false;
      peer.agreed();
      return;
    }
    // What was displaced comes back when there is room for it; until then what differs is looked for more rarely.
    const isFull = peer.isCut && this.#parts.store.room < digest.count - peer.sums.count;
    if (isFull && nowMs - peer.wholeMs < DIGEST_EVERY_MS) return;
    peer.isCut = false;
    peer.differs(false, nowMs);
    this.#peers.follow(peer);
    this.#ask(nowMs);
  }

  #forgetAll(stations: Iterable<MeshStation>, nowMs: number): void {
    this.#forgetting(() => {
      for (const station of [...stations]) this.#parts.store.forget(station, nowMs);
    });
  }

  #forgetting(forget: () => void): void {
    this.#isForgetting = true;
    forget();
    this.#isForgetting = false;
  }
}

function claimOf(station: MeshStation, node: string): Claim {
  return { sequence: station.sequence, isHeld: isHeldBySome(station), node };
}
