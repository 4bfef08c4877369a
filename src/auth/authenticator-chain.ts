import type { Authenticator, Credentials, Verdict } from './authenticator.ts';

/**
 * Several kinds of credentials, of which one suffices. They are asked in
 * their order, and those behind the first that lets the peer in are not asked.
 * Of several refusals the most telling one is given: `throttled` and `busy`, since a second try
 * may succeed; then `wrong`; then `missing`.
 */
export class AuthenticatorChain implements Authenticator {
  /** All challenges in one field value (RFC 9110, 11.6.1). */
  readonly challenge: string;
  readonly #links: readonly Authenticator[];

  /** @param links at least one; they are closed with the chain */
  constructor(links: readonly Authenticator[]) {
    if (links.length === 0) throw new RangeError('A chain of no authenticators would admit no client');
    this.#links = links;
    this.challenge = links
      .map(({ challenge }) => challenge)
      .filter((challenge) => challenge !== '')
      .join(', ');
  }

  async authenticate(credentials: Credentials): Promise<Verdict> {
    let worst: Verdict = { isAllowed: false, reason: 'missing' };
    for (const link of this.#links) {
      const verdict = await link.authenticate(credentials);
      if (verdict.isAllowed) return verdict;
      if (WEIGHT[verdict.reason] > WEIGHT[worst.reason]) worst = verdict;
    }
    return worst;
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

const WEIGHT = { missing: 0, wrong: 1, busy: 2, throttled: 3 } as const;
