import { formatTunnelLoss } from '../../wire/tunnel/tunnel-loss.ts';
import { OPCODE_BINARY, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT } from '../../wire/websocket/framing.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { RawPeer } from './raw-peer.ts';
import { textPongTo } from './text-ping.ts';

/** A slot of its own, so that a loss announcement and a keep-alive ping do not replace each other while they wait. */
const LOSS_SLOT = OPCODE_PING | 0x10;
/** A list of nodes replaces an older one that waits. */
const NODES_SLOT = OPCODE_BINARY | 0x10;

/**
 * The messages that a connection sends besides frames, ahead of them: pings (RFC 6455, 5.5.2), answers to pings, and what both
 * ends of etherws tell each other. Of each kind the latest one waits, so a peer cannot make them pile up.
 */
export class UrgentMessages {
  readonly #outbox: Pick<Outbox, 'sendUrgent'>;
  readonly #rawPeer: Pick<RawPeer, 'filler'> | undefined;
  #pong: Buffer | undefined;
  #textPong: string | undefined;
  /** Whether `answer` has something to send. A property, since each read asks for it. */
  isDue = false;

  /** @param rawPeer present on the raw wire */
  constructor(outbox: Pick<Outbox, 'sendUrgent'>, rawPeer: Pick<RawPeer, 'filler'> | undefined) {
    this.#outbox = outbox;
    this.#rawPeer = rawPeer;
  }

  ping(payload: Buffer): void {
    this.#sendPing(OPCODE_PING, payload);
  }

  /** Announces to the peer that another tunnel to it is lost, and that this one is used. */
  announceLoss(tunnelId: string): void {
    this.#sendPing(LOSS_SLOT, formatTunnelLoss(tunnelId));
  }

  /** Sends a list of nodes (node-list.ts). */
  tellNodes(message: Buffer): void {
    this.#outbox.sendUrgent(NODES_SLOT, message);
  }

  /** The peer has sent a ping, which `answer` answers, with the payload of the last one. */
  pinged(payload: Buffer): void {
    this.#pong = payload;
    this.isDue = true;
  }

  /** The peer has sent a text message: `answer` answers it if it is a ping of an application (text-ping.ts). */
  texted(text: string): void {
    const pong = textPongTo(text);
    if (pong === undefined) return;
    this.#textPong = pong;
    this.isDue = true;
  }

  /** Answers the pings of a read. */
  answer(): void {
    if (this.#pong !== undefined) this.#outbox.sendUrgent(OPCODE_PONG, this.#pong);
    if (this.#textPong !== undefined) this.#outbox.sendUrgent(OPCODE_TEXT, Buffer.from(this.#textPong));
    this.#pong = undefined;
    this.#textPong = undefined;
    this.isDue = false;
  }

  /** Sends a ping; on the raw wire followed by a filler frame, for peers that wait for a data message (RawPeer). */
  #sendPing(slot: number, payload: Buffer): void {
    this.#outbox.sendUrgent(slot, payload);
    if (this.#rawPeer !== undefined) this.#outbox.sendUrgent(OPCODE_BINARY, this.#rawPeer.filler());
  }
}
