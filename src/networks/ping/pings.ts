import type { Bridge } from '../../bridge/bridge.ts';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import { LazySet } from '../../bridge/lazy-set.ts';
import { Pinger, type PingReply, type PingTarget } from '../../bridge/ping/pinger.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import type { NetworkEntity } from '../network-entity.ts';
import { InternalPort } from './internal-port.ts';

/** An answer, and where it came in. */
export interface PingAnswer extends PingReply {
  readonly roundTripMs: number;
  /** undefined if the answer taught the bridge nothing */
  readonly port: BridgePort | undefined;
}

interface Waiting {
  readonly pinger: Pinger;
  readonly vid: Vid;
  sentMs: number;
  answered(answer: PingAnswer | undefined): void;
}

/**
 * Asks stations of a network, from its own address. The bridge has an internal port only while a request waits for its
 * answer, so that it costs nothing otherwise.
 */
export class Pings implements NetworkEntity {
  readonly #bridge: Bridge;
  readonly #own: MacAddress;
  readonly #waiting = new LazySet<Waiting>();
  #internal: BridgePort | undefined;
  #number = 0;

  constructor(bridge: Bridge, own: MacAddress) {
    this.#bridge = bridge;
    this.#own = own;
  }

  /** @returns the first answer; undefined if none came within `timeoutMs` */
  ask(target: PingTarget, vid: Vid, timeoutMs: number): Promise<PingAnswer | undefined> {
    this.#number = (this.#number + 1) & 0xffff;
    const pinger = new Pinger(this.#own, vid, target, process.pid & 0xffff, this.#number);
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiting.answered(undefined), timeoutMs);
      const waiting: Waiting = {
        pinger,
        vid,
        sentMs: performance.now(),
        answered: (answer) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          // In another turn: the bridge may be about to hand on the frame that has the answer.
          setImmediate(() => this.#closeIfIdle());
          resolve(answer);
        },
      };
      this.#waiting.add(waiting);
      this.#internal ??= this.#bridge.attachInternal(new InternalPort((...frame) => this.#read(...frame)));
      this.#send(pinger.requests());
    });
  }

  /** Ends all requests without an answer. */
  close(): void {
    for (const { answered } of [...this.#waiting]) answered(undefined);
    this.#closeIfIdle();
  }

  #read(bytes: Buffer, start: number, length: number): void {
    for (const { pinger, vid, sentMs, answered } of [...this.#waiting]) {
      const response = pinger.responseTo(bytes, start, length);
      // In another turn, since the bridge is in the middle of a batch.
      if (response !== undefined) setImmediate(() => this.#send([response]));
      const reply = pinger.answerIn(bytes, start, length);
      if (reply === undefined) continue;
      const nowMs = performance.now();
      const port = this.#bridge.lookup(vid, reply.mac, nowMs);
      answered({ ...reply, roundTripMs: nowMs - sentMs, port });
    }
  }

  #send(frames: readonly Buffer[]): void {
    if (this.#internal !== undefined) this.#bridge.receive(this.#internal, batchOf(...frames), performance.now());
  }

  #closeIfIdle(): void {
    if (this.#waiting.size > 0 || this.#internal === undefined) return;
    this.#internal = undefined;
    this.#bridge.detachInternal();
  }
}
