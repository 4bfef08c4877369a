import { fileURLToPath } from 'node:url';
import type { Host } from '../namespaces.ts';
import type { Process } from '../process.ts';
import { within } from '../waits.ts';

const PROGRAM = fileURLToPath(new URL('../../../../test/e2e/programs/exactly_once.py', import.meta.url));

/** Numbers that were heard without a gap, and when the first and the last of them were sent, in ms. */
type Range = readonly [first: number, last: number, firstSentMs: number, lastSentMs: number];

/** What exactly_once.py reports. */
export interface StationReport {
  readonly sent: number;
  readonly heard: Readonly<Record<string, readonly Range[]>>;
  readonly twice: readonly (readonly [sender: string, number: number])[];
  readonly strays: Readonly<Record<string, number>>;
}

/** The hardware address of the station with this id. */
export function macOfStation(id: number): string {
  return `02:00:00:00:01:${id.toString(16).padStart(2, '0')}`;
}

/** A station that sends numbered frames to all others, and counts what it hears (`exactly_once.py`). */
export class Station {
  readonly id: number;
  readonly incarnation: number;
  readonly host: Host;
  readonly device: string;
  readonly #process: Process;
  #waiting: ((report: StationReport) => void)[] = [];

  /**
   * @param device of `host`
   * @param peers the stations that it sends unicast frames to; its own id among them is left out
   * @param incarnation differs from the former ones of a station that has moved
   */
  constructor(host: Host, device: string, id: number, peers: readonly number[], periodMs: number, incarnation = 0) {
    this.host = host;
    this.device = device;
    this.id = id;
    this.incarnation = incarnation;
    const others = peers.filter((peer) => peer !== id).join(',');
    const command = ['python3', PROGRAM, device, String(id), String(incarnation), String(periodMs), others];
    this.#process = host.spawn(command, { isInteractive: true, timeoutMs: 600_000 });
    this.#process.onLine((line) => {
      if (line.startsWith('{')) this.#waiting.shift()?.(JSON.parse(line) as StationReport);
    });
  }

  async ready(): Promise<void> {
    await this.#process.output(/^ready$/m);
  }

  report(): Promise<StationReport> {
    const answer = new Promise<StationReport>((resolve) => this.#waiting.push(resolve));
    this.#process.write('report\n');
    return within(answer, () => `report of station ${this.id}: ${this.#process.stderr.slice(-500)}`);
  }

  /** Ends sending, and begins it again. */
  setSending(isSending: boolean): void {
    this.#process.write(isSending ? 'go\n' : 'stop\n');
  }

  end(): Promise<void> {
    return this.#process.end();
  }
}
