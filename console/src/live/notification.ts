/** A JSON-RPC notification of the switch; `method` has the prefix. */
export interface EtherwsNotification {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}
