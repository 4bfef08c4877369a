import { describeError, EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import type { Logger } from '../observability/logger.ts';

/** The part of `process.env` that is read and changed. */
type Environment = Record<string, string | undefined>;

/** The watchdog is told twice in its interval, as sd_watchdog_enabled(3) advises. */
const BEATS_PER_INTERVAL = 2;
const USEC_PER_MS = 1000;
/** What setInterval takes at most. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * What the service manager of the host is told of this process, by the protocol of sd_notify(3): datagrams to the
 * Unix socket that `NOTIFY_SOCKET` names. Nothing here throws: a service manager that has gone away is no reason to stop
 * forwarding, so the first failure is logged, and later ones are not.
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
   * Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, and removes them, since they are for this process and not
   * for those that it starts.
   * @returns undefined without `NOTIFY_SOCKET`: no service manager wants to know
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

  /** The services listen. From now on the watchdog is told, if there is one. */
  ready(): void {
    this.#state = 'ready';
    this.#send(`READY=1${this.#status === '' ? '' : `\nSTATUS=${this.#status}`}`);
    if (this.#watchdogMs === undefined) return;
    // A timer of the event loop: a loop that does not turn is what the watchdog is there for.
    const beatMs = Math.min(LONGEST_MS, Math.max(1, Math.floor(this.#watchdogMs / BEATS_PER_INTERVAL)));
    this.#beat ??= setInterval(() => this.#send('WATCHDOG=1'), beatMs).unref();
    this.#send('WATCHDOG=1');
  }

  /** Files are read again. @param reload must not reject */
  async reloading(reload: () => Promise<void>): Promise<void> {
    // systemd tells notifications of this reload from earlier ones by the time of CLOCK_MONOTONIC.
    const usec = process.hrtime.bigint() / 1000n;
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${usec}`);
    await reload();
    this.#send('READY=1');
  }

  /** The services are being closed. The watchdog is still told: closing may take longer than its interval. */
  stopping(): void {
    this.#state = 'stopping';
    this.#send('STOPPING=1\nSTATUS=closing');
  }

  /** One line for people; equal ones are sent once. Before `ready` it waits for that. */
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
