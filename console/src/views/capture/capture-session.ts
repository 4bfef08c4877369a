import { type Signal, signal } from '@preact/signals';
import type { CaptureEntry, CaptureNotice } from '../../../../src/control/capture-entries.ts';
import { socketHere } from '../../here.ts';
import { CallFailure, failureOf, type RpcError } from '../../live/call-failure.ts';
import { METHOD_PREFIX } from '../../live/connection.ts';
import { FrameStore } from './frame-store.ts';

/*
 * One capture of the page, by a WebSocket of its own: its octets do not wait behind those of the tables. It goes on while
 * another view is shown.
 */

export interface CaptureParams {
  readonly ports: readonly (number | string)[];
  readonly filter?: string;
}

/** `starting`: the switch was asked; `over`: its frames are still shown */
export type CaptureState = 'none' | 'starting' | 'running' | 'ending' | 'over';

type EndReason = Extract<CaptureNotice, { event: 'ended' }>['reason'];

const WORDS: Readonly<Record<EndReason, string>> = {
  call: 'Stopped',
  count: 'The number of frames is reached',
  duration: 'The time is over',
  removed: 'Ended, since no port of the capture is left',
  stopped: 'Ended, since the switch is stopping',
  nodes: 'Ended, since no node of the capture is left',
};
/** So often the list is shown anew. */
const REFRESH_MS = 200;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: CaptureNotice;
  readonly error?: RpcError;
}

export class CaptureSession {
  readonly state: Signal<CaptureState> = signal('none');
  /** a sentence about its end, or about ports that were removed; null without one */
  readonly news: Signal<string | null> = signal(null);
  readonly failure: Signal<CallFailure | null> = signal(null);
  /** raised when `store` has changed, at most five times a second */
  readonly version: Signal<number> = signal(0);
  /** the numbers of each port, when it is over */
  readonly entries: Signal<readonly CaptureEntry[]> = signal([]);
  store: FrameStore = new FrameStore();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #url: () => URL;

  constructor(url: () => URL = () => socketHere('live')) {
    this.#url = url;
  }

  /** Begins another capture; the frames of the last one are gone when the switch has accepted it. */
  start(params: CaptureParams): void {
    this.#close();
    this.failure.value = null;
    this.news.value = null;
    this.state.value = 'starting';
    const socket = new WebSocket(this.#url());
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.addEventListener('open', () => this.#call(socket, 'capture', params));
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      if (typeof data === 'string') this.#received(JSON.parse(data) as Message);
      else this.#octets(new Uint8Array(data));
    });
    socket.addEventListener('close', () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  /** The rest of the frames and the statistics come before it is over. */
  stop(): void {
    if (this.#socket === undefined || this.state.value !== 'running') return;
    this.state.value = 'ending';
    this.#call(this.#socket, 'endCapture', {});
  }

  #call(socket: WebSocket, method: string, params: object): void {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: METHOD_PREFIX + method, params }));
  }

  #octets(piece: Uint8Array): void {
    try {
      // The first octets may come before the answer.
      if (this.state.value === 'starting') this.#begin();
      this.store.add(piece);
    } catch (error) {
      this.#fail(new CallFailure(`The switch sent no pcapng: ${(error as Error).message}`, 'CONTROL_FAILED'));
    }
    this.#changed();
  }

  #received({ id, method, params, error }: Message): void {
    if (error !== undefined) {
      if (this.state.value === 'starting') this.#fail(failureOf(error));
      return;
    }
    if (id !== undefined && this.state.value === 'starting') this.#begin();
    if (method !== `${METHOD_PREFIX}captured` || params === undefined) return;
    if (params.event === 'ended') {
      // Those of the ports of this switch, since the page calls `capture`.
      this.entries.value = params.entries as readonly CaptureEntry[];
      this.news.value = WORDS[params.reason];
      this.#over();
    } else if (params.event === 'port-removed') {
      this.news.value = `Port ${params.portName ?? params.port} was removed`;
    } else this.news.value = `${params.node} takes no part any more: ${params.reason}`;
  }

  #begin(): void {
    this.store = new FrameStore();
    this.entries.value = [];
    this.state.value = 'running';
    this.#changed();
  }

  #fail(failure: CallFailure): void {
    this.failure.value = failure;
    this.#over();
  }

  #lost(): void {
    if (this.state.value === 'starting') {
      this.failure.value = new CallFailure(
        'The connection for the capture could not be opened',
        'NOT_CONNECTED',
        'The switch may have as many connections as it permits; look whether the page is live',
      );
    } else this.news.value = 'Ended, since the connection to the switch was lost';
    this.#over();
  }

  #over(): void {
    this.state.value = this.store.received === 0 && this.failure.value !== null ? 'none' : 'over';
    this.#close();
    this.#changed();
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.version.value++;
    }, REFRESH_MS);
  }
}

/** The capture of the page. */
export const capture: CaptureSession = new CaptureSession();
