import type { WebSocket } from 'ws';
import { EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { Caller } from './caller-check.ts';
import type {
  CaptureEntry,
  CaptureNotice,
  CaptureReader,
  CaptureReaderBudget,
  CaptureSpec,
  SwitchCapture,
} from './capture-entries.ts';
import { METHOD_PREFIX, type SwitchControl } from './schema.ts';

/** The method of the notifications of a capture. */
export const CAPTURE_METHOD = `${METHOD_PREFIX}captured`;

const NO_BUDGET: CaptureReaderBudget = { isFull: false, hold: () => undefined, release: () => undefined };

export interface CaptureStreamOptions {
  readonly webSocket: WebSocket;
  readonly service: SwitchControl;
  readonly budget?: CaptureReaderBudget | undefined;
  /** Gets a record of each capture: its user, its ports and its filter. */
  readonly logger: Logger;
  readonly caller: Caller;
}

/** The capture of one WebSocket: pcapng in binary messages, notices in notifications. */
export class CaptureStream implements CaptureReader {
  readonly budget: CaptureReaderBudget;
  readonly #webSocket: WebSocket;
  readonly #service: SwitchControl;
  readonly #logger: Logger;
  readonly #user: string | null;
  #capture: SwitchCapture | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ webSocket, service, budget = NO_BUDGET, logger, caller }: CaptureStreamOptions) {
    this.#webSocket = webSocket;
    this.#service = service;
    this.#logger = logger;
    this.#user = caller.user;
    this.budget = budget;
  }

  get isRunning(): boolean {
    return this.#capture !== undefined;
  }

  /** Whether octets wait for the reader: then a silent reader may be slow, and is not taken for gone. */
  get isReaderSlow(): boolean {
    return this.#capture?.isReaderSlow === true;
  }

  /** @throws EtherwsError REQUEST_REFUSED, and as `SwitchControl.capture` */
  start({ duration, ...spec }: CaptureSpec): CaptureEntry[] {
    if (this.#capture !== undefined) {
      throw new EtherwsError('REQUEST_REFUSED', 'This WebSocket captures already', {
        hint: 'Call endCapture, or open another one',
      });
    }
    this.#capture = this.#service.capture(spec, this);
    if (duration !== undefined) this.#timer = setTimeout(() => this.#capture?.end('duration'), duration * 1000);
    const { entries } = this.#capture;
    const ports = entries.map(({ port }) => port);
    this.#logger.info({ user: this.#user, ports, filter: spec.filter }, 'capture begins');
    return entries;
  }

  /** @throws EtherwsError REQUEST_REFUSED without a capture */
  end(): CaptureEntry[] {
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
    this.#capture?.abandon();
    this.#forget('connection closed');
  }

  send(octets: Uint8Array, sent: () => void): void {
    this.#webSocket.send(octets, { binary: true }, sent);
  }

  notify(params: CaptureNotice): void {
    if (params.event === 'ended') {
      this.#forget(params.reason);
    }
    this.#webSocket.send(JSON.stringify({ jsonrpc: '2.0', method: CAPTURE_METHOD, params }), () => undefined);
  }

  #forget(reason: string): void {
    clearTimeout(this.#timer);
    if (this.#capture === undefined) return;
    this.#logger.info({ user: this.#user, reason, captured: this.#capture.entries }, 'capture ends');
    this.#capture = undefined;
  }
}
