import { isMissing, type Severity, type ShownEvent, tell } from './sentences.ts';

/** So many events are kept; older ones go. */
export const MOST_EVENTS = 2000;

/** A line of the log. */
export interface EventLine {
  /** 1, 2, …: the place in this log, also of `lost` */
  readonly line: number;
  readonly event: ShownEvent;
  readonly severity: Severity;
  readonly sentence: string;
}

/** What is wanted of the log; absent members match all. */
export interface EventFilter {
  readonly kinds?: ReadonlySet<string>;
  /** the number or the name of a port */
  readonly port?: string;
  readonly network?: string;
  /** a part of the sentence, of the kind or of a fact */
  readonly text?: string;
}

/** The last events. `lost` and `gap` pass every filter: they say that the list is not whole. */
export class EventLog {
  readonly #most: number;
  #lines: EventLine[] = [];
  #count = 0;

  constructor(most: number = MOST_EVENTS) {
    this.#most = most;
  }

  /** The oldest first. */
  get lines(): readonly EventLine[] {
    return this.#lines;
  }

  /** How many came since the start, and how many of them are no longer kept. */
  get dropped(): number {
    return this.#count - this.#lines.length;
  }

  add(events: readonly ShownEvent[]): void {
    const lines = events.map((event) => ({ line: ++this.#count, event, ...tell(event) }));
    this.#lines = [...this.#lines, ...lines].slice(-this.#most);
  }

  clear(): void {
    this.#lines = [];
    this.#count = 0;
  }
}

/** The lines that match, the newest first. */
export function matching(lines: readonly EventLine[], filter: EventFilter): EventLine[] {
  const matches = lines.filter((line) => isWanted(line, filter));
  return matches.reverse();
}

function isWanted({ event, sentence }: EventLine, { kinds, port = '', network = '', text = '' }: EventFilter): boolean {
  if (isMissing(event.event)) return true;
  if (kinds !== undefined && kinds.size > 0 && !kinds.has(event.event)) return false;
  if (port !== '' && !isAbout(event, port)) return false;
  if (network !== '' && event.network !== network) return false;
  if (text === '') return true;
  const wanted = text.toLowerCase();
  const { portName, network: of, mac, target, user } = event;
  return [sentence, event.event, portName, of, mac, target, user].some(
    (fact) => typeof fact === 'string' && fact.toLowerCase().includes(wanted),
  );
}

function isAbout({ port, portName, ports }: ShownEvent & { readonly ports?: unknown }, wanted: string): boolean {
  if (String(port) === wanted || portName === wanted) return true;
  return Array.isArray(ports) && ports.some((one) => String(one) === wanted);
}

/** The events as JSON lines, one an event, as `etherws ctl watch --json` prints them. The oldest first. */
export function jsonLines(lines: readonly EventLine[]): string {
  return lines.map(({ event }) => `${JSON.stringify(event)}\n`).join('');
}
