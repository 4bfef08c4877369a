/** The client that sent a request, as trusted proxies report it, or else the other end of the connection. */
export interface Caller {
  readonly address: string;
  /** undefined when a proxy reported only the address */
  readonly tcpPort: number | undefined;
}
