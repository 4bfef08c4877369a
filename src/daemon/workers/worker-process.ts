import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StoreChannel } from '../../cluster/ipc-channel.ts';
import { ERROR_CODES, type ErrorCode, EtherwsError } from '../../errors.ts';
import type { AcceptedConnection } from '../../net/accepted-connection.ts';
import type { PlaceCounts } from '../../ports/tunnel/resume/tunnel-places.ts';
import type { FromWorker, ToWorker, WorkerLoad, WorkerTask } from './worker-messages.ts';

const PROGRAM = fileURLToPath(new URL('./worker.js', import.meta.url));

const LONGEST_LINE = 4096;
const NOTHING_TAKEN = { taken: 0, received: 0 } as const;

/** What the owner of a worker is told. */
export interface WorkerEvents {
  log(record: Extract<FromWorker, { type: 'log' }>): void;
  placesChanged(changes: PlaceCounts): void;
  /** Called once. @param reason one line */
  ended(reason: string): void;
}

/** A process that accepts tunnels, from its start to its end. */
export class WorkerProcess {
  readonly number: number;
  /** Resolves when it takes connections; rejects with EtherwsError when it cannot. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<void>;
  readonly storeChannel: StoreChannel;
  readonly #child: ChildProcess;
  #load: Pick<WorkerLoad, 'taken' | 'received'> = NOTHING_TAKEN;
  #handed = 0;
  #isReady = false;
  #hasEnded = false;
  /** callers of `reload`, in the order in which the worker answers */
  readonly #reloads: ((failures: readonly string[]) => void)[] = [];

  constructor(task: WorkerTask, events: WorkerEvents) {
    this.number = task.number;
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      // Its log comes by messages; standard error has what ends the process, such as V8's words about its heap.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.storeChannel = {
      send: (text) => this.#send({ type: 'store', text }),
      onText: undefined,
      onGone: undefined,
    };
    this.ready = new Promise<void>((resolve, reject) => {
      const fail = (error: EtherwsError): void => reject(error);
      child.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          this.#isReady = true;
          resolve();
        } else if (message.type === 'failed') fail(errorOf(message));
        else this.#receive(message, events);
      });
      void this.#end().then((reason) => fail(new EtherwsError('LISTEN_FAILED', `Worker ${this.number} ${reason}`)));
    });
    this.ready.catch(() => undefined);
    this.ended = this.#end().then((reason) => {
      this.#hasEnded = true;
      this.#isReady = false;
      for (const reloaded of this.#reloads.splice(0)) reloaded([`worker ${this.number} ${reason}`]);
      this.storeChannel.onGone?.();
      events.ended(reason);
    });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        events.log({ type: 'log', level: 'error', room: 'daemon', fields: {}, message: line.slice(0, LONGEST_LINE) });
      });
    }
    this.#send({ type: 'start', task });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** What it has, with the connections that it was handed since it told. */
  get taken(): number {
    return this.#load.taken + this.#handed - this.#load.received;
  }

  /** Hands it a connection, which is closed here then. */
  hand(connection: AcceptedConnection): void {
    this.#handed++;
    this.#send({ type: 'connection' }, connection, () => connection.close());
  }

  /** Has it apply another configuration and read its files again. @returns the reasons of failures. Never rejects */
  async reload(task: Pick<WorkerTask, 'config' | 'pems'>): Promise<readonly string[]> {
    if (!this.#isReady) return [];
    return new Promise<readonly string[]>((resolve) => {
      this.#reloads.push(resolve);
      this.#send({ type: 'reload', ...task });
    });
  }

  /** Sends a message for which there is no answer. */
  tell(message: Extract<ToWorker, { type: 'levels' | 'places' | 'stop' }>): void {
    if (message.type === 'stop') this.#isReady = false;
    this.#send(message);
  }

  kill(): void {
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
  }

  #receive(message: FromWorker, events: WorkerEvents): void {
    if (message.type === 'log') events.log(message);
    else if (message.type === 'reloaded') this.#reloads.shift()?.(message.failures);
    else if (message.type === 'store') this.storeChannel.onText?.(message.text);
    else if (message.type === 'load') {
      this.#load = message.load;
      events.placesChanged(message.load.places);
    }
  }

  /** @returns how it ended */
  #end(): Promise<string> {
    return new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      this.#child.once('exit', (status, signal) =>
        resolve(signal === null ? `ended with status ${status}` : `was ended by ${signal}`),
      );
    });
  }

  #send(message: ToWorker, connection?: AcceptedConnection, sent: () => void = () => undefined): void {
    if (!this.#child.connected) {
      sent();
      return;
    }
    // The callback also gets the error of a channel that has just broken; the end of the process follows.
    this.#child.send(message, connection as SendHandle | undefined as SendHandle, () => sent());
  }
}

function errorOf({ code, message, hint }: Extract<FromWorker, { type: 'failed' }>): EtherwsError {
  const isKnown = (ERROR_CODES as readonly string[]).includes(code);
  return new EtherwsError(isKnown ? (code as ErrorCode) : 'LISTEN_FAILED', message, hint === undefined ? {} : { hint });
}
