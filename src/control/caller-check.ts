import type { IncomingMessage } from 'node:http';
import { type Authenticator, type Credentials, recheck } from '../auth/authenticator.ts';
import { isLocalUserName } from '../auth/local-user.ts';
import { credentialsOf } from '../auth/request-credentials.ts';
import type { EndpointCounters } from '../net/endpoint-counters.ts';
import type { Admission } from './admission.ts';
import type { Refusal } from './request-guard.ts';

/** An authorized caller. */
export interface Caller {
  /** null where no credentials are required */
  readonly user: string | null;
  /** The expiry of its credentials, in milliseconds since 1970; undefined: they do not expire. */
  readonly untilMs?: number | undefined;
  /** Whether its credentials are still those of this user; absent for a caller without credentials. Never rejects. */
  readonly isStillValid?: () => Promise<boolean>;
  /** It is a node that stops reading while its own caller is slow, so pings are answered late. Default false. */
  readonly isPausing?: boolean;
}

export interface CallerCheckOptions {
  readonly authenticator: Authenticator;
  /** as `ControlServerOptions.admit` */
  readonly admit?: (request: IncomingMessage) => Promise<Admission> | undefined;
  readonly addressOf?: (request: IncomingMessage) => string;
  /** The credentials of a request. Default: all that it and its connection present. */
  readonly credentialsOf?: (request: IncomingMessage, remoteAddress: string | undefined) => Credentials;
  readonly counters: EndpointCounters;
}

/** Finds the caller of a request by its connection and its credentials. */
export class CallerCheck {
  readonly #options: CallerCheckOptions;

  constructor(options: CallerCheckOptions) {
    this.#options = options;
  }

  /** @returns the caller, or the refusal. Never rejects */
  async check(request: IncomingMessage): Promise<Caller | Refusal> {
    const { admit, addressOf, counters } = this.#options;
    const admission = await admit?.(request);
    if (admission !== undefined) {
      if (!('refusal' in admission)) return admission;
      counters.forbidden++;
      return admission.refusal;
    }
    const find = this.#options.credentialsOf ?? credentialsOf;
    return this.checkCredentials(find(request, addressOf?.(request)));
  }

  /** @returns the caller that has these credentials, or the refusal. Never rejects */
  async checkCredentials(credentials: Credentials): Promise<Caller | Refusal> {
    const { authenticator } = this.#options;
    const verdict = await authenticator.authenticate(credentials);
    if (!verdict.isAllowed) return this.#refusalOf(verdict.reason);
    const { user, untilMs } = verdict;
    if (user !== null && isLocalUserName(user)) return WRONG_PASSWORD;
    const isStillValid = async (): Promise<boolean> => {
      const again = await recheck(authenticator, credentials);
      // If the authenticator is overloaded, the next check decides.
      return again.isAllowed ? again.user === user : again.reason === 'busy';
    };
    return { user, untilMs, isStillValid };
  }

  #refusalOf(reason: 'missing' | 'wrong' | 'busy' | 'throttled'): Refusal {
    if (reason === 'busy') return BUSY;
    if (reason === 'throttled') return THROTTLED;
    // HTTP has no challenge for certificates, and a 401 must have one (RFC 9110, 15.5.2).
    if (this.#options.authenticator.challenge === '') return NO_CERTIFICATE;
    return reason === 'missing' ? UNKNOWN_USER : WRONG_PASSWORD;
  }
}

const UNKNOWN_USER: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'This control API wants a user and a password, or a token',
  hint: 'Give them with --ctluser and --ctlpasswd',
};
const WRONG_PASSWORD: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'The user, the password or the token is wrong',
  hint: 'Check --ctluser and --ctlpasswd against the htpasswd file of the switch',
};
const BUSY: Refusal = {
  status: 503,
  code: 'AUTH_BUSY',
  message: 'Too many passwords are being checked',
  hint: 'Try again in a moment',
};
const THROTTLED: Refusal = {
  status: 429,
  code: 'AUTH_BUSY',
  message: 'Too many logins from this address have failed',
  hint: 'Wait some seconds, and check the password',
};
const NO_CERTIFICATE: Refusal = {
  status: 403,
  code: 'AUTH_FAILED',
  message: 'This control API wants a client certificate that it trusts',
  hint: 'Show one that an authority of --ctlclient-ca issued and that has not expired',
};
