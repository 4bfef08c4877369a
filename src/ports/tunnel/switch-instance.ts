import { createHash, randomBytes } from 'node:crypto';
import type { TunnelPeer } from '../../bridge/port.ts';
import { formatSwitchField, parseSwitchField, type SwitchField } from '../../wire/tunnel/switch-header.ts';

const ID_BYTES = 16;
const DEFAULT_NETWORK = 'default';
/** Higher ranks of a peer are taken as this value, which leaves room to count up within 2^53. */
const MOST_CLAIMED_RANK = 2 ** 48;

/** What both ends know of a tunnel and of each other after the opening handshake. */
export type Acquaintance = Omit<TunnelPeer, 'user' | 'isDialled'>;

/** A tunnel that is dialled here, before the answer. */
export interface OwnOffer {
  /** the field to send */
  readonly field: string;
  readonly tunnelId: string;
  readonly isParallelAllowed: boolean;
}

/**
 * The identity of a network of this switch towards its peers: a random id, valid while the
 * process runs. Each network has its own, since tunnels to two networks of one switch make no loop. Two of them do not tell
 * that they belong to one switch.
 *
 * It also ranks tunnels, so that both ends choose the same one of several tunnels
 * between them. The client sends the highest rank that it knows; the server gives
 * the tunnel a rank above that and above all ranks that it knows (a Lamport
 * clock). So an older tunnel has the lower rank. Tunnels dialled from both ends
 * at once may have equal ranks, and are then ordered by their ids.
 */
export class SwitchInstance {
  readonly id: string;
  /** The highest known rank, shared by the networks of the switch. */
  readonly #rank: { highest: number };
  readonly #secret: string;

  /** The identity of the default network; `of` makes the others. */
  constructor(id = randomId(), secret = randomId(), rank = { highest: 0 }) {
    this.id = id;
    this.#secret = secret;
    this.#rank = rank;
  }

  /** The identity of another network of the switch, always the same for a name. */
  of(network: string): SwitchInstance {
    if (network === DEFAULT_NETWORK) return this;
    const hash = createHash('sha256').update(`${this.#secret} ${network}`).digest().subarray(0, ID_BYTES);
    return new SwitchInstance(hash.toString('base64url'), this.#secret, this.#rank);
  }

  /** Makes the field for a tunnel that is about to be dialled. */
  offer(isParallelAllowed: boolean): OwnOffer {
    const tunnelId = randomId();
    const field = formatSwitchField({ instance: this.id, tunnelId, rank: this.#rank.highest, isParallelAllowed });
    return { field, tunnelId, isParallelAllowed };
  }

  /** Whether a received field was sent by this switch: the tunnel leads to itself. */
  isOwn(field: SwitchField | undefined): boolean {
    return field?.instance === this.id;
  }

  /**
   * On the server: ranks a tunnel.
   * @returns the field of the answer, and the known facts; undefined when the client did not name the tunnel
   */
  accept(field: SwitchField | undefined): { answer: string; acquaintance: Acquaintance } | undefined {
    if (field?.tunnelId === undefined) return undefined;
    this.#rank.highest = Math.max(this.#rank.highest, Math.min(field.rank, MOST_CLAIMED_RANK)) + 1;
    const { instance, tunnelId, isParallelAllowed } = field;
    const rank = this.#rank.highest;
    const answer = formatSwitchField({ instance: this.id, tunnelId: undefined, rank, isParallelAllowed });
    return { answer, acquaintance: { instance, tunnelId, rank, isParallelAllowed } };
  }

  /** On the client: evaluates the answer. @returns undefined when the server did not identify itself */
  accepted(offer: OwnOffer, field: SwitchField | undefined): Acquaintance | undefined {
    if (field === undefined) return undefined;
    const { instance, rank } = field;
    this.#rank.highest = Math.max(this.#rank.highest, Math.min(rank, MOST_CLAIMED_RANK));
    return { instance, tunnelId: offer.tunnelId, rank, isParallelAllowed: offer.isParallelAllowed };
  }
}

/** Parses a field as Node gives it; a repeated field counts as absent. */
export function switchFieldOf(value: string | string[] | undefined): SwitchField | undefined {
  return typeof value === 'string' ? parseSwitchField(value) : undefined;
}

function randomId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
