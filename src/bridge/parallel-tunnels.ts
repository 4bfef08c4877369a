import type { BridgePort } from './bridge-port.ts';
import type { TunnelPeer } from './port.ts';

/** Told of what changes. `takesOver` names the tunnels that the port stood by for. */
export interface ParallelEvents {
  /** The port stands by for another one and forwards nothing. */
  standsBy(port: BridgePort, active: BridgePort): void;
  /** The port forwards in place of another one. @param lost the id of that one's tunnel */
  takesOver(port: BridgePort, former: BridgePort, lost: string): void;
}

interface Member {
  readonly peer: TunnelPeer;
  /** What the port stands by for, and its tunnel's id then. */
  active: { readonly port: BridgePort; readonly tunnelId: string } | undefined;
}

/**
 * Which of several tunnels to one switch forwards: two that do are a loop. It is
 * the one with the lowest rank among those that could, which is the oldest; the
 * other end comes to the same result from the same ranks.
 *
 * Each end alone is enough to break the loop, since neither forwards by more than
 * one of them. That both choose the same one is what keeps them connected.
 */
export class ParallelTunnels {
  readonly #events: ParallelEvents;
  readonly #members = new Map<BridgePort, Member>();
  readonly #byInstance = new Map<string, Set<BridgePort>>();

  constructor(events: ParallelEvents) {
    this.#events = events;
  }

  /** Looks at a port anew: it came, went, was shut or opened, or its link or its tunnel is another one. */
  update(port: BridgePort, isAttached: boolean): void {
    const former = this.#members.get(port);
    const peer = isAttached && port.isUsable ? port.port.tunnel?.peer : undefined;
    const next = peer === undefined || peer.isParallelAllowed ? undefined : peer;
    if (former?.peer.tunnelId === next?.tunnelId) return;
    if (former !== undefined) this.#remove(port, former.peer.instance);
    if (next !== undefined) this.#add(port, next);
    if (former !== undefined && former.peer.instance !== next?.instance) this.#elect(former.peer.instance);
    if (next !== undefined) this.#elect(next.instance);
  }

  /** The port whose tunnel has that id, if any. */
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

/** Two users are two peers, whatever their switches say: neither may take the other's place. */
function areParallel(one: TunnelPeer, other: TunnelPeer): boolean {
  return one.isDialled || other.isDialled || one.user === other.user;
}
