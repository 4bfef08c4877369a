import type { X509Certificate } from 'node:crypto';

/** The credentials that a request and its connection present. */
export interface Credentials {
  /** The `Authorization` header field as received, undefined without one. */
  readonly authorization: string | undefined;
  /** `access_token` of the query, if present (RFC 6750, 2.3). It must not be logged. */
  readonly accessToken?: string | undefined;
  /**
   * The client certificate that the TLS handshake verified against our authorities, followed by the other certificates
   * that the client sent. Empty or undefined without one.
   */
  readonly clientChain?: readonly X509Certificate[] | undefined;
  /** The client's address, for logs and limits. */
  readonly remoteAddress: string;
}

export type Verdict =
  | {
      readonly isAllowed: true;
      /** null if the service requires no credentials */
      readonly user: string | null;
      /** When the credentials expire, in milliseconds since 1970 by the wall clock; undefined: never. */
      readonly untilMs?: number;
      /** The only networks that the client's tunnels may join, by their names; undefined: the credentials do not say. */
      readonly networks?: readonly string[];
      /** The proof of the service for this client, as `Etherws-Mesh-Answer` has it; undefined: it gives none. */
      readonly answer?: string;
    }
  | {
      readonly isAllowed: false;
      /**
       * `missing`: no credentials; `wrong`: they do not match or are malformed; `busy`: too many checks are queued;
       * `throttled`: the address failed too often
       */
      readonly reason: 'missing' | 'wrong' | 'busy' | 'throttled';
    };

/** Verifies credentials. */
export interface Authenticator {
  /** The value of `WWW-Authenticate` in a refusal; '' for none. */
  readonly challenge: string;
  /** Never rejects. An unknown user takes as long as a wrong password, so that timing does not reveal user names. */
  authenticate(credentials: Credentials): Promise<Verdict>;
  /**
   * Verifies again credentials that were accepted before, as those of a session. It is no guess, so it is neither throttled
   * nor counted. Never rejects. Absent: as `authenticate`.
   */
  recheck?(credentials: Credentials): Promise<Verdict>;
  close(): Promise<void>;
}

/** Accepts every client, for a service that requires no credentials. */
export const ALLOW_ALL: Authenticator = {
  challenge: '',
  authenticate: () => Promise.resolve({ isAllowed: true, user: null }),
  close: () => Promise.resolve(),
};

/** `recheck` of an authenticator, or what takes its place. */
export function recheck(authenticator: Authenticator, credentials: Credentials): Promise<Verdict> {
  return authenticator.recheck?.(credentials) ?? authenticator.authenticate(credentials);
}
