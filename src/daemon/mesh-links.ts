import type { PortNumber } from '../bridge/bridge-port.ts';
import type { Port } from '../bridge/port.ts';
import type { WantedLink } from '../cluster/mesh-plan.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import { MeshPort } from '../ports/mesh/mesh-port.ts';

/** A tunnel that this node dials, to one start of the other node. */
export interface DialledLink extends WantedLink {
  /** what makes another tunnel necessary when it changes: the other node's URL and start */
  readonly end: string;
  readonly open: () => Port;
}

export interface MeshLink {
  readonly node: string;
  readonly network: string;
  readonly isDialled: boolean;
  readonly isUp: boolean;
  readonly port: number;
  readonly roundTripMs: number | undefined;
  /** why it is not up */
  readonly reason: string | undefined;
  /** the node that carries it; undefined: none */
  readonly via: string | undefined;
  /** Whether it is dialled, and cannot be had directly. */
  readonly isCutOff: boolean;
  /** since when it is up, or is not; clock: `performance.now` */
  readonly sinceMs: number;
}

interface Held {
  readonly node: string;
  readonly network: string;
  readonly number: PortNumber;
  readonly port: Port;
  /** undefined: accepted */
  readonly end: string | undefined;
  wasUp: boolean;
  sinceMs: number;
}

/** An accepted tunnel is not replaced by a second one of the same attempt to dial within this time. */
const FRESH_MS = 1000;
/** So many links have the number back that they had; more than the nodes and networks of most clusters. */
const MOST_NUMBERS = 10_000;

/** The ports of the mesh: at most one for each network and node, which keeps its number when its tunnel is made anew. */
export class MeshLinks {
  readonly #switch: Switch;
  readonly #node: string;
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();
  #ended = 0;
  /** the last number of each link, the latest one last */
  readonly #numbers = new Map<string, PortNumber>();

  /** @param node the name of this node */
  constructor(target: Switch, node: string, logger: Logger) {
    this.#switch = target;
    this.#node = node;
    this.#logger = logger;
  }

  /** Opens what is dialled and missing, and closes what is not wanted. */
  setWanted(wanted: readonly WantedLink[], dialled: (link: WantedLink) => DialledLink | undefined): void {
    this.closeUnwanted(wanted, dialled);
    for (const link of wanted) {
      if (!link.isDialled || this.#held.has(keyOf(link))) continue;
      const dial = dialled(link);
      if (dial !== undefined) this.#attach(dial.open(), link, dial.end);
    }
  }

  /** Closes what is not wanted, and opens nothing. */
  closeUnwanted(wanted: readonly WantedLink[], dialled: (link: WantedLink) => DialledLink | undefined): void {
    const keys = new Map(wanted.map((link) => [keyOf(link), link]));
    for (const [key, held] of this.#held) {
      const link = keys.get(key);
      const end = link?.isDialled === true ? dialled(link)?.end : undefined;
      if (link === undefined || end !== held.end) this.#close(held);
    }
  }

  /** Whether there is a tunnel, up or not. */
  has(link: Pick<WantedLink, 'node' | 'network'>): boolean {
    return this.#held.has(keyOf(link));
  }

  /** How many tunnels have ended, so that there may be room for others. */
  get ended(): number {
    return this.#ended;
  }

  /** Closes a tunnel that this node dials, if it is to this end. */
  drop(link: Pick<WantedLink, 'node' | 'network'>, end: string): void {
    const held = this.#held.get(keyOf(link));
    if (held?.end === end) this.#close(held);
  }

  /** Whether an accepted tunnel would take the place of one that has just been accepted. */
  isFresh(node: string, network: string): boolean {
    const held = this.#held.get(keyOf({ node, network }));
    if (held === undefined) return false;
    return this.#isUp(held) && performance.now() - held.sinceMs < FRESH_MS;
  }

  /** Takes a tunnel that the other node has dialled, in place of the former one. */
  accept(port: Port, node: string, network: string): void {
    const former = this.#held.get(keyOf({ node, network }));
    if (former !== undefined) this.#close(former);
    this.#attach(port, { node, network }, undefined);
  }

  /** All links; a change of `isUp` is noticed by the next call. */
  *links(): IterableIterator<MeshLink> {
    const nowMs = performance.now();
    for (const held of this.#held.values()) {
      const isUp = this.#isUp(held);
      if (isUp !== held.wasUp) {
        held.wasUp = isUp;
        held.sinceMs = nowMs;
      }
      const { node, network, number, port, end, sinceMs } = held;
      const { linkReason } = this.#switch.port(number);
      const details = 'details' in port ? (port.details as { connection?: { roundTripMs?: number } }) : {};
      const { roundTripMs } = details.connection ?? {};
      const way =
        port instanceof MeshPort ? { via: port.via, isCutOff: port.isCutOff } : { via: undefined, isCutOff: false };
      const isDialled = end !== undefined;
      yield { node, network, isDialled, isUp, port: number, roundTripMs, reason: linkReason, sinceMs, ...way };
    }
  }

  close(): void {
    for (const held of [...this.#held.values()]) this.#close(held);
  }

  #isUp({ number }: Held): boolean {
    return this.#switch.port(number).link === 'up';
  }

  #attach(port: Port, { node, network }: Pick<WantedLink, 'node' | 'network'>, end: string | undefined): void {
    const key = keyOf({ node, network });
    try {
      this.#switch.network(network).entities.mesh.setSelf(this.#node);
      let isDropped = false;
      const dropped = ({ number: dropping }: { readonly number: PortNumber }): void => {
        isDropped = true;
        if (this.#held.get(key)?.number !== dropping) return;
        this.#held.delete(key);
        this.#ended++;
      };
      const number = this.#switch.attach(port, { network, dropped, number: this.#numbers.get(key) });
      this.#remember(key, number);
      if (isDropped) return;
      const wasUp = this.#switch.port(number).link === 'up';
      this.#held.set(key, { node, network, number, port, end, wasUp, sinceMs: performance.now() });
    } catch (error) {
      // The network or the switch was closed meanwhile.
      this.#logger.debug({ node, network, error }, 'a mesh tunnel was not taken');
      void port.close('shutdown');
    }
  }

  #remember(key: string, number: PortNumber): void {
    this.#numbers.delete(key);
    this.#numbers.set(key, number);
    for (const oldest of this.#numbers.keys()) {
      if (this.#numbers.size <= MOST_NUMBERS) return;
      this.#numbers.delete(oldest);
    }
  }

  #close(held: Held): void {
    this.#held.delete(keyOf(held));
    this.#ended++;
    this.#switch.detach(held.number).catch((error: unknown) => {
      this.#logger.debug({ error }, 'a mesh port was gone already');
    });
  }
}

function keyOf({ node, network }: Pick<WantedLink, 'node' | 'network'>): string {
  return `${node}/${network}`;
}
