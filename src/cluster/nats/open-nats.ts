import { readFileSync } from 'node:fs';
import {
  credsAuthenticator,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  tokenAuthenticator,
} from '@nats-io/transport-node';
import type { NatsServers } from '../../net/nats-url.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ClusterConfig } from '../cluster-config.ts';
import { NatsStore } from './nats-store.ts';

/** The store at the NATS servers of a configuration. Credentials are read again for each connection. */
export function openNats(config: ClusterConfig, servers: NatsServers, logger: Logger): NatsStore {
  const { urls } = servers;
  return new NatsStore({
    cluster: config.name,
    shown: urls.join(','),
    connection: {
      servers: [...urls],
      name: `etherws ${config.node}`,
      ...credentials(config, servers),
      ...tls(config, urls),
    },
    logger,
  });
}

function credentials({ credsFile, nkeyFile, tokenFile }: ClusterConfig, servers: NatsServers): NodeConnectionOptions {
  if (credsFile !== undefined) return { authenticator: credsAuthenticator(() => readFileSync(credsFile)) };
  if (nkeyFile !== undefined) return { authenticator: nkeyAuthenticator(() => Buffer.from(trimmed(nkeyFile))) };
  if (tokenFile !== undefined) return { authenticator: tokenAuthenticator(() => trimmed(tokenFile)) };
  const { user, password } = servers;
  return user === undefined ? {} : { user, pass: password ?? '' };
}

function tls({ cacertsFile, certFile, keyFile }: ClusterConfig, urls: readonly string[]): NodeConnectionOptions {
  const isWanted = cacertsFile !== undefined || certFile !== undefined || urls.some((url) => url.startsWith('tls:'));
  if (!isWanted) return {};
  return {
    tls: {
      ...(cacertsFile === undefined ? {} : { caFile: cacertsFile }),
      ...(certFile === undefined ? {} : { certFile }),
      ...(keyFile === undefined ? {} : { keyFile }),
    },
  };
}

function trimmed(file: string): string {
  return readFileSync(file, 'utf8').trim();
}
