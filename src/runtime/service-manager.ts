import { describeError, EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import type { Logger } from '../observability/logger.ts';

/** The part of `process.env` that is read and changed. */
type Environment = Record<string, string | undefined>;

/** The watchdog is notified twice in its interval, as sd_watchdog_enabled(3) advises. */
const BEATS_PER_INTERVAL = 2;
const USEC_PER_MS = 1000;
/** The limit of setInterval. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Notifies the service manager of the host by the protocol of sd_notify(3): datagrams to the Unix socket of
 * `NOTIFY_SOCKET`. It does not throw, since without a service manager the switch still has to forward. Only the first
 * failure is logged.
 */
export class ServiceManager {
  readonly #socket: string;
  readonly #watchdogMs: number | undefined;
  readonly #logger: Logger;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  #hasFailed = false;
  #status = '';
  #beat: NodeJS.Timeout | undefined;

  private constructor(socket: string, watchdogMs: number | undefined, logger: Logger) {
    this.#socket = socket;
    this.#watchdogMs = watchdogMs;
    this.#logger = logger;
  }

  /**
   * Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, and removes them: child processes must not use them.
   * @returns undefined without `NOTIFY_SOCKET`: the service manager expects no notifications
   */
  static find(logger: Logger, environment: Environment = process.env): ServiceManager | undefined {
    const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: usec = '', WATCHDOG_PID: pid } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
    if (socket === '') return undefined;
    if (!/^[/@]./.test(socket)) {
      const facts = { socket };
      logger.warn(
        facts,
        'NOTIFY_SOCKET is neither a path nor an abstract name (@…): the service manager is told nothing',
      );
      return undefined;
    }
    const isForUs = pid === undefined || pid === String(process.pid);
    const watchdogMs = isForUs && /^[1-9]\d*$/.test(usec) ? Number(usec) / USEC_PER_MS : undefined;
    return new ServiceManager(socket, watchdogMs, logger);
  }

  /** To be called when the services listen. From now on the watchdog is notified, if there is one. */
  ready(): void {
    this.#state = 'ready';
    this.#send(`READY=1${this.#status === '' ? '' : `\nSTATUS=${this.#status}`}`);
    if (this.#watchdogMs === undefined) return;
    // A timer of the event loop, so that a blocked event loop misses it, and the watchdog acts.
    const beatMs = Math.min(LONGEST_MS, Math.max(1, Math.floor(this.#watchdogMs / BEATS_PER_INTERVAL)));
    this.#beat ??= setInterval(() => this.#send('WATCHDOG=1'), beatMs).unref();
    this.#send('WATCHDOG=1');
  }

  /** Notifies of a reload, runs it, and notifies of its end. @param reload must not reject */
  async reloading(reload: () => Promise<void>): Promise<void> {
    // By the time of CLOCK_MONOTONIC systemd distinguishes notifications of this reload from earlier ones.
    const usec = process.hrtime.bigint() / 1000n;
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${usec}`);
    await reload();
    this.#send('READY=1');
  }

  /** To be called before the services are closed. The watchdog is still notified, since closing may take longer. */
  stopping(): void {
    this.#state = 'stopping';
    this.#send('STOPPING=1\nSTATUS=closing');
  }

  /** Sends one line for `systemctl status`; equal ones are sent once. Before `ready` it is held back until then. */
  status(line: string): void {
    const status = line.replaceAll(/\p{Cc}/gu, ' ');
    if (status === this.#status) return;
    this.#status = status;
    if (this.#state === 'ready') this.#send(`STATUS=${status}`);
  }

  #send(text: string): void {
    try {
      nativeAddon().sendUnixDatagram(this.#socket, Buffer.from(text));
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#logger.warn({ reason: describeError(error), socket: this.#socket }, sentenceOf(error));
    }
  }
}

function sentenceOf(error: unknown): string {
  const isMissing = error instanceof EtherwsError && error.code === 'ADDON_MISSING';
  return isMissing
    ? 'the service manager cannot be told that the switch is ready, since that needs the addon: build it, or use Type=exec in the unit'
    : 'the service manager cannot be told that the switch is ready: it may end the switch when its start takes too long';
}
