/** Whom a request comes from: the client, as far as the proxies before it are believed. */
export interface Caller {
  readonly address: string;
  /** undefined where a proxy told the address alone */
  readonly tcpPort: number | undefined;
}
