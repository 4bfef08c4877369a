import type { NatsServers } from '../net/nats-url.ts';

/** The options of a node together. Files are real paths of readable files. */
export interface ClusterConfig {
  /** undefined: a server that is started beside this node */
  readonly servers: NatsServers | undefined;
  readonly name: string;
  readonly node: string;
  /** undefined: derived from the address towards the servers; null: none, the node only dials */
  readonly advertise: string | null | undefined;
  /** whether new clients are sent to nodes with a lower load, and all are told of other nodes */
  readonly redirects: boolean;
  readonly credsFile: string | undefined;
  readonly nkeyFile: string | undefined;
  readonly tokenFile: string | undefined;
  readonly cacertsFile: string | undefined;
  /** the secret of the cluster; undefined: its key is in the store */
  readonly secretFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}
