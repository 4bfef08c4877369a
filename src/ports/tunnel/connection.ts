import type { Congestion, DiscardReason } from '../../bridge/port.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { endFlows } from '../../native/flow-table.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import { isNodeList } from '../../wire/tunnel/node-list.ts';
import { parseTunnelLoss } from '../../wire/tunnel/tunnel-loss.ts';
import { MAX_TUNNEL_MESSAGE_BYTES, readMessage } from '../../wire/tunnel/tunnel-message.ts';
import {
  CLOSE_NO_CODE,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  describeClose,
} from '../../wire/websocket/close-code.ts';
import { MessageParser, type MessageSink } from '../../wire/websocket/parser.ts';
import { BLOCKS } from '../stream/block-pool.ts';
import { BUFFERS } from '../stream/buffer-budget.ts';
import type { FrameList } from '../stream/frame-list.ts';
import { HEARTBEAT, type Heartbeat, type Periodic } from '../stream/heartbeat.ts';
import { Liveness } from '../stream/liveness.ts';
import { Outbox } from '../stream/outbox.ts';
import { PACKINGS, type Wire } from '../stream/packing.ts';
import type { FramingEvents, Transport, TransportEvents } from '../stream/transport.ts';
import { ClosingHandshake } from './closing-handshake.ts';
import { ConnectionBuffers } from './connection-buffers.ts';
import { describeFailure } from './connection-failure.ts';
import type { ConnectionEvents, ConnectionOptions } from './connection-options.ts';
import { Inbox, type InboxEvents } from './inbox.ts';
import { IngressWait } from './ingress-wait.ts';
import { CODEC, ENCODERS, fastMask } from './masking.ts';
import { RawPeer } from './raw-peer.ts';
import { UrgentMessages } from './urgent-messages.ts';

/**
 * An established WebSocket connection that carries Ethernet frames in binary
 * messages: everything of RFC 6455 after the opening handshake.
 *
 * - the heartbeat sends pings (5.5.2), and silence ends the connection
 *   (liveness.ts); pings of the peer are answered, at most one per read
 *   (urgent-messages.ts);
 * - either side may begin the closing handshake (closing-handshake.ts).
 */
export class Connection implements MessageSink, TransportEvents, FramingEvents, Periodic, InboxEvents {
  readonly #transport: Transport;
  readonly #heartbeat: Heartbeat;
  readonly #liveness: Liveness;
  readonly #parser: MessageParser;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #urgent: UrgentMessages;
  readonly #closing: ClosingHandshake;
  readonly #buffers: ConnectionBuffers;
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
  #onClosed: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    const { transport, role, limits } = options;
    this.#transport = transport;
    this.#ingressWait = new IngressWait(transport);
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
    this.#urgent = new UrgentMessages(this.#outbox, this.#rawPeer);
    this.#closing = new ClosingHandshake(transport, this.#outbox, limits);
    const abandon = (reason: string): void => this.abandon(reason);
    this.#buffers = new ConnectionBuffers({ outbox: this.#outbox, inbox: this.#inbox, transport, abandon });
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
    if (this.#state === 'open') this.#urgent.ping(this.#liveness.measure(this.#heartbeat.nowMs, answered));
  }

  /** Whether any octet has arrived after the opening handshake: the peer then knows that it succeeded. */
  get isHeard(): boolean {
    return this.#liveness.isHeard;
  }

  /** Whether the peer ended the connection by a Close message or a protocol error; such a connection does not count as lost. */
  get hasParted(): boolean {
    return this.#closing.isReceived;
  }

  /** Whether the peer has closed the connection with 1012 Service Restart. */
  get isPeerRestarting(): boolean {
    return this.#closing.isPeerRestarting;
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
    BUFFERS.add(this.#buffers);
    this.#liveness.start(this.#heartbeat.nowMs);
    this.#transport.start();
    if (this.#nodeList !== undefined) this.tellNodes(this.#nodeList);
    this.#nodeList = undefined;
  }

  /** Sends a list of nodes (node-list.ts), on the batched wire only; before `open` the last one is sent with it. */
  tellNodes(message: Buffer): void {
    if (this.#state === 'idle') this.#nodeList = message;
    else if (this.#state === 'open' && this.#wire === 'batched') this.#urgent.tellNodes(message);
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
    if (this.#state === 'open') this.#urgent.announceLoss(tunnelId);
  }

  // Periodic.

  tick(nowMs: number): void {
    const verdict = this.#liveness.tick(nowMs);
    if (verdict === undefined) return;
    if (typeof verdict === 'string') this.abandon(verdict);
    else this.#urgent.ping(verdict);
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

  /** The end of a read: delivers its frames, and answers its pings. */
  #delivered(): void {
    this.#liveness.heard(this.#heartbeat.nowMs);
    BUFFERS.relieve();
    this.#inbox.deliver();
    if (this.#urgent.isDue) this.#urgent.answer();
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
    BUFFERS.remove(this.#buffers);
    this.#outbox.abandon();
    this.#closing.over();
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
    this.#urgent.texted(text);
  }

  ping(bytes: Buffer, start: number, length: number): void {
    const payload = Buffer.from(bytes.subarray(start, start + length));
    this.#urgent.pinged(payload);
    const tunnelId = parseTunnelLoss(payload);
    if (tunnelId !== undefined) this.#events?.tunnelLost?.(tunnelId);
  }

  pong(bytes: Buffer, start: number, length: number): void {
    this.#liveness.pong(bytes, start, length);
  }

  closeMessage(code: number, reason: string): void {
    this.#closing.received(code);
    const answer = code === CLOSE_NO_CODE ? CLOSE_NORMAL : code;
    this.#fail(`closed by the peer: ${describeClose(code, reason)}`, answer, '');
    this.#closing.endIfDone();
  }

  violation(code: number, what: string): void {
    this.#closing.received();
    this.#fail(`the peer broke the WebSocket protocol: ${what}`, code, what);
    this.#closing.endIfDone();
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

  /** Begins or answers the closing handshake. */
  #startClosing(code: number, words: string): void {
    this.#ingressWait.end();
    this.#heartbeat.remove(this);
    this.#state = 'closing';
    // Nothing may follow the Close message, and received frames are no longer delivered.
    const { flowEnd } = this.#transport;
    if (flowEnd !== undefined) endFlows(flowEnd);
    this.#closing.send(code, words);
  }
}
