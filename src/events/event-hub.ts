import { EVENT_KINDS, type EventFacts, type EventKind, isOfAddress, type SwitchEvent } from './event.ts';

/** Gets what happened, in order, and how many events in front of it were lost. Must not throw. */
export type EventListener = (events: readonly SwitchEvent[], lost: number) => void;

/** Events are handed on in batches, so that frames wait for no subscriber and a flood of events is a few writes. */
const DELIVERY_INTERVAL_MS = 20;
/** Bound of the events of single addresses in a batch: 10 000 a second. */
const MOST_ADDRESS_EVENTS = 200;
/** Bound of the other ones: 5000 tunnels that are lost at once are 10 000 events. */
const MOST_RARE_EVENTS = 20_000;

interface Subscription {
  readonly kinds: ReadonlySet<EventKind>;
  readonly listener: EventListener;
}

/**
 * Hands the events of a switch to its subscribers. An event that no subscriber wants costs a look into a set, and those
 * of addresses not even that: `onDemand` tells the source when they are wanted.
 */
export class EventHub {
  /** Called when the set of wanted kinds has changed. */
  onDemand: () => void = () => undefined;
  readonly #demands = new Set<() => void>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #wanted = new Set<EventKind>();
  #pending: SwitchEvent[] = [];
  #pendingOfAddresses = 0;
  readonly #lost = new Map<EventKind, number>();
  #lostElsewhere = 0;
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;

  /** The sequence number of the last event. */
  get sequence(): number {
    return this.#sequence;
  }

  isWanted(kind: EventKind): boolean {
    return this.#wanted.has(kind);
  }

  /** The kinds that any subscriber wants. */
  get wanted(): EventKind[] {
    return [...this.#wanted];
  }

  /** Calls `listener` after each change of `wanted`. @returns stops that */
  onWanted(listener: () => void): () => void {
    this.#demands.add(listener);
    return () => this.#demands.delete(listener);
  }

  /** Tells all subscribers that events of another process were lost. */
  lose(count: number): void {
    this.#lostElsewhere += count;
    this.#timer ??= setTimeout(() => this.#deliver(), DELIVERY_INTERVAL_MS).unref();
  }

  /** Returns at once; subscribers are told behind the present turn of the event loop. */
  publish(kind: EventKind, facts: EventFacts): void {
    if (!this.#wanted.has(kind)) return;
    const sequence = ++this.#sequence;
    this.#timer ??= setTimeout(() => this.#deliver(), DELIVERY_INTERVAL_MS).unref();
    const isAddress = isOfAddress(kind);
    const isFull = isAddress
      ? this.#pendingOfAddresses >= MOST_ADDRESS_EVENTS
      : this.#pending.length >= MOST_RARE_EVENTS;
    if (isFull) {
      this.#lost.set(kind, (this.#lost.get(kind) ?? 0) + 1);
      return;
    }
    if (isAddress) this.#pendingOfAddresses++;
    this.#pending.push({ sequence, time: new Date().toISOString(), event: kind, ...facts });
  }

  /**
   * @param kinds those that are wanted; default: all
   * @returns ends the subscription
   */
  subscribe(listener: EventListener, kinds: Iterable<EventKind> = EVENT_KINDS): () => void {
    const subscription: Subscription = { listener, kinds: new Set(kinds) };
    this.#subscriptions.add(subscription);
    this.#demandChanged();
    return () => {
      if (this.#subscriptions.delete(subscription)) this.#demandChanged();
    };
  }

  /** Hands on what waits, for a switch that ends. */
  flush(): void {
    if (this.#timer !== undefined) this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#pending;
    const lost = new Map(this.#lost);
    const lostElsewhere = this.#lostElsewhere;
    this.#pending = [];
    this.#pendingOfAddresses = 0;
    this.#lostElsewhere = 0;
    this.#lost.clear();
    for (const { kinds, listener } of this.#subscriptions) {
      const wanted = events.filter(({ event }) => kinds.has(event));
      let lostOfThese = lostElsewhere;
      for (const [kind, count] of lost) if (kinds.has(kind)) lostOfThese += count;
      if (wanted.length > 0 || lostOfThese > 0) listener(wanted, lostOfThese);
    }
  }

  #demandChanged(): void {
    this.#wanted.clear();
    for (const { kinds } of this.#subscriptions) for (const kind of kinds) this.#wanted.add(kind);
    this.onDemand();
    for (const listener of [...this.#demands]) listener();
  }
}
