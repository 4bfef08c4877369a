import { EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { Caller } from './caller-check.ts';
import type {
  AnyCaptureEntry,
  CaptureClusterSpec,
  CaptureNotice,
  CaptureReader,
  CaptureReaderBudget,
  CaptureSpec,
  SwitchCapture,
} from './capture-entries.ts';
import type { AllowedNetworks } from './method-reach.ts';
import { METHOD_PREFIX } from './schema.ts';
import type { LimitedSocket } from './waiting-limit.ts';

/** The method of the notifications of a capture. */
export const CAPTURE_METHOD = `${METHOD_PREFIX}captured`;

const NO_BUDGET: CaptureReaderBudget = { isFull: false, hold: () => undefined, release: () => undefined };

type AnySpec = CaptureSpec | CaptureClusterSpec;

export interface CaptureStreamOptions {
  readonly sink: LimitedSocket;
  readonly budget?: CaptureReaderBudget | undefined;
  /** Gets a record of each capture: its user, its ports and its filter. */
  readonly logger: Logger;
  readonly caller: Caller;
}

/** The capture of one WebSocket: pcapng in binary messages, notices in notifications. */
export class CaptureStream implements CaptureReader {
  readonly budget: CaptureReaderBudget;
  readonly #sink: LimitedSocket;
  readonly #logger: Logger;
  readonly user: string | null;
  #capture: SwitchCapture<AnyCaptureEntry> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ sink, budget = NO_BUDGET, logger, caller }: CaptureStreamOptions) {
    this.#sink = sink;
    this.#logger = logger;
    this.user = caller.user;
    this.budget = budget;
  }

  /** Whether all ports of the capture that are still there are in these networks. */
  isWithin(allowed: AllowedNetworks): boolean {
    return this.#capture?.isWithin(allowed) ?? true;
  }

  get isRunning(): boolean {
    return this.#capture !== undefined;
  }

  /** Whether octets wait for the reader: then a silent reader may be slow, and is not taken for gone. */
  get isReaderSlow(): boolean {
    return this.#capture?.isReaderSlow === true;
  }

  /**
   * @param begin begins it, for this reader
   * @throws EtherwsError REQUEST_REFUSED, ARGUMENT_INVALID, and what `begin` throws
   */
  async start<Spec extends AnySpec, Entry extends AnyCaptureEntry>(
    { duration, ...spec }: Spec,
    begin: (
      spec: Omit<Spec, 'duration'>,
      reader: CaptureReader,
    ) => SwitchCapture<Entry> | Promise<SwitchCapture<Entry>>,
  ): Promise<Entry[]> {
    requirePorts(spec);
    if (this.#capture !== undefined) {
      throw new EtherwsError('REQUEST_REFUSED', 'This WebSocket captures already', {
        hint: 'Call endCapture, or open another one',
      });
    }
    const capture = await begin(spec, this);
    if (this.#isClosed) {
      capture.abandon();
      throw new EtherwsError('REQUEST_REFUSED', 'This WebSocket is closed');
    }
    this.#capture = capture;
    if (duration !== undefined) this.#timer = setTimeout(() => this.#capture?.end('duration'), duration * 1000);
    const { entries } = capture;
    const ports = entries.map((entry) => ('node' in entry ? `${entry.node}/${entry.port}` : entry.port));
    this.#logger.info({ user: this.user, ports, filter: spec.filter }, 'capture begins');
    return entries;
  }

  /** @throws EtherwsError REQUEST_REFUSED without a capture */
  end(): AnyCaptureEntry[] {
    if (this.#capture === undefined) {
      throw new EtherwsError('REQUEST_REFUSED', 'This WebSocket captures nothing', { hint: 'Call capture first' });
    }
    this.#capture.end('call');
    return this.#capture.entries;
  }

  /** For a switch that stops: hands all waiting octets to the WebSocket. */
  flush(): void {
    this.#capture?.flush();
  }

  /** To be called when the WebSocket is closed. */
  close(): void {
    this.#isClosed = true;
    this.#capture?.abandon();
    this.#forget('connection closed');
  }

  send(octets: Uint8Array, sent: () => void): void {
    this.#sink.sendBinary(octets, sent);
  }

  notify(params: CaptureNotice): void {
    if (params.event === 'ended') {
      this.#forget(params.reason);
    }
    this.#sink.send(JSON.stringify({ jsonrpc: '2.0', method: CAPTURE_METHOD, params }));
  }

  #forget(reason: string): void {
    clearTimeout(this.#timer);
    if (this.#capture === undefined) return;
    this.#logger.info({ user: this.user, reason, captured: this.#capture.entries }, 'capture ends');
    this.#capture = undefined;
  }
}

/** @throws EtherwsError ARGUMENT_INVALID */
function requirePorts({ ports, network }: { readonly ports?: unknown; readonly network?: unknown }): void {
  if ((ports === undefined) !== (network === undefined)) return;
  throw new EtherwsError('ARGUMENT_INVALID', 'A capture is of ports or of a network, and needs one of them', {
    hint: 'Name ports, or a network for all of its ports',
  });
}
