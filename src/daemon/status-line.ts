import { detailsOf } from '../bridge/port-details.ts';
import type { EventKind } from '../events/event.ts';
import type { Switch } from '../networks/switch.ts';

/** What changes the line. */
const KINDS: readonly EventKind[] = ['port-added', 'port-removed', 'tunnel-up', 'tunnel-down'];
/** A thousand tunnels that come back are one line. */
const PAUSE_MS = 500;

/** One line for a service manager: how many ports and tunnels a switch has, and where it listens. */
export class StatusLine {
  readonly #etherSwitch: Switch;
  readonly #places: readonly string[];
  #unsubscribe: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param places where the services listen, as `tunnels on [::]:443` */
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

  /** Tells the line, now and behind each change, until `close`. To be called once. */
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
