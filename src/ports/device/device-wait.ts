import { describeError, EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { linkMonitor } from './link-monitor.ts';

export interface DeviceWaitEvents {
  /** Opens the device. @throws EtherwsError when it does not exist or cannot be opened */
  tryAgain(): void;
  /** The attempt failed. @param reason as listport shows it */
  inVain(reason: string): void;
  readonly logger: Logger;
}

/**
 * Interval of the attempts that need no link event: rtnetlink does not report that another program has released a
 * device, or that a network namespace exists again.
 */
const RETRY_MS = 2000;

/** Waits until a device of one name can be opened again. */
export class DeviceWait {
  readonly #name: string;
  readonly #events: DeviceWaitEvents;
  #unwatch: () => Promise<void> = () => Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #toldReason: string | undefined;

  constructor(name: string, events: DeviceWaitEvents) {
    this.#name = name;
    this.#events = events;
  }

  /** The first attempt is immediate: the device may have been deleted and made again before the wait began. */
  start(): void {
    this.#unwatch = linkMonitor.watchName(this.#name, () => this.#try());
    this.#timer = setInterval(() => this.#try(), RETRY_MS).unref();
    this.#try();
  }

  /** Idempotent. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await this.#unwatch();
  }

  #try(): void {
    if (this.#isOver) return;
    const { tryAgain, inVain, logger } = this.#events;
    try {
      tryAgain();
      void this.end();
      logger.info({ device: this.#name }, 'the device is there again');
    } catch (error) {
      const reason = `waiting for ${this.#name}${causeOf(error)}`;
      if (reason !== this.#toldReason && error instanceof EtherwsError && !saysAbsent(error)) {
        logger.warn({ device: this.#name, error: describeError(error) }, 'the device is there and cannot be had');
      }
      this.#toldReason = reason;
      inVain(reason);
    }
  }
}

/** Whether the error means that the device, or its network namespace, does not exist. */
function saysAbsent({ code }: EtherwsError): boolean {
  return code === 'DEVICE_NOT_FOUND' || code === 'NETNS_NOT_FOUND';
}

function causeOf(error: unknown): string {
  if (error instanceof EtherwsError && saysAbsent(error)) return '';
  return error instanceof Error ? `: ${error.message}` : '';
}
