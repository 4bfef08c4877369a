import type { BridgePort } from './bridge-port.ts';
import { LazyMap } from './lazy-map.ts';
import type { TunnelPeer } from './port.ts';

export interface ParallelEvents {
  /** The port stands by for another one, and does not forward. */
  standsBy(port: BridgePort, active: BridgePort): void;
  /** The port forwards instead of another one. @param lost the id of the former one's tunnel */
  takesOver(port: BridgePort, former: BridgePort, lost: string): void;
}

interface Member {
  readonly peer: TunnelPeer;
  /** The port that this one stands by for, and the id of its tunnel. */
  active: { readonly port: BridgePort; readonly tunnelId: string } | undefined;
}

/**
 * Selects the one tunnel that forwards among several tunnels to the same switch, since two would
 * be a loop: the usable one with the lowest rank, which is the oldest. Both ends know the
 * same ranks, and so select the same tunnel.
 *
 * Each end by itself breaks the loop, since it forwards by only
 * one of them. The two stay connected because both select the same one.
 */
export class ParallelTunnels {
  readonly #events: ParallelEvents;
  readonly #members = new LazyMap<BridgePort, Member>();
  readonly #byInstance = new LazyMap<string, Set<BridgePort>>();
  #isSuspended = false;

  constructor(events: ParallelEvents) {
    this.#events = events;
  }

  /**
   * While suspended no port stands by, since spanning tree decides. Of that no event tells.
   * @returns whether this is a change, after which `update` is to be called for each port
   */
  setSuspended(isSuspended: boolean): boolean {
    if (isSuspended === this.#isSuspended) return false;
    this.#isSuspended = isSuspended;
    for (const port of this.#members.keys()) port.standsByFor = undefined;
    this.#members.clear();
    this.#byInstance.clear();
    return true;
  }

  /** To be called when a port was added, removed, shut or opened, and when its link or its tunnel has changed. */
  update(port: BridgePort, isAttached: boolean): void {
    const former = this.#members.get(port);
    const mayBe = isAttached && port.isUsable && !this.#isSuspended && port.meshNode === undefined;
    const peer = mayBe ? port.port.tunnel?.peer : undefined;
    const next = peer === undefined || peer.isParallelAllowed ? undefined : peer;
    if (former?.peer.tunnelId === next?.tunnelId) return;
    if (former !== undefined) this.#remove(port, former.peer.instance);
    if (next !== undefined) this.#add(port, next);
    if (former !== undefined && former.peer.instance !== next?.instance) this.#elect(former.peer.instance);
    if (next !== undefined) this.#elect(next.instance);
  }

  /** The port of the tunnel with this id; undefined without one. */
  find(tunnelId: string): BridgePort | undefined {
    for (const [port, { peer }] of this.#members) if (peer.tunnelId === tunnelId) return port;
    return undefined;
  }

  #add(port: BridgePort, peer: TunnelPeer): void {
    this.#members.set(port, { peer, active: undefined });
    const group = this.#byInstance.get(peer.instance);
    if (group === undefined) this.#byInstance.set(peer.instance, new Set([port]));
    else group.add(port);
  }

  #remove(port: BridgePort, instance: string): void {
    this.#members.delete(port);
    port.standsByFor = undefined;
    const group = this.#byInstance.get(instance);
    group?.delete(port);
    if (group?.size === 0) this.#byInstance.delete(instance);
  }

  #elect(instance: string): void {
    const group = [...(this.#byInstance.get(instance) ?? [])].map((port) => ({
      port,
      member: this.#members.get(port) as Member,
    }));
    group.sort((one, other) => compareAge(one.member.peer, other.member.peer));
    const forwarding: typeof group = [];
    for (const entry of group) {
      const { port, member } = entry;
      const active = forwarding.find((older) => areParallel(older.member.peer, member.peer));
      if (active === undefined) {
        forwarding.push(entry);
        const former = member.active;
        member.active = undefined;
        port.standsByFor = undefined;
        if (former !== undefined) this.#events.takesOver(port, former.port, former.tunnelId);
      } else if (member.active?.port !== active.port || member.active.tunnelId !== active.member.peer.tunnelId) {
        member.active = { port: active.port, tunnelId: active.member.peer.tunnelId };
        port.standsByFor = active.port;
        this.#events.standsBy(port, active.port);
      }
    }
  }
}

/** The older tunnel first. */
function compareAge(one: TunnelPeer, other: TunnelPeer): number {
  if (one.rank !== other.rank) return one.rank - other.rank;
  return one.tunnelId < other.tunnelId ? -1 : 1;
}

/** Tunnels of different users are never parallel, whatever their instance ids are: a user must not displace another one's tunnel. */
function areParallel(one: TunnelPeer, other: TunnelPeer): boolean {
  return one.isDialled || other.isDialled || one.user === other.user;
}
