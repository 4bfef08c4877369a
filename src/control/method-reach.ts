import { EtherwsError } from '../errors.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import type { MethodName, PortReference, SwitchControl } from './schema.ts';

/**
 * What each method reaches, for users that a policy limits to some networks.
 *
 * | | |
 * |---|---|
 * | `switch` | the whole switch, its process or its host: not for these users |
 * | `caller` | only what the caller has begun: allowed |
 * | `events` | events: those of other networks, and of none, are left out |
 * | `tables` | tables: `observe` leaves out what is in other networks |
 * | `list` | entries with the member `network` or `port`: those of other networks are left out |
 * | `network` | the network in the parameter `network`, by default `default` |
 * | `port` | the port in the parameter `port` |
 * | `ports` | the ports in the parameter `ports` |
 * | `entries` | addresses at `port`, or in `network`; one of them must be given |
 */
export type Reach = 'switch' | 'caller' | 'events' | 'tables' | 'list' | 'network' | 'port' | 'ports' | 'entries';

/** Each method has its reach, so that a new one cannot be forgotten. */
export const METHOD_REACH: Readonly<Record<MethodName, Reach>> = {
  addPort: 'network',
  setPort: 'port',
  delPort: 'port',
  listPort: 'list',
  setInterface: 'port',
  listInterface: 'list',
  listFdb: 'list',
  listStation: 'list',
  addFdb: 'port',
  delFdb: 'network',
  flushFdb: 'entries',
  listMdb: 'list',
  addMdb: 'port',
  delMdb: 'port',
  listDoor: 'switch',
  getPort: 'port',
  getStatus: 'switch',
  addNet: 'network',
  setNet: 'network',
  delNet: 'network',
  listNet: 'list',
  listStp: 'list',
  planReload: 'switch',
  reload: 'switch',
  getConfig: 'switch',
  listVlan: 'list',
  listNeighbor: 'list',
  listRate: 'list',
  ping: 'network',
  trace: 'network',
  listLogLevel: 'switch',
  setLogLevel: 'switch',
  subscribe: 'events',
  subscribeCluster: 'events',
  capture: 'ports',
  captureCluster: 'caller',
  endCapture: 'caller',
  createLogin: 'caller',
  callCluster: 'caller',
  addClusterNet: 'network',
  setClusterNet: 'network',
  delClusterNet: 'network',
  getClusterPolicy: 'switch',
  setClusterPolicy: 'switch',
  listClusterHistory: 'switch',
  rollbackCluster: 'switch',
  drain: 'switch',
  observe: 'tables',
  unobserve: 'caller',
  listFinding: 'switch',
};

/** The networks that a user may reach; undefined: all, and the switch itself. */
export type AllowedNetworks = readonly string[] | undefined;

/** The parameters that say what a call reaches. */
interface Reaching {
  readonly network?: string;
  readonly port?: PortReference;
  readonly ports?: readonly PortReference[];
  /** of `ping`: a port, or an address */
  readonly target?: string;
}

type Ports = Pick<SwitchControl, 'networkOf'>;

/**
 * Refuses a call beyond the networks of its user, with the same error whether there is such a port or network or not.
 * @throws EtherwsError METHOD_FORBIDDEN, PORT_NOT_FOUND, ARGUMENT_INVALID
 */
export function requireReach(name: MethodName, params: object, allowed: readonly string[], ports: Ports): void {
  const { network, port, ports: several = [], target } = params as Reaching;
  const reach = METHOD_REACH[name];
  if (reach === 'switch') throw forbidden(name, 'is about the whole switch', allowed);
  if (reach === 'entries' && port === undefined && network === undefined) {
    throw new EtherwsError('ARGUMENT_INVALID', `${name} needs a port or a network here`, { hint: hintOf(allowed) });
  }
  if (reach === 'network') requireNetwork(name, network ?? DEFAULT_NETWORK, allowed);
  else if (network !== undefined) requireNetwork(name, network, allowed);
  if (reach === 'port' || reach === 'ports' || reach === 'entries') {
    for (const reference of port === undefined ? several : [port]) {
      const found = ports.networkOf(reference);
      if (found === undefined || !allowed.includes(found)) throw noPort(reference, allowed);
    }
  }
  if (name === 'ping' && target !== undefined) {
    const found = ports.networkOf(/^\d+$/.test(target) ? Number(target) : target);
    if (found !== undefined && !allowed.includes(found)) throw noPort(target, allowed);
  }
}

/** The entries of a list that are in the networks of a user; all of another method. */
export function visibleEntries<Entry>(
  name: MethodName,
  entries: Entry[],
  allowed: readonly string[],
  ports: Ports,
): Entry[] {
  if (METHOD_REACH[name] !== 'list') return entries;
  return entries.filter((entry) => {
    const { network, port } = entry as { readonly network?: string; readonly port?: number };
    const found = network ?? (port === undefined ? undefined : ports.networkOf(port));
    return isVisible({ network: found }, allowed);
  });
}

/** Whether a user may know of something that has a network. What has none is about the whole switch. */
export function isVisible({ network }: { readonly network?: unknown }, allowed: AllowedNetworks): boolean {
  return allowed === undefined || (typeof network === 'string' && allowed.includes(network));
}

/** The same error without what it says of other networks: hints name the ports and networks that are there. */
export function withoutOthers(error: unknown, params: object, allowed: readonly string[]): unknown {
  if (!(error instanceof EtherwsError)) return error;
  const { port, target } = params as Reaching;
  if (error.code === 'PORT_NOT_FOUND') return noPort(port ?? target ?? '', allowed);
  if (error.code !== 'NETWORK_NOT_FOUND' && error.code !== 'PORT_NAME_TAKEN') return error;
  return new EtherwsError(error.code, error.message, { hint: hintOf(allowed) });
}

function requireNetwork(name: MethodName, network: string, allowed: readonly string[]): void {
  if (!allowed.includes(network)) throw forbidden(name, `reaches the network ${JSON.stringify(network)}`, allowed);
}

function forbidden(name: MethodName, why: string, allowed: readonly string[]): EtherwsError {
  return new EtherwsError('METHOD_FORBIDDEN', `This call of ${name} ${why}, which the policy does not allow`, {
    hint: hintOf(allowed),
  });
}

function noPort(reference: PortReference, allowed: readonly string[]): EtherwsError {
  const name = typeof reference === 'number' ? reference : JSON.stringify(reference);
  return new EtherwsError('PORT_NOT_FOUND', `There is no port ${name} in the networks of this user`, {
    hint: hintOf(allowed),
  });
}

function hintOf(allowed: readonly string[]): string {
  return allowed.length === 0 ? 'The policy names no network of this user' : `These are ${allowed.join(', ')}`;
}
