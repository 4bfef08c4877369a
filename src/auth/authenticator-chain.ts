import { closeAll } from '../runtime/close-all.ts';
import { type Authenticator, type Credentials, recheck, type Verdict } from './authenticator.ts';

/**
 * Accepts any one of several kinds of credentials. The authenticators are tried in
 * order, up to the first that accepts the client. If all refuse, the verdict is the most
 * specific reason: `throttled`, then `busy` (a later attempt may succeed), then
 * `wrong`, then `missing`.
 */
export class AuthenticatorChain implements Authenticator {
  /** All challenges as one field value (RFC 9110, 11.6.1). */
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

  authenticate(credentials: Credentials): Promise<Verdict> {
    return this.#tryAll((link) => link.authenticate(credentials));
  }

  recheck(credentials: Credentials): Promise<Verdict> {
    return this.#tryAll((link) => recheck(link, credentials));
  }

  async #tryAll(ask: (link: Authenticator) => Promise<Verdict>): Promise<Verdict> {
    let worst: Verdict = { isAllowed: false, reason: 'missing' };
    for (const link of this.#links) {
      const verdict = await ask(link);
      if (verdict.isAllowed) return verdict;
      if (WEIGHT[verdict.reason] > WEIGHT[worst.reason]) worst = verdict;
    }
    return worst;
  }

  async close(): Promise<void> {
    await closeAll(this.#links.map((link) => () => link.close()));
  }
}

const WEIGHT = { missing: 0, wrong: 1, busy: 2, throttled: 3 } as const;
