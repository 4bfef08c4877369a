import { leaseOf } from './announcement-pace.ts';
import type { NodeAnnouncement, NodeFacts } from './node-announcement.ts';
import { CLUSTER_PROTOCOL, parseAnnouncement } from './parse-announcement.ts';

/** How long a node is a member after its last announcement, by the receiver's clock. */
export const LEASE_MS = 3000;
/** How long a node whose lease has ended is dialled further. */
export const SOUGHT_MS = 600_000;
/** The longest time that one tick counts: what a process has slept through is no silence of the others. */
const MOST_TICK_MS = 1000;

/**
 * `up`: it announces itself. `late`: its lease has ended, but a mesh tunnel to it stands, or this node has lost the store and
 * cannot know.
 */
export type MemberState = 'up' | 'late';

export interface Member {
  readonly announcement: NodeAnnouncement;
  readonly state: MemberState;
}

/** What has changed in the set of members. */
export type MembershipChange =
  | { readonly kind: 'up' | 'restarted' | 'changed'; readonly node: string; readonly announcement: NodeAnnouncement }
  | { readonly kind: 'down'; readonly node: string; readonly reason: string }
  /** a node that was down is no longer dialled */
  | { readonly kind: 'unsought'; readonly node: string }
  /** another start of the name of this node was heard; it may say that it leaves */
  | { readonly kind: 'conflict'; readonly node: string; readonly announcement: NodeAnnouncement };

export interface MembershipOptions {
  /** the name of this node */
  readonly node: string;
  /** random at each start */
  readonly boot: string;
  /** default `LEASE_MS` */
  readonly leaseMs?: number;
  /** Called with each change, within the call that causes it. */
  readonly onChange: (change: MembershipChange) => void;
}

interface Known {
  announcement: NodeAnnouncement;
  /** when the lease ends, on the clock of the membership */
  untilMs: number;
}

/**
 * The other nodes of the cluster, by their announcements: sans-I/O.
 *
 * - A node is a member for `LEASE_MS` after its last announcement, or for three of the intervals that it tells. The lease is
 *   measured by ticks of this node's monotonic clock, so wall clocks do not matter, and a process that was stopped forgets no
 *   node at once when it goes on.
 * - Fail static: while this node has no connection to the store, no lease ends. When it is back, all leases begin anew.
 * - A node to which a mesh tunnel stands is a member whatever its lease says: the tunnel shows that it lives.
 * - A node whose lease has ended is sought for `SOUGHT_MS`: a network that was cut in two is joined by the tunnels, before the
 *   servers of the store have found each other again. One that has said that it leaves is not.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #leaseMs: number;
  readonly #known = new Map<string, Known>();
  /** nodes whose lease has ended; `untilMs` is when they are no longer sought */
  readonly #sought = new Map<string, Known>();
  readonly #tunnels = new Set<string>();
  #hasStore = false;
  #nowMs = 0;
  #tickedMs: number | undefined;
  #sequence = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
  }

  /** The next announcement of this node. */
  announce(facts: NodeFacts, isLeaving = false): NodeAnnouncement {
    const { node, boot } = this.#options;
    const own = { protocol: CLUSTER_PROTOCOL, node, boot, sequence: ++this.#sequence };
    return { ...own, ...facts, ...(isLeaving ? { isLeaving } : {}) };
  }

  /** A message on the subject of announcements has come; what is none is ignored. */
  heard(message: unknown): void {
    const announcement = parseAnnouncement(message);
    if (announcement === undefined) return;
    const { node, boot, sequence, isLeaving } = announcement;
    if (node === this.#options.node) {
      if (boot !== this.#options.boot) this.#tell({ kind: 'conflict', node, announcement });
      return;
    }
    const known = this.#known.get(node);
    const former = known ?? this.#sought.get(node);
    const isSameStart = former?.announcement.boot === boot;
    if (former !== undefined && isSameStart && sequence <= former.announcement.sequence) return;
    if (isLeaving === true) {
      if (!isSameStart) return;
      this.#sought.delete(node);
      if (known !== undefined) this.#forget(known, 'it was stopped');
      return;
    }
    this.#sought.delete(node);
    const untilMs = this.#nowMs + leaseOf(announcement.intervalMs, this.#leaseMs);
    if (known === undefined) {
      this.#known.set(node, { announcement, untilMs });
      this.#tell({ kind: 'up', node, announcement });
      return;
    }
    const hasChanged = factsOf(known.announcement) !== factsOf(announcement);
    known.announcement = announcement;
    known.untilMs = untilMs;
    if (!isSameStart) {
      this.#tunnels.delete(node);
      this.#tell({ kind: 'restarted', node, announcement });
    } else if (hasChanged) this.#tell({ kind: 'changed', node, announcement });
  }

  /** The connection to the store was lost, or is back. */
  setStore(isConnected: boolean): void {
    if (isConnected && !this.#hasStore) {
      for (const known of this.#known.values()) {
        known.untilMs = this.#nowMs + leaseOf(known.announcement.intervalMs, this.#leaseMs);
      }
    }
    this.#hasStore = isConnected;
  }

  /** Whether any mesh tunnel to a node stands. */
  setTunnel(node: string, isUp: boolean): void {
    if (!isUp) {
      this.#tunnels.delete(node);
      return;
    }
    this.#tunnels.add(node);
    const found = this.#sought.get(node);
    if (found === undefined) return;
    this.#sought.delete(node);
    // Its lease has ended: only the tunnel makes it a member, until it is heard.
    this.#known.set(node, { announcement: found.announcement, untilMs: this.#nowMs });
    this.#tell({ kind: 'up', node, announcement: found.announcement });
  }

  /** Ends leases. To be called about four times a second. @param nowMs any monotonic clock */
  tick(nowMs: number): void {
    const passedMs = nowMs - (this.#tickedMs ?? nowMs);
    this.#tickedMs = nowMs;
    this.#nowMs += Math.min(MOST_TICK_MS, Math.max(0, passedMs));
    if (!this.#hasStore) return;
    for (const [node, { untilMs }] of this.#sought) if (untilMs <= this.#nowMs) this.#stopSeeking(node);
    for (const [node, known] of this.#known) {
      if (known.untilMs > this.#nowMs || this.#tunnels.has(node)) continue;
      this.#sought.set(node, { announcement: known.announcement, untilMs: this.#nowMs + SOUGHT_MS });
      this.#forget(
        known,
        `no announcement for ${leaseOf(known.announcement.intervalMs, this.#leaseMs) / 1000} s, and no tunnel`,
      );
    }
  }

  get(node: string): Member | undefined {
    const known = this.#known.get(node);
    return known === undefined ? undefined : this.#member(known);
  }

  /** The other nodes, without this one, in any order. */
  *members(): IterableIterator<Member> {
    for (const known of this.#known.values()) yield this.#member(known);
  }

  /** What the nodes have announced to which tunnels are wanted: the members, and nodes whose lease has ended lately. */
  *wanted(): IterableIterator<NodeAnnouncement> {
    for (const { announcement } of this.#known.values()) yield announcement;
    for (const { announcement } of this.#sought.values()) yield announcement;
  }

  /** The last announcement of a node to which a tunnel is wanted. */
  wantedOne(node: string): NodeAnnouncement | undefined {
    return (this.#known.get(node) ?? this.#sought.get(node))?.announcement;
  }

  get size(): number {
    return this.#known.size;
  }

  #member({ announcement, untilMs }: Known): Member {
    return { announcement, state: untilMs > this.#nowMs && this.#hasStore ? 'up' : 'late' };
  }

  #forget({ announcement: { node } }: Known, reason: string): void {
    this.#known.delete(node);
    this.#tunnels.delete(node);
    this.#tell({ kind: 'down', node, reason });
  }

  /** Its tunnels are closed by the listener, which looks again at what is wanted. */
  #stopSeeking(node: string): void {
    this.#sought.delete(node);
    this.#tell({ kind: 'unsought', node });
  }

  #tell(change: MembershipChange): void {
    this.#options.onChange(change);
  }
}

/** What matters to the others; load changes all the time. */
function factsOf({ url, networks, isDraining, detours, version }: NodeAnnouncement): string {
  return JSON.stringify([url, networks, isDraining, detours, version]);
}
