import { isDeepStrictEqual } from 'node:util';
import { PcapngMerger, type PcapngPart } from '../capture/pcapng-merger.ts';
import type {
  AnyCaptureEntry,
  CaptureEntry,
  CaptureNotice,
  CaptureReader,
  CaptureReason,
  SwitchCapture,
} from '../control/capture-entries.ts';
import type { StreamListener } from '../control/control-stream.ts';
import type { AllowedNetworks } from '../control/method-reach.ts';
import { errorOfNode, type NodeStream } from '../control/nodes/node-stream.ts';
import { codeOf, describeError } from '../errors.ts';

/** A capture at one switch, as a part of a merged one. */
export interface CapturePartPlan {
  /** what notices call it: the node, or the process */
  readonly name: string;
  /** of the names of its interfaces */
  readonly prefix: string;
  /** Begins it. @throws EtherwsError, ControlError */
  open(listener: StreamListener): Promise<NodeStream>;
}

/** What a part tells of a port; null: it has ended without telling that. */
export interface PartEntry {
  readonly port: number;
  readonly portName: string | null;
  readonly seen: number | null;
  readonly matched: number | null;
  readonly lost: number | null;
  readonly captured: number;
}

export interface MergedCaptureOptions<Entry extends AnyCaptureEntry> {
  readonly parts: readonly CapturePartPlan[];
  /** Whether a part that cannot begin is a notice, and no failure of the whole. */
  readonly isPartial: boolean;
  /** limit of frames of all parts; undefined: none */
  readonly count: number | undefined;
  /** of its caller at the start */
  readonly allowed: AllowedNetworks;
  readonly reader: CaptureReader;
  readonly entryOf: (name: string, entry: PartEntry) => Entry;
}

/** With more octets that the reader has not taken, no part is read; with less than the second number all are again. */
const MOST_WAITING_BYTES = 256 * 1024;
const FEW_WAITING_BYTES = 64 * 1024;
/** A part that was asked to end, and sends nothing for this time, is given up. */
const END_PATIENCE_MS = 5000;
const END_LOOK_MS = 500;
/** A switch that has nothing to capture in a network is no failure. */
const NOTHING_THERE: readonly string[] = ['PORT_NOT_FOUND', 'NETWORK_NOT_FOUND'];

/**
 * Captures of several switches as one, with an interface for each port of each. Nothing is kept here but what the reader
 * has not taken: a reader that is too slow stops the reading of all parts, and each switch counts what it loses.
 */
export class MergedCapture<Entry extends AnyCaptureEntry> implements SwitchCapture<Entry> {
  readonly #options: MergedCaptureOptions<Entry>;
  readonly #merger: PcapngMerger;
  readonly #parts: Part[];
  readonly #early: Buffer[] = [];
  #waitingBytes = 0;
  #isPaused = true;
  #hasBegun = false;
  #reason: CaptureReason | undefined;
  #hasEnded = false;
  #beginning: NodeJS.Immediate | undefined;
  #endTimer: NodeJS.Timeout | undefined;

  /** Begins all parts. @throws EtherwsError if a part fails, or all of them */
  static async start<Entry extends AnyCaptureEntry>(
    options: MergedCaptureOptions<Entry>,
  ): Promise<MergedCapture<Entry>> {
    const merged = new MergedCapture(options);
    await Promise.all(merged.#parts.map((part) => part.open()));
    const failures = merged.#parts.flatMap(({ failure }) => failure ?? []);
    const [first] = failures.toSorted((one, other) => Number(isNothing(one)) - Number(isNothing(other)));
    if (first !== undefined && (!options.isPartial || failures.length === options.parts.length)) {
      merged.abandon();
      throw first;
    }
    merged.#beginning = setImmediate(() => merged.#begin());
    return merged;
  }

  private constructor(options: MergedCaptureOptions<Entry>) {
    this.#options = options;
    this.#merger = new PcapngMerger(options.count);
    this.#parts = options.parts.map(
      (plan) =>
        new Part(plan, this.#merger.part(plan.prefix), {
          taken: (octets) => this.#take(octets),
          notice: (notice) => this.#notify(notice),
          over: (reason) => this.#partOver(reason),
          isPaused: () => this.#isPaused,
        }),
    );
  }

  get entries(): Entry[] {
    const { entryOf } = this.#options;
    return this.#parts.flatMap((part) =>
      part.entries(this.#merger.captured).map((entry) => entryOf(part.plan.name, entry)),
    );
  }

  get isReaderSlow(): boolean {
    return this.#hasBegun && this.#isPaused;
  }

  isWithin(allowed: AllowedNetworks): boolean {
    return isDeepStrictEqual(allowed, this.#options.allowed);
  }

  end(reason: CaptureReason): void {
    if (this.#reason !== undefined || this.#hasEnded) return;
    this.#reason = reason;
    for (const part of this.#parts) part.askToEnd();
    this.#endTimer = setInterval(() => this.#giveUpSilent(), END_LOOK_MS).unref();
    this.#lookForEnd();
  }

  flush(): void {
    if (this.#hasEnded) return;
    for (const part of this.#parts) part.flush();
    this.#finish('stopped');
  }

  abandon(): void {
    this.#hasEnded = true;
    clearImmediate(this.#beginning);
    clearInterval(this.#endTimer);
    for (const part of this.#parts) part.close();
  }

  /** Behind the response to the call, before which its caller expects no notices. */
  #begin(): void {
    this.#hasBegun = true;
    this.#hand(this.#merger.header('etherws'));
    for (const octets of this.#early.splice(0)) this.#hand(octets);
    this.#isPaused = false;
    for (const part of this.#parts) {
      if (part.failure !== undefined && !isNothing(part.failure)) part.tellFailure();
      part.resume();
    }
    this.#lookForEnd();
  }

  #take(octets: Buffer): void {
    if (octets.length > 0) {
      if (this.#hasBegun) this.#hand(octets);
      else this.#early.push(octets);
    }
    if (this.#merger.isFull) this.end('count');
  }

  #hand(octets: Buffer): void {
    if (this.#hasEnded) return;
    const { budget } = this.#options.reader;
    this.#waitingBytes += octets.length;
    budget.hold(octets.length);
    this.#options.reader.send(octets, () => {
      this.#waitingBytes -= octets.length;
      budget.release(octets.length);
      if (this.#isPaused && this.#hasBegun && this.#waitingBytes <= FEW_WAITING_BYTES) this.#setPaused(false);
    });
    if (!this.#isPaused && this.#waitingBytes > MOST_WAITING_BYTES) this.#setPaused(true);
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    for (const part of this.#parts) {
      if (isPaused) part.pause();
      else part.resume();
    }
  }

  #notify(notice: CaptureNotice): void {
    if (!this.#hasEnded) this.#options.reader.notify(notice);
  }

  /** @param reason that of the part; undefined: it was lost */
  #partOver(reason: CaptureReason | undefined): void {
    if (reason === 'count') this.end('count');
    this.#lookForEnd();
  }

  #lookForEnd(): void {
    if (!this.#hasBegun || this.#hasEnded || this.#parts.some(({ isOver }) => !isOver)) return;
    const isEmpty = this.#parts.every(({ endReason }) => endReason === 'removed');
    this.#finish(this.#reason ?? (isEmpty ? 'removed' : 'nodes'));
  }

  #giveUpSilent(): void {
    if (this.#isPaused) return;
    for (const part of this.#parts) part.giveUpSilent(END_PATIENCE_MS);
  }

  #finish(reason: CaptureReason): void {
    const { entries } = this;
    this.#notify({ event: 'ended', reason, entries });
    this.abandon();
  }
}

const isNothing = (failure: unknown): boolean => NOTHING_THERE.includes(codeOf(failure));

interface PartOwner {
  taken(octets: Buffer): void;
  notice(notice: CaptureNotice): void;
  over(reason: CaptureReason | undefined): void;
  isPaused(): boolean;
}

/** One part, from its first call to its end. */
class Part implements StreamListener {
  readonly plan: CapturePartPlan;
  /** why it could not begin */
  failure: unknown;
  isOver = false;
  /** as it has told; undefined: it has not */
  endReason: CaptureReason | undefined;
  readonly #pcapng: PcapngPart;
  readonly #owner: PartOwner;
  #stream: NodeStream | undefined;
  #entries: readonly CaptureEntry[] = [];
  #isEnding = false;
  #heardMs = performance.now();

  constructor(plan: CapturePartPlan, pcapng: PcapngPart, owner: PartOwner) {
    [this.plan, this.#pcapng, this.#owner] = [plan, pcapng, owner];
  }

  /** Never rejects. */
  async open(): Promise<void> {
    try {
      const stream = await this.plan.open(this);
      if (this.isOver) return stream.end();
      this.#stream = stream;
      // Nothing is read until all parts are there.
      if (this.#owner.isPaused()) stream.pause();
      this.#entries = (stream.result as { readonly entries: readonly CaptureEntry[] }).entries;
      if (this.#isEnding) stream.call('endCapture');
    } catch (error) {
      this.failure = errorOfNode(error);
      this.isOver = true;
    }
  }

  entries(captured: readonly number[]): PartEntry[] {
    return this.#entries.map(({ port, portName, ...told }, index) => {
      const number = this.#pcapng.interfaces[index];
      const { seen, matched, lost } = this.endReason === undefined && this.isOver ? UNKNOWN : told;
      return { port, portName, seen, matched, lost, captured: (number === undefined ? 0 : captured[number]) ?? 0 };
    });
  }

  octets(octets: Uint8Array): void {
    if (this.isOver) return;
    this.#heardMs = performance.now();
    try {
      this.#owner.taken(this.#pcapng.take(octets));
    } catch (error) {
      this.#lose(describeError(error));
    }
  }

  notified(method: string, params: unknown): void {
    if (method !== 'captured' || this.isOver) return;
    const notice = params as CaptureNotice;
    if (notice.event === 'port-removed') this.#owner.notice({ ...notice, ...this.#ofNode });
    if (notice.event !== 'ended') return;
    this.#entries = notice.entries as readonly CaptureEntry[];
    this.endReason = notice.reason;
    if (!this.#isEnding && notice.reason !== 'count') {
      this.#tellEnd(notice.reason === 'removed' ? 'its ports were removed' : 'it is stopping');
    }
    this.#finish();
  }

  ended(error: Error): void {
    this.#lose(describeError(error));
  }

  tellFailure(): void {
    this.#tellEnd(`${codeOf(this.failure)}: ${describeError(this.failure)}`);
  }

  askToEnd(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#heardMs = performance.now();
    this.#stream?.call('endCapture');
  }

  giveUpSilent(patienceMs: number): void {
    if (!this.isOver && performance.now() - this.#heardMs > patienceMs) this.#lose('it has not answered');
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#heardMs = performance.now();
    this.#stream?.resume();
  }

  flush(): void {
    this.#isEnding = true;
    if (!this.isOver) this.#stream?.flush?.();
  }

  close(): void {
    this.isOver = true;
    this.#stream?.end();
  }

  get #ofNode(): { readonly node?: string } {
    return this.plan.prefix === '' ? {} : { node: this.plan.name };
  }

  #lose(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#tellEnd(reason);
    this.#finish();
  }

  #tellEnd(reason: string): void {
    this.#owner.notice({ event: 'node-ended', node: this.plan.name, reason });
  }

  #finish(): void {
    this.close();
    this.#owner.over(this.endReason);
  }
}

const UNKNOWN = { seen: null, matched: null, lost: null } as const;
