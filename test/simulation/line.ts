import { Assembly } from '../../src/ports/stream/assembly.ts';
import type { Transport, TransportEvents } from '../../src/ports/stream/transport.ts';
import type { Random } from '../support/random.ts';
import type { VirtualClock } from './virtual-clock.ts';

const LONGEST_DELAY_MS = 20;

/**
 * A connection between two switches on the virtual clock: octets arrive in order, each write after a delay. It can fall silent,
 * be cut, and damage octets, as no TCP would, but a peer that lies may.
 */
export class Line {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly ends: readonly [LineEnd, LineEnd];
  isSilent = false;
  /** Writes that have not arrived. */
  underWay = 0;
  /** Calls for writes to damage. */
  readonly #damages: (() => void)[] = [];

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.ends = [new LineEnd(this), new LineEnd(this)];
  }

  peerOf(end: LineEnd): LineEnd {
    return end === this.ends[0] ? this.ends[1] : this.ends[0];
  }

  /** Ends the connection at both ends; what is on its way is lost. */
  cut(): void {
    for (const end of this.ends) end.fail(new Error('the line was cut'));
  }

  /** Nothing arrives until `false`; writes wait meanwhile. */
  setSilent(isSilent: boolean): void {
    this.isSilent = isSilent;
    if (!isSilent) for (const end of this.ends) end.flush();
  }

  /** Changes one octet of the next write. @param damaged called then */
  damage(damaged: () => void = () => undefined): void {
    this.#damages.push(damaged);
  }

  /** What arrives of a write: a copy. */
  copyOf(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    const damaged = this.#damages.shift();
    if (damaged === undefined) return copy;
    const at = this.random.below(Math.max(1, copy.length));
    copy[at] = (copy[at] ?? 0) ^ (1 << this.random.below(8));
    damaged();
    return copy;
  }
}

export class LineEnd implements Transport {
  readonly kind = 'node';
  readonly writeBytes: number = 64 * 1024;
  readonly #line: Line;
  #events: TransportEvents | undefined;
  #assembly: Assembly | undefined;
  #isStarted = false;
  #isEnded = false;
  #isGone = false;
  #arrived: (Buffer | undefined)[] = [];
  #lastArrivalMs = 0;
  /** What waits because the line is silent; undefined stands for the end of the stream. */
  #waiting: (Buffer | undefined)[] = [];
  #isWriteUnderWay = false;

  constructor(line: Line) {
    this.#line = line;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#assembly = new Assembly(events);
    if (this.#isGone) queueMicrotask(() => events.closed(new Error('the line was cut')));
  }

  start(): void {
    this.#isStarted = true;
    this.#deliver();
  }

  write(bytes: Buffer): boolean {
    if (this.#isWriteUnderWay) throw new TypeError('a second write while one is under way');
    if (this.#isGone) return false;
    this.#waiting.push(this.#line.copyOf(bytes));
    if (this.#line.isSilent) {
      this.#isWriteUnderWay = true;
      return false;
    }
    this.#send();
    return true;
  }

  get pendingBytes(): number {
    return this.#isWriteUnderWay ? this.#waiting.reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0) : 0;
  }

  /** The line carries again. */
  flush(): void {
    if (this.#isGone) return;
    this.#send();
    if (!this.#isWriteUnderWay) return;
    this.#isWriteUnderWay = false;
    this.#events?.written();
  }

  end(): void {
    if (this.#isEnded || this.#isGone) return;
    this.#isEnded = true;
    this.#waiting.push(undefined);
    if (!this.#line.isSilent) this.#send();
    this.#closeIfDone();
  }

  destroy(): void {
    this.fail(undefined);
    this.#line.clock.after(1, () => this.#line.peerOf(this).fail(new Error('the other end has closed the line')));
  }

  fail(failure: Error | undefined): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#assembly?.close();
    queueMicrotask(() => this.#events?.closed(failure));
  }

  #send(): void {
    const { clock, random } = this.#line;
    const peer = this.#line.peerOf(this);
    for (const bytes of this.#waiting.splice(0)) {
      peer.#lastArrivalMs = Math.max(peer.#lastArrivalMs, clock.nowMs + random.below(LONGEST_DELAY_MS));
      this.#line.underWay++;
      clock.after(peer.#lastArrivalMs - clock.nowMs, () => {
        this.#line.underWay--;
        peer.#arrived.push(bytes);
        peer.#deliver();
      });
    }
  }

  #deliver(): void {
    while (this.#isStarted && !this.#isGone && this.#arrived.length > 0) {
      const next = this.#arrived.shift();
      if (next === undefined) {
        this.#events?.ended();
        this.#closeIfDone();
      } else this.#assembly?.take(next, next.length);
    }
  }

  #closeIfDone(): void {
    if (this.#isEnded && this.#line.peerOf(this).#isEnded) this.destroy();
  }
}
