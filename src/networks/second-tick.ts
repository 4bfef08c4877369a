import { loggerOf } from './log-facts.ts';
import { logMoves } from './log-moves.ts';
import type { Network } from './network.ts';
import type { SwitchLogs } from './network-parts.ts';
import type { PortDirectory } from './port-directory.ts';
import type { SwitchEvents } from './switch-events.ts';

const TICK_MS = 1000;

export interface SecondTickParts {
  readonly directory: PortDirectory;
  readonly networks: Iterable<Network>;
  readonly events: SwitchEvents;
  readonly logs: SwitchLogs;
}

/**
 * What a switch does once a second until it is closed: bit rates are sampled, addresses age, entities do what is due, and addresses
 * that move to and fro are told to the log, to subscribers and to the protections of the network. It does not keep the process alive.
 */
export class SecondTick {
  readonly #parts: SecondTickParts;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: SecondTickParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(nowMs: number): void {
    const { directory, networks, events, logs } = this.#parts;
    for (const { rates } of directory.ports()) rates.sample(nowMs);
    for (const network of networks) {
      network.tick(nowMs);
      for (const report of network.bridge.moveReports(nowMs)) {
        logMoves(loggerOf(logs.moves, network.name), report);
        events.flapping(report, network.name);
        network.entities.protections.moved(report);
      }
    }
    events.lookForViolations();
  }
}
