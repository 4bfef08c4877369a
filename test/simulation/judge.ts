import { type Facts, mayReach } from './model.ts';
import { type NumberedFrame, parseNumbered } from './numbered-frame.ts';

/** How long a frame may be on its way, over all tunnels of a path. */
export const LONGEST_WAY_MS = 500;
/** How long frames may come twice in a network with a tree after a change there: twice the maximum age, and the delays. */
export const RECONFIGURATION_MS = 25_000;
/** How often a frame comes to a station at most while a tree changes; it was never more than twice in 800 runs. */
const MOST_COPIES = 3;
const MOST_FAULTS = 20;

interface Sent {
  readonly from: number;
  readonly tag: number | undefined;
  readonly atMs: number;
  /** Which of the facts held when it was sent. */
  readonly version: number;
  readonly isLie: boolean;
}

/** Destinations of frames that switches make themselves: reserved addresses, and that of probes for loops. */
const CONTROL = /^(0180c200000|034557530001)/;

/**
 * Sees all frames that stations send and get, and compares them with the model. A frame is wrong where neither the facts at
 * its sending nor any later ones let it go there.
 */
export class Judge {
  readonly faults: string[] = [];
  readonly #versions: Facts[];
  readonly #sent: Sent[] = [];
  /** station and number → how often */
  readonly #received = new Map<string, number>();
  readonly #nowMs: () => number;
  /** Times at which octets of a tunnel were damaged: what was on its way then is not judged. */
  readonly #damagedMs: number[] = [];
  /** Per network: until when a frame may come twice, since the tree or a place of a station changes. */
  readonly #unsettledMs = new Map<string, number>();
  duplicates = 0;
  mostCopies = 0;
  deliveries = 0;

  constructor(facts: Facts, nowMs: () => number) {
    this.#versions = [facts];
    this.#nowMs = nowMs;
  }

  get facts(): Facts {
    return this.#versions.at(-1) as Facts;
  }

  change(facts: Facts): void {
    this.#versions.push(facts);
  }

  fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(`${(this.#nowMs() / 1000).toFixed(3)} s: ${what}`);
  }

  /** Frames of the network may come twice until then. */
  unsettled(network: string, forMs: number): void {
    this.#unsettledMs.set(network, Math.max(this.#unsettledMs.get(network) ?? 0, this.#nowMs() + forMs));
  }

  damaged(): void {
    this.#damagedMs.push(this.#nowMs());
  }

  /** @returns the number of a new frame */
  sends(from: number, tag: number | undefined, isLie = false): number {
    this.#sent.push({ from, tag, atMs: this.#nowMs(), version: this.#versions.length - 1, isLie });
    return this.#sent.length - 1;
  }

  timesOf(number: number, station: number): number {
    return this.#received.get(`${station} ${number}`) ?? 0;
  }

  /** A station gets a frame. */
  receives(station: number, frame: Buffer): void {
    const parsed = parseNumbered(frame);
    if (parsed !== undefined && parsed !== 'damaged') this.#numbered(station, parsed);
    else if (this.#isAfterDamage(this.#nowMs())) return;
    else if (parsed === 'damaged') this.fault(`station ${station} gets a frame with other octets than were sent`);
    else if (!CONTROL.test(frame.toString('hex', 0, 14)))
      this.fault(`station ${station} gets ${frame.toString('hex')}`);
  }

  #numbered(station: number, { number, tag, destination }: NumberedFrame): void {
    const sent = this.#sent[number];
    if (sent === undefined) {
      this.fault(`station ${station} gets frame ${number}, which no station has sent`);
      return;
    }
    if (this.#isAfterDamage(sent.atMs)) return;
    this.deliveries++;
    const words = `frame ${number} of station ${sent.from} to ${destination}`;
    if (sent.isLie) {
      this.fault(`station ${station} gets ${words}, which is a lie`);
      return;
    }
    const key = `${station} ${number}`;
    const times = (this.#received.get(key) ?? 0) + 1;
    this.#received.set(key, times);
    // Its sender has it already.
    if (sent.from === station) this.#again(station, sent, times + 1, words);
    else if (times > 1) this.#again(station, sent, times, words);
    if (sent.from !== station && !this.#isAllowed(station, sent, tag))
      this.fault(`station ${station} must not get ${words} with the tag ${tag}`);
  }

  /**
   * A frame that is on its way while a tree changes may come twice, or back to its station (IEEE 802.1D-2004, 6.3.4 and 17.4). It
   * never goes round.
   */
  #again(station: number, { from, atMs }: Sent, times: number, words: string): void {
    this.duplicates++;
    const isUnsettled = this.#isUnsettled(from, atMs);
    // Changed octets of a BPDU make a root that is none, and a loop until its age ends it.
    const isMisled = this.#isAfterDamage(atMs, RECONFIGURATION_MS);
    if (!isMisled) this.mostCopies = Math.max(this.mostCopies, times);
    if (!isUnsettled || (times > MOST_COPIES && !isMisled))
      this.fault(`station ${station} gets ${words} ${times} times`);
  }

  #isAllowed(station: number, { from, tag, version, atMs }: Sent, arrived: number | undefined): boolean {
    // A frame that comes back by a tunnel comes from no isolated port.
    const isUnsettled = this.#isUnsettled(from, atMs);
    return this.#versions.slice(version).some((held) => {
      const facts = isUnsettled ? withoutIsolation(held) : held;
      const copiesOf = facts.stations.get(station)?.copiesOf;
      if (copiesOf !== undefined) return copiesOf === from || mayReach(facts, from, copiesOf, tag) !== undefined;
      const way = mayReach(facts, from, station, tag);
      return way !== undefined && way.tag === arrived;
    });
  }

  #isUnsettled(from: number, atMs: number): boolean {
    return atMs <= (this.#unsettledMs.get(this.facts.stations.get(from)?.network ?? '') ?? 0);
  }

  #isAfterDamage(atMs: number, forMs: number = LONGEST_WAY_MS): boolean {
    return this.#damagedMs.some((damagedMs) => atMs > damagedMs - LONGEST_WAY_MS && atMs < damagedMs + forMs);
  }
}

function withoutIsolation(facts: Facts): Facts {
  const stations = new Map([...facts.stations].map(([id, station]) => [id, { ...station, isIsolated: false }]));
  return { ...facts, stations };
}
