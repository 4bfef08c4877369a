import { detailsOf } from '../bridge/port-details.ts';
import type { EventKind } from '../events/event.ts';
import type { Switch } from '../networks/switch.ts';

/** The kinds of events that change the line. */
const KINDS: readonly EventKind[] = ['port-added', 'port-removed', 'tunnel-up', 'tunnel-down'];
/** Time from one line to the next, so that a thousand tunnels that return are few lines. */
const PAUSE_MS = 500;

/** One line for a service manager: the numbers of ports and tunnels, and the addresses of the services. */
export class StatusLine {
  readonly #etherSwitch: Switch;
  readonly #places: readonly string[];
  #unsubscribe: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param places the addresses of the services, as `tunnels on [::]:443` */
  constructor(etherSwitch: Switch, places: readonly string[]) {
    this.#etherSwitch = etherSwitch;
    this.#places = places;
  }

  /** The line as of now. */
  get text(): string {
    const ports = this.#etherSwitch.ports;
    let tunnels = 0;
    for (const { port, link } of ports.values()) {
      if (link === 'up' && detailsOf(port)?.kind === 'tunnel') tunnels++;
    }
    const counts = `${counted(ports.size, 'port')}, ${counted(tunnels, 'tunnel')} up`;
    return `${counts}; ${this.#places.join(', ')}`;
  }

  /** Calls `tell` with the line, now and after each change, until `close`. To be called once. */
  follow(tell: (line: string) => void): void {
    const now = (): void => {
      this.#timer = undefined;
      tell(this.text);
    };
    now();
    this.#unsubscribe = this.#etherSwitch.events.subscribe(() => {
      this.#timer ??= setTimeout(now, PAUSE_MS).unref();
    }, KINDS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
