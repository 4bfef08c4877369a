import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { EtherwsError } from '../../errors.ts';
import { lastingFault } from './nats-errors.ts';

const RETRY_MS = 500;
/** A server that does not answer within this time, as one that is stopped, is not waited for. */
const FLUSH_MS = 1000;
const CONNECT_TIMEOUT_MS = 3000;
/** A server that does not answer two of these is left. */
const PING_INTERVAL_MS = 2000;

export interface LinkEvents {
  /** A connection is there, the first one, or again. */
  connected(connection: NatsConnection): void;
  lost(reason: string): void;
  /** The servers were reached, but refuse; undefined: no longer. */
  fault(error: EtherwsError | undefined): void;
}

/** The connection to one of the NATS servers, which is made again for ever. */
export class NatsLink {
  readonly #options: NodeConnectionOptions;
  readonly #shown: string;
  readonly #events: LinkEvents;
  #connection: NatsConnection | undefined;
  #isConnected = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #attempting: Promise<void>;

  /** @param shown the servers without credentials, for messages */
  constructor(options: NodeConnectionOptions, shown: string, events: LinkEvents) {
    this.#options = options;
    this.#shown = shown;
    this.#events = events;
    this.#attempting = this.#connect();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The present connection; undefined without one. */
  get current(): NatsConnection | undefined {
    return this.#isConnected ? this.#connection : undefined;
  }

  /** Resolves when the server has all messages before it, or cannot be asked. */
  async flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    // A connection that ends meanwhile rejects: its messages are lost, as without a connection.
    await Promise.race([this.current?.flush().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    // The farewell of this node must leave.
    const flushed = this.flush();
    this.#isClosed = true;
    this.#isConnected = false;
    clearTimeout(this.#timer);
    await this.#attempting;
    await flushed;
    await this.#connection?.close();
  }

  async #connect(): Promise<void> {
    try {
      const connection = await connect({
        timeout: CONNECT_TIMEOUT_MS,
        reconnectTimeWait: RETRY_MS,
        reconnectJitter: RETRY_MS / 2,
        reconnectJitterTLS: RETRY_MS / 2,
        maxReconnectAttempts: -1,
        ignoreAuthErrorAbort: true,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: 2,
        ...this.#options,
      });
      if (this.#isClosed) return await connection.close();
      this.#connection = connection;
      this.#up(connection);
      void this.#follow(connection);
    } catch (error) {
      if (this.#isClosed) return;
      this.#events.fault(lastingFault(error, this.#shown));
      this.#events.lost(error instanceof Error ? error.message : String(error));
      this.#retry();
    }
  }

  #retry(): void {
    this.#timer = setTimeout(() => {
      this.#attempting = this.#connect();
    }, RETRY_MS);
  }

  #up(connection: NatsConnection): void {
    this.#isConnected = true;
    this.#events.fault(undefined);
    this.#events.connected(connection);
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.#isClosed) return;
      if (status.type === 'disconnect') this.#down(`${this.#shown}: the connection was lost`);
      else if (status.type === 'reconnect') this.#up(connection);
      else if (status.type === 'error') {
        const fault = lastingFault(status.error, this.#shown);
        if (fault !== undefined) this.#events.fault(fault);
      }
    }
    if (this.#isClosed) return;
    this.#down(`${this.#shown}: the connection was closed`);
    this.#retry();
  }

  #down(reason: string): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#events.lost(reason);
  }
}
