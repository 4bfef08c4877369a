import { describeError, EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { linkMonitor } from './link-monitor.ts';

export interface DeviceWaitEvents {
  /** Takes the device. @throws EtherwsError: it is not there, or cannot be had */
  tryAgain(): void;
  /** It could not be had. @param reason as listport shows it */
  inVain(reason: string): void;
  readonly logger: Logger;
}

/** Beside the kernel's news: another program may let go of a device, or a network namespace be there again. */
const RETRY_MS = 2000;

/** Waits until a device of a name can be had again. */
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

  /** Tries at once: of two quick changes only the last state shows. */
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

/** The device is not there, or the network namespace that it would be in. */
function saysAbsent({ code }: EtherwsError): boolean {
  return code === 'DEVICE_NOT_FOUND' || code === 'NETNS_NOT_FOUND';
}

function causeOf(error: unknown): string {
  if (error instanceof EtherwsError && saysAbsent(error)) return '';
  return error instanceof Error ? `: ${error.message}` : '';
}
