import { ALLOW_ALL, type Authenticator } from '../auth/authenticator.ts';
import { AuthenticatorChain } from '../auth/authenticator-chain.ts';
import type { ClientAuthorities } from '../auth/client-authorities.ts';
import { ClientCertificateAuthenticator } from '../auth/client-certificate.ts';
import type { PasswordVerifier } from '../auth/hash-verifier.ts';
import { HtpasswdAuthenticator } from '../auth/htpasswd.ts';
import { LoginGuard } from '../auth/login-guard.ts';
import type { LoginConfig } from '../config/service-config.ts';
import { pollNow } from '../native/addon.ts';
import type { EndpointCounters } from '../net/endpoint-counters.ts';
import type { Logger } from '../observability/logger.ts';
import { FairTaskQueue } from '../runtime/fair-task-queue.ts';

export const REALM = 'etherws';

/**
 * Opens all authenticators of a service's configuration. Credentials in the request have
 * precedence over the TLS client certificate, which a browser presents without being told
 * which user is meant.
 * @throws EtherwsError FILE_UNREADABLE, HTPASSWD_INVALID, TOKEN_KEYS_INVALID; authenticators opened before are then closed
 */
export async function openAuthenticators(
  config: LoginConfig,
  context: {
    readonly verifier: PasswordVerifier;
    readonly logger: Logger;
    readonly counters: EndpointCounters;
    readonly loginFailures?: number;
    /** returns the current authorities of `clientCaFile`; called for every login */
    readonly authorities: () => ClientAuthorities;
  },
): Promise<Authenticator> {
  const { logger, verifier, counters, loginFailures, authorities } = context;
  const links: Authenticator[] = [];
  try {
    if (config.htpasswd !== undefined) {
      links.push(await HtpasswdAuthenticator.open(config.htpasswd, { realm: REALM, logger, verifier }));
    }
    if (config.tokens !== undefined) {
      const { keyFile, audience } = config.tokens;
      // Loaded when needed: the JOSE library takes 1.5 MiB.
      const { BearerAuthenticator } = await import('../auth/bearer.ts');
      links.push(await BearerAuthenticator.open(keyFile, { realm: REALM, audience, logger }));
    }
  } catch (error) {
    // Not the error of a closing, but the one before is what to mend.
    await Promise.allSettled(links.map((link) => link.close()));
    throw error;
  }
  if (config.clientCaFile !== undefined) links.push(new ClientCertificateAuthenticator(authorities));
  if (links.length === 0) return ALLOW_ALL;
  return new LoginGuard(new AuthenticatorChain(links), {
    counters,
    tasks: new FairTaskQueue({ before: pollNow }),
    ...(loginFailures === undefined ? {} : { failuresPerAddress: loginFailures }),
  });
}
