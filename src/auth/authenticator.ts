import type { X509Certificate } from 'node:crypto';

/** The credentials of a caller, as far as the opening request shows them. */
export interface Credentials {
  /** The `Authorization` header as received, undefined without one. */
  readonly authorization: string | undefined;
  /** `access_token` of the query, where there is one (RFC 6750, 2.3). Never to be logged. */
  readonly accessToken?: string | undefined;
  /**
   * The certificate that the peer proved to own when it connected, and for which an authority of ours vouched then;
   * behind it those that the peer sent along. Empty or undefined without one.
   */
  readonly clientChain?: readonly X509Certificate[] | undefined;
  /** The peer's address, for logs and limits. */
  readonly remoteAddress: string;
}

export type Verdict =
  | {
      readonly isAllowed: true;
      /** null: the service asks for no credentials */
      readonly user: string | null;
      /** When this ends, by the system's clock in milliseconds since 1970; undefined: it does not. */
      readonly untilMs?: number;
    }
  | {
      readonly isAllowed: false;
      /**
       * `missing` nothing was given, `wrong` it does not match or cannot be read, `busy` too many checks are waiting,
       * `throttled` that address failed too often
       */
      readonly reason: 'missing' | 'wrong' | 'busy' | 'throttled';
    };

/** Decides which callers may pass. Never rejects. An unknown name takes as long as a wrong password. */
export interface Authenticator {
  /** The value of `WWW-Authenticate` that a refused peer gets. */
  readonly challenge: string;
  authenticate(credentials: Credentials): Promise<Verdict>;
  close(): Promise<void>;
}

/** Lets every caller pass: a service without credentials. */
export const ALLOW_ALL: Authenticator = {
  challenge: '',
  authenticate: () => Promise.resolve({ isAllowed: true, user: null }),
  close: () => Promise.resolve(),
};
