import type { Congestion, DiscardReason } from '../../bridge/port.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { endFlows } from '../../native/flow-table.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import { isNodeList } from '../../wire/tunnel/node-list.ts';
import { formatTunnelLoss, parseTunnelLoss } from '../../wire/tunnel/tunnel-loss.ts';
import { MAX_TUNNEL_MESSAGE_BYTES, readMessage } from '../../wire/tunnel/tunnel-message.ts';
import {
  CLOSE_NO_CODE,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_SERVICE_RESTART,
  closePayload,
  describeClose,
} from '../../wire/websocket/close-code.ts';
import { OPCODE_BINARY, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT } from '../../wire/websocket/framing.ts';
import { MessageParser, type MessageSink } from '../../wire/websocket/parser.ts';
import { BLOCKS } from '../stream/block-pool.ts';
import { BUFFERS, type BufferHolder } from '../stream/buffer-budget.ts';
import type { FrameList } from '../stream/frame-list.ts';
import { HEARTBEAT, type Heartbeat, type Periodic } from '../stream/heartbeat.ts';
import type { TunnelLimits } from '../stream/limits.ts';
import { Liveness } from '../stream/liveness.ts';
import { Outbox } from '../stream/outbox.ts';
import { PACKINGS, type Wire } from '../stream/packing.ts';
import type { FramingEvents, Transport, TransportEvents } from '../stream/transport.ts';
import { describeFailure } from './connection-failure.ts';
import type { ConnectionEvents, ConnectionOptions } from './connection-options.ts';
import { Inbox, type InboxEvents } from './inbox.ts';
import { IngressWait } from './ingress-wait.ts';
import { CODEC, ENCODERS, fastMask } from './masking.ts';
import { RawPeer } from './raw-peer.ts';
import { textPongTo } from './text-ping.ts';

/** A slot of its own, so that a loss announcement and a keep-alive ping do not replace each other while they wait. */
const LOSS_SLOT = OPCODE_PING | 0x10;
/** A list of nodes replaces an older one that waits. */
const NODES_SLOT = OPCODE_BINARY | 0x10;

/**
 * An established WebSocket connection that carries Ethernet frames in binary
 * messages: everything of RFC 6455 after the opening handshake.
 *
 * - the heartbeat sends pings (5.5.2), and silence ends the connection
 *   (liveness.ts); pings of the peer are answered, at most one per read;
 * - either side may begin the closing handshake (7.1); when the peer does not
 *   answer within `closeTimeoutMs`, the connection is cut.
 */
export class Connection implements MessageSink, TransportEvents, FramingEvents, Periodic, InboxEvents, BufferHolder {
  readonly #transport: Transport;
  readonly #limits: TunnelLimits;
  readonly #heartbeat: Heartbeat;
  readonly #liveness: Liveness;
  readonly #parser: MessageParser;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #wire: Wire;
  readonly #ingressWait: IngressWait;
  /** On the raw wire, where the peer may be another program than etherws. */
  readonly #rawPeer: RawPeer | undefined;
  readonly #onNodeList: ConnectionOptions['onNodeList'];
  /** to be sent when the connection is opened */
  #nodeList: Buffer | undefined;
  #events: ConnectionEvents | undefined;

  #state: 'idle' | 'open' | 'closing' | 'closed' = 'idle';
  #lostReason: string | undefined;
  #isCloseSent = false;
  #isCloseReceived = false;
  #isPeerRestarting = false;
  #closeTimer: NodeJS.Timeout | undefined;
  #onClosed: (() => void)[] = [];

  /** The pong to send after the current read. */
  #pong: Buffer | undefined;
  #textPong: string | undefined;

  constructor(options: ConnectionOptions) {
    const { transport, role, limits } = options;
    this.#transport = transport;
    this.#ingressWait = new IngressWait(transport);
    this.#limits = limits;
    this.#heartbeat = options.heartbeat ?? HEARTBEAT;
    this.#wire = options.wire;
    this.#onNodeList = options.onNodeList;
    this.#liveness = new Liveness(limits, options.wire === 'batched');
    this.#rawPeer = options.wire === 'raw' ? new RawPeer(role === 'client') : undefined;
    this.#inbox = new Inbox(this, BLOCKS, options.maxFrameBytes, this.#rawPeer);
    this.#outbox = new Outbox({
      transport,
      encoder: ENCODERS[role],
      packing: PACKINGS[options.wire],
      blocks: BLOCKS,
      budget: BUFFERS,
      queueBytes: limits.queueBytes,
      urgent: options.urgent,
      dropped: (reason, frames) => this.#events?.discarded('tx', reason, frames),
    });
    const maxMessageBytes = options.wire === 'raw' ? limits.maxMessageBytes : MAX_TUNNEL_MESSAGE_BYTES;
    this.#parser = new MessageParser({
      isMasked: role === 'server',
      maxMessageBytes,
      mask: fastMask,
      codec: CODEC,
      memory: this.#inbox,
      sink: this,
    });
    if (options.onGone !== undefined) this.#onClosed.push(options.onGone);
    transport.listen(this, {
      isMasking: role === 'client',
      isBatched: this.#wire === 'batched',
      maxMessageBytes,
      events: this,
    });
  }

  readonly #pushFrame = (bytes: Buffer, start: number, length: number): void => {
    this.#inbox.push(bytes, start, length);
  };

  /** The last measured round trip; undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#liveness.roundTripMs;
  }

  /** Sends a ping now. @param answered called with the round trip in milliseconds, if the peer answers */
  measure(answered: (roundTripMs: number) => void): void {
    if (this.#state === 'open') this.#ping(OPCODE_PING, this.#liveness.measure(this.#heartbeat.nowMs, answered));
  }

  /** Whether any octet has arrived after the opening handshake: the peer then knows that it succeeded. */
  get isHeard(): boolean {
    return this.#liveness.isHeard;
  }

  /** Whether the peer ended the connection by a Close message or a protocol error; such a connection does not count as lost. */
  get hasParted(): boolean {
    return this.#isCloseReceived;
  }

  /** Whether the peer has closed the connection with 1012 Service Restart. */
  get isPeerRestarting(): boolean {
    return this.#isPeerRestarting;
  }

  /** The ingress end of native flows, on the batched wire only. */
  get flowSource(): Descriptor | undefined {
    return this.#state === 'open' ? this.#transport.flowEnd : undefined;
  }

  get flowTarget(): Descriptor | undefined {
    return this.#wire === 'batched' ? this.flowSource : undefined;
  }

  /** Present while the egress queue is congested. */
  get congestion(): Congestion | undefined {
    return this.#outbox.congestion;
  }

  /** Octets that wait in user space. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /** How long the oldest frame in the queue has waited, in milliseconds; 0 when none waits. */
  get oldestWaitedMs(): number {
    return this.#outbox.oldestWaitedMs;
  }

  /** Starts delivery, beginning with octets that arrived before. To be called once. */
  open(events: ConnectionEvents): void {
    this.#events = events;
    if (this.#state !== 'idle') {
      events.lost(this.#lostReason ?? 'closed');
      return;
    }
    this.#state = 'open';
    this.#heartbeat.add(this);
    BUFFERS.add(this);
    this.#liveness.start(this.#heartbeat.nowMs);
    this.#transport.start();
    if (this.#nodeList !== undefined) this.tellNodes(this.#nodeList);
    this.#nodeList = undefined;
  }

  /** Sends a list of nodes (node-list.ts), on the batched wire only; before `open` the last one is sent with it. */
  tellNodes(message: Buffer): void {
    if (this.#state === 'idle') this.#nodeList = message;
    else if (this.#state === 'open' && this.#wire === 'batched') this.#outbox.sendUrgent(NODES_SLOT, message);
  }

  /** Accepts a frame for the next flush. @returns the reason when it is refused */
  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (this.#state !== 'open') return 'linkDown';
    this.#rawPeer?.sent(batch, index);
    return this.#outbox.note(batch, index);
  }

  /** @param isSoleEgress whether no other port sends these frames */
  flush(isSoleEgress: boolean): void {
    this.#outbox.flush(isSoleEgress);
  }

  /** Makes the closing handshake. No event is emitted any more. @returns a promise that resolves when the transport is closed */
  close(code: number): Promise<void> {
    this.#events = undefined;
    if (this.#state === 'closed') return Promise.resolve();
    const closed = new Promise<void>((resolve) => this.#onClosed.push(resolve));
    if (this.#state === 'idle') this.#transport.start();
    if (this.#state !== 'closing') this.#startClosing(code, '');
    return closed;
  }

  /**
   * Ends the connection at once, after a Close message if it can be sent without
   * waiting. Waiting frames count as discards. @returns as `close`
   */
  cut(words: string): Promise<void> {
    const frames = this.#outbox.dropWaiting();
    if (frames > 0) this.#events?.discarded('tx', 'linkDown', frames);
    if (this.#state === 'open') this.#startClosing(CLOSE_NORMAL, words);
    const closed = this.close(CLOSE_NORMAL);
    this.#transport.destroy();
    return closed;
  }

  /** Ends the connection with 1008 Policy Violation (RFC 6455, 7.4.1). @param words the reason for the peer and `lost` */
  expel(words: string): void {
    if (this.#state === 'idle') this.#transport.destroy();
    if (this.#state !== 'open') return;
    this.#lose(words);
    this.#startClosing(CLOSE_POLICY_VIOLATION, words);
  }

  /** Cuts a connection whose peer is gone, and reports it to `lost`. @param reason one line */
  abandon(reason: string): void {
    this.#lose(reason);
    this.#transport.destroy();
  }

  /** Announces to the peer that another tunnel to it is lost, and that this one is used. */
  announceLoss(tunnelId: string): void {
    if (this.#state === 'open') this.#ping(LOSS_SLOT, formatTunnelLoss(tunnelId));
  }

  // BufferHolder.

  get heldBytes(): number {
    return this.#outbox.heldBytes + this.#inbox.heldBytes + (this.#transport.heldBytes ?? 0);
  }

  /** Drops waiting frames first. When that frees too little, the connection ends in the next turn of the event loop. */
  shed(bytes: number): number {
    const { heldBytes } = this;
    const given = this.#outbox.shed(bytes);
    if (given >= bytes) return given;
    setImmediate(() => this.abandon('all buffers are full, and this tunnel held most'));
    return heldBytes;
  }

  // Periodic.

  tick(nowMs: number): void {
    const verdict = this.#liveness.tick(nowMs);
    if (verdict === undefined) return;
    if (typeof verdict === 'string') this.abandon(verdict);
    else this.#ping(OPCODE_PING, verdict);
  }

  // TransportEvents.

  received(bytes: Buffer, from: number, end: number): number {
    const read = this.#parser.read(bytes, from, end);
    this.#delivered();
    return read;
  }

  arrived(
    bytes: Buffer,
    { starts, lengths }: FrameList,
    frames: number,
    oddStart: number,
    oddLength: number,
    from: number,
    end: number,
  ): number {
    if (this.#events !== undefined) {
      for (let i = 0; i < frames; i++) this.#inbox.push(bytes, starts[i] as number, lengths[i] as number);
    }
    if (oddStart >= 0) this.binaryMessage(bytes, oddStart, oddLength);
    const read = this.#parser.read(bytes, from, end);
    this.#delivered();
    return this.#parser.isBetweenMessages ? read : ~read;
  }

  /** The end of a read: delivers its frames, and sends the pong. */
  #delivered(): void {
    this.#liveness.heard(this.#heartbeat.nowMs);
    BUFFERS.relieve();
    this.#inbox.deliver();
    if (this.#pong !== undefined) this.#outbox.sendUrgent(OPCODE_PONG, this.#pong);
    if (this.#textPong !== undefined) this.#outbox.sendUrgent(OPCODE_TEXT, Buffer.from(this.#textPong));
    this.#pong = undefined;
    this.#textPong = undefined;
  }

  progressed(): void {
    this.#outbox.progressed();
  }

  written(): void {
    this.#outbox.written();
  }

  ended(): void {
    if (this.#state === 'open') {
      this.abandon('closed by the peer without a close message');
    } else {
      this.#transport.end();
    }
  }

  closed(failure: Error | undefined): void {
    this.#lose(failure === undefined ? 'closed by the peer without a close message' : describeFailure(failure));
    this.#state = 'closed';
    this.#ingressWait.end();
    BUFFERS.remove(this);
    this.#outbox.abandon();
    clearTimeout(this.#closeTimer);
    this.#parser.end();
    this.#inbox.deliver();
    for (const resolve of this.#onClosed) resolve();
    this.#onClosed = [];
  }

  // MessageSink: messages of the peer.

  binaryMessage(bytes: Buffer, start: number, length: number): void {
    if (this.#events === undefined) return;
    if (this.#wire === 'raw') {
      this.#inbox.push(bytes, start, length);
      return;
    }
    if (isNodeList(bytes, start, length)) {
      this.#onNodeList?.(Buffer.from(bytes.subarray(start, start + length)));
      return;
    }
    const breach = readMessage(bytes, start, length, this.#pushFrame);
    if (breach === undefined) return;
    // As after a protocol error found by the parser, no further octets are parsed.
    this.#parser.end();
    this.violation(CLOSE_PROTOCOL_ERROR, breach);
  }

  textMessage(text: string): void {
    this.#textPong = textPongTo(text) ?? this.#textPong;
  }

  ping(bytes: Buffer, start: number, length: number): void {
    this.#pong = Buffer.from(bytes.subarray(start, start + length));
    const tunnelId = parseTunnelLoss(this.#pong);
    if (tunnelId !== undefined) this.#events?.tunnelLost?.(tunnelId);
  }

  pong(bytes: Buffer, start: number, length: number): void {
    this.#liveness.pong(bytes, start, length);
  }

  closeMessage(code: number, reason: string): void {
    this.#isCloseReceived = true;
    this.#isPeerRestarting = code === CLOSE_SERVICE_RESTART;
    const answer = code === CLOSE_NO_CODE ? CLOSE_NORMAL : code;
    this.#fail(`closed by the peer: ${describeClose(code, reason)}`, answer, '');
    this.#endIfDone();
  }

  violation(code: number, what: string): void {
    this.#isCloseReceived = true;
    this.#fail(`the peer broke the WebSocket protocol: ${what}`, code, what);
    this.#endIfDone();
  }

  // InboxEvents.

  receive(batch: FrameBatch): void {
    this.#ingressWait.consider(this.#events?.receive(batch));
  }

  discarded(reason: DiscardReason, frames: number, example?: FrameExample): void {
    this.#events?.discarded('rx', reason, frames, example);
  }

  /** Ends the connection because of the peer; frames received before are still delivered. */
  #fail(reason: string, code: number, words: string): void {
    if (this.#state !== 'open') return;
    this.#inbox.deliver();
    this.#lose(reason);
    this.#startClosing(code, words);
  }

  /** Reports, once, that the connection can carry no more frames. */
  #lose(reason: string): void {
    this.#heartbeat.remove(this);
    if (this.#lostReason !== undefined) return;
    this.#lostReason = reason;
    const wasOpen = this.#state === 'open';
    this.#state = 'closing';
    if (!wasOpen) return;
    const frames = this.#outbox.dropWaiting();
    const events = this.#events;
    if (frames > 0) events?.discarded('tx', 'linkDown', frames);
    events?.lost(reason);
  }

  /** Sends a Close message; the peer has `closeTimeoutMs` to answer. */
  #startClosing(code: number, words: string): void {
    this.#ingressWait.end();
    this.#heartbeat.remove(this);
    this.#state = 'closing';
    // Nothing may follow the Close message, and received frames are no longer delivered.
    const { flowEnd } = this.#transport;
    if (flowEnd !== undefined) endFlows(flowEnd);
    this.#closeTimer ??= setTimeout(() => this.#transport.destroy(), this.#limits.closeTimeoutMs);
    this.#outbox.finish(closePayload(code, words), () => {
      this.#isCloseSent = true;
      this.#endIfDone();
    });
  }

  /** Sends a ping; on the raw wire followed by a filler frame, for peers that wait for a data message (RawPeer). */
  #ping(slot: number, payload: Buffer): void {
    this.#outbox.sendUrgent(slot, payload);
    if (this.#rawPeer !== undefined) this.#outbox.sendUrgent(OPCODE_BINARY, this.#rawPeer.filler());
  }

  /** Ends the stream when both Close messages have passed. */
  #endIfDone(): void {
    if (this.#isCloseSent && this.#isCloseReceived) this.#transport.end();
  }
}
