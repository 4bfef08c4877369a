export interface Subscription<Owner> {
  readonly owner: Owner;
  /** words joined by dots; `*` is any one word */
  readonly pattern: string;
  deliver(message: unknown, subject: string): void;
}

/** The subscriptions of a hub, found by subject. */
export class Subscriptions<Owner> {
  readonly #byPattern = new Map<string, Set<Subscription<Owner>>>();
  /** the patterns with `*`, which are few */
  readonly #wildcards = new Set<string>();

  /** @returns removes it again */
  add(subscription: Subscription<Owner>): () => void {
    const { pattern } = subscription;
    const same = this.#byPattern.get(pattern) ?? new Set();
    this.#byPattern.set(pattern, same.add(subscription));
    if (pattern.includes('*')) this.#wildcards.add(pattern);
    return () => {
      same.delete(subscription);
      if (same.size > 0 || this.#byPattern.get(pattern) !== same) return;
      this.#byPattern.delete(pattern);
      this.#wildcards.delete(pattern);
    };
  }

  /** @returns those that were there at the call */
  matching(subject: string): Subscription<Owner>[] {
    const found = [...(this.#byPattern.get(subject) ?? [])];
    for (const pattern of this.#wildcards) {
      if (matchesSubject(pattern, subject)) found.push(...(this.#byPattern.get(pattern) ?? []));
    }
    return found;
  }
}

function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const words = subject.split('.');
  return wanted.length === words.length && wanted.every((word, index) => word === '*' || word === words[index]);
}
