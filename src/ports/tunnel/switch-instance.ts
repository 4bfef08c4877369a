import { randomBytes } from 'node:crypto';
import type { TunnelPeer } from '../../bridge/port.ts';
import { formatSwitchField, parseSwitchField, type SwitchField } from '../../wire/tunnel/switch-header.ts';

const ID_BYTES = 16;
/** What a peer says of its ranks counts up to here: from there on they can still grow by any number of tunnels. */
const MOST_CLAIMED_RANK = 2 ** 48;

/** What both ends know of the tunnel between them and of each other, once its opening handshake is done. */
export type Acquaintance = Omit<TunnelPeer, 'user' | 'isDialled'>;

/** A tunnel that we dial, before the answer. */
export interface OwnOffer {
  /** the field to send */
  readonly field: string;
  readonly tunnelId: string;
  readonly isParallelAllowed: boolean;
}

/**
 * Which switch this is, towards those at the other ends of its tunnels: a random
 * id for as long as it runs.
 *
 * It ranks tunnels, so that of several between two switches both ends choose the
 * same one. The client says the highest rank that it knows, the server ranks the
 * tunnel above that and above all that it knows itself (a Lamport clock). So an
 * older tunnel has the lower rank; tunnels that were dialled from both ends at
 * once may have the same, and are then ordered by their ids.
 */
export class SwitchInstance {
  readonly id: string = randomId();
  #rank = 0;

  /** For a tunnel that is about to be dialled. */
  offer(isParallelAllowed: boolean): OwnOffer {
    const tunnelId = randomId();
    const field = formatSwitchField({ instance: this.id, tunnelId, rank: this.#rank, isParallelAllowed });
    return { field, tunnelId, isParallelAllowed };
  }

  /** Whether a field that came was sent by this switch: the tunnel leads to itself. */
  isOwn(field: SwitchField | undefined): boolean {
    return field?.instance === this.id;
  }

  /**
   * As the server: ranks a tunnel.
   * @returns the field to answer with, and what is known now; undefined for a client that did not name the tunnel
   */
  accept(field: SwitchField | undefined): { answer: string; acquaintance: Acquaintance } | undefined {
    if (field?.tunnelId === undefined) return undefined;
    this.#rank = Math.max(this.#rank, Math.min(field.rank, MOST_CLAIMED_RANK)) + 1;
    const { instance, tunnelId, isParallelAllowed } = field;
    const rank = this.#rank;
    const answer = formatSwitchField({ instance: this.id, tunnelId: undefined, rank, isParallelAllowed });
    return { answer, acquaintance: { instance, tunnelId, rank, isParallelAllowed } };
  }

  /** As the client: takes the answer. @returns undefined when the server does not say which switch it is */
  accepted(offer: OwnOffer, field: SwitchField | undefined): Acquaintance | undefined {
    if (field === undefined) return undefined;
    const { instance, rank } = field;
    this.#rank = Math.max(this.#rank, Math.min(rank, MOST_CLAIMED_RANK));
    return { instance, tunnelId: offer.tunnelId, rank, isParallelAllowed: offer.isParallelAllowed };
  }
}

/** A field as Node gives it; one that stands twice counts as not sent. */
export function switchFieldOf(value: string | string[] | undefined): SwitchField | undefined {
  return typeof value === 'string' ? parseSwitchField(value) : undefined;
}

function randomId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
