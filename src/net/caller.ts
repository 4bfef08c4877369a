/** The client that a request comes from, as far as the proxies before it are trusted. */
export interface Caller {
  readonly address: string;
  /** undefined where a proxy told the address alone */
  readonly tcpPort: number | undefined;
}
