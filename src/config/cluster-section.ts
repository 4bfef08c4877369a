import { hostname } from 'node:os';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import { isNodeId } from '../cluster/parse-announcement.ts';
import { parseServers } from '../net/nats-url.ts';
import { CLUSTER_OPTIONS, EMBEDDED } from '../schema/cluster-options.ts';
import type { SwValues } from '../schema/sw-options.ts';
import type { NamedFiles } from './named-files.ts';

/** @returns undefined for a switch that is no node of a cluster */
export function clusterSection({ cluster }: SwValues, files: NamedFiles): ClusterConfig | undefined {
  if (cluster === undefined) return undefined;
  const { servers, name, node, advertise } = cluster;
  return {
    servers: servers === EMBEDDED ? undefined : parseServers(servers),
    name: name ?? CLUSTER_OPTIONS.name.default,
    node: node ?? nodeOfHost(),
    advertise: advertise === 'none' ? null : advertise,
    redirects: (cluster.redirect ?? CLUSTER_OPTIONS.redirect.default) === 'on',
    credsFile: files.at('cluster', 'creds'),
    nkeyFile: files.at('cluster', 'nkey'),
    tokenFile: files.at('cluster', 'token'),
    cacertsFile: files.at('cluster', 'cacerts'),
    secretFile: files.at('cluster', 'secret'),
    certFile: files.at('cluster', 'cert'),
    keyFile: files.at('cluster', 'key'),
  };
}

/** The host name without its domain, with `-` for what a node's name cannot have. */
function nodeOfHost(): string {
  const [label = ''] = hostname().split('.');
  const name = label.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 63);
  return isNodeId(name) ? name : 'node';
}
