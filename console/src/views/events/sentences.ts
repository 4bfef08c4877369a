import type { EventFacts, EventKind, SwitchEvent } from '../../../../src/events/event.ts';
import { meaningOf } from '../ports/discards.ts';

/** `fault`: an operator has to look; `warning`: something is lost or refused; `good`: it is well again; `info`: the rest. */
export type Severity = 'info' | 'good' | 'warning' | 'fault';

/** What is said of an event: one plain sentence, without the port, which stands beside it. */
export interface Told {
  readonly severity: Severity;
  readonly sentence: string;
}

/** `lost`: the switch says that events are missing in front of the next one; `gap`: the page was not connected. */
type Missing = 'lost' | 'gap';
export type ShownKind = EventKind | Missing;
export type ShownEvent =
  | SwitchEvent
  | (EventFacts & { readonly sequence: number; readonly time: string; readonly event: Missing });

/** Events of single addresses, which are many: the page asks for them only when they are wanted. */
export const ADDRESS_KINDS: readonly EventKind[] = ['address-learned', 'address-moved', 'address-aged'];

export function isMissing(kind: string): boolean {
  return kind === 'lost' || kind === 'gap';
}

/** The sentence of an event. All facts in it are text that peers may choose: show it as text only. */
export function tell(event: ShownEvent): Told {
  // A newer switch may send other kinds.
  return Object.hasOwn(SENTENCES, event.event) ? SENTENCES[event.event](event) : info(event.event);
}

const SENTENCES: Readonly<Record<ShownKind, (facts: ShownEvent) => Told>> = {
  'port-added': ({ type, target }) => info(`A ${type} port was added: ${target}`),
  'port-removed': ({ type, target, reason }) => info(`The ${type} port ${target} was removed${because(reason)}`),
  'port-up': () => good('The port forwards'),
  'port-down': ({ state, reason }) => {
    const why = because(reason);
    if (state === 'standby') return info(`The port stands by${why}`);
    return state === 'shut' && why === '' ? info('The port was shut') : warning(`The port forwards no more${why}`);
  },
  'tunnel-up': ({ user, wire, url }) =>
    good(`The tunnel stands${textOf(url, ' to ')}${textOf(user, ' with the user ')}${textOf(wire, ', wire ')}`),
  'tunnel-down': ({ user, reason }) => warning(`The tunnel is lost${textOf(user, ', user ')}${because(reason)}`),
  'address-learned': ({ mac, vid }) => info(`The station ${mac}${inVlan(vid)} was seen for the first time`),
  'address-moved': ({ mac, vid, movedFrom }) =>
    info(`The station ${mac}${inVlan(vid)} has moved here from port ${movedFrom}`),
  'address-aged': ({ mac, vid, displaced }) =>
    info(
      displaced === true
        ? `The station ${mac}${inVlan(vid)} made room for another one: the table of addresses is full`
        : `The station ${mac}${inVlan(vid)} was silent for the ageing time, and is forgotten`,
    ),
  'address-flapping': ({ mac, ports, moves }) =>
    fault(`The station ${mac} moved ${times(moves)} between ${portsOf(ports)}: a loop, or an address used twice`),
  loop: ({ action, ports, addresses, reason }) =>
    action === 'shut'
      ? fault(`A loop was found between ${portsOf(ports)}, and this port was shut${because(reason)}`)
      : fault(`A loop: ${counted(addresses, 'address', 'addresses')} move to and fro between ${portsOf(ports)}`),
  storm: ({ phase, kind, limit, frames }) => {
    const what = kind === 'unicast' ? 'unicast frames to unknown stations' : `${kind} frames`;
    if (phase === 'end') return good(`The storm is over: ${number(frames)} ${what} were discarded`);
    return fault(`A storm: more than ${number(limit)} ${what} a second; what is beyond is discarded`);
  },
  'neighbor-added': ({ system, chassis, neighborPort }) =>
    info(`LLDP has found the neighbour ${system ?? chassis}, port ${neighborPort}`),
  'neighbor-changed': ({ system, chassis, neighborPort }) =>
    info(`The neighbour ${system ?? chassis}, port ${neighborPort}, says something else of itself`),
  'neighbor-removed': ({ system, chassis, reason }) =>
    warning(`The neighbour ${system ?? chassis} is gone${because(reason)}`),
  violation: ({ reason, frames, user }) =>
    warning(
      `${counted(frames, 'frame')}${textOf(user, ' of the user ')} refused: such frames ${meaningOf(String(reason)).words}`,
    ),
  'multicast-querier': ({ querier, own, family, vid }) => {
    const where = `${family === undefined ? '' : ` for ${familyOf(family)}`}${inVlan(vid)}`;
    if (own === true) return info(`This switch is the querier of multicast groups${where}`);
    if (querier === null) return warning(`No querier of multicast groups is left${where}`);
    return info(`${querier} is the querier of multicast groups${where}`);
  },
  'multicast-limit': ({ refused, limit }) =>
    warning(
      limit === 'sources'
        ? `${counted(refused, 'list')} of multicast sources too long: the port gets all sources`
        : `${counted(refused, 'membership')} in multicast groups refused at the limit`,
    ),
  'topology-change': ({ detected }) =>
    info(
      detected === true
        ? 'The spanning tree changes: this port forwards now'
        : 'The spanning tree changes: a bridge behind this port says so',
    ),
  'root-changed': ({ root, port }) =>
    warning(
      port === undefined
        ? `This switch is the root of the spanning tree now, as ${root}`
        : `The root of the spanning tree is now ${root}, by this port`,
    ),
  'bpdu-guard': () => fault('BPDU guard has disabled the port: a bridge is behind a port that is meant for stations'),
  'network-added': ({ network }) => info(`The network ${network} was added`),
  'network-removed': ({ network }) => info(`The network ${network} was removed`),
  'worker-up': ({ worker }) => good(`Worker ${worker} takes tunnels`),
  'worker-down': ({ worker, reason }) => fault(`Worker ${worker} has ended, and is started again${because(reason)}`),
  'node-up': ({ node, version }) => good(`The node ${node} is in the cluster, version ${version}`),
  'node-down': ({ node, reason }) => warning(`The node ${node} is no longer in the cluster${because(reason)}`),
  'mesh-limit': ({ network, node, most }) =>
    warning(
      `No mesh tunnel of network ${network} to node ${node}: there are ${most}, as many as --auto-net-mesh allows`,
    ),
  'store-lost': ({ cluster }) =>
    warning(`The store of the cluster ${cluster} is lost: frames are forwarded as before, and nothing can be changed`),
  'store-found': ({ cluster }) => good(`The store of the cluster ${cluster} is there again`),
  reload: ({ failures }) =>
    failures === 0
      ? good('The files were read again')
      : fault(`The files were read again, and ${counted(failures, 'one')} could not be used: see the log`),
  lost: ({ lost }) => warning(`${counted(lost, 'event')} lost here: there were more than this connection carries`),
  gap: () => warning('The connection to the switch was lost: what happened meanwhile is missing here'),
};

/** The kinds that a switch has. */
export const EVENT_KINDS: readonly EventKind[] = Object.keys(SENTENCES).filter(
  (kind) => !isMissing(kind),
) as EventKind[];

function info(sentence: string): Told {
  return { severity: 'info', sentence };
}

function good(sentence: string): Told {
  return { severity: 'good', sentence };
}

function warning(sentence: string): Told {
  return { severity: 'warning', sentence };
}

function fault(sentence: string): Told {
  return { severity: 'fault', sentence };
}

function because(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
}

function textOf(value: unknown, front: string): string {
  return typeof value === 'string' && value !== '' ? `${front}${value}` : '';
}

function inVlan(vid: unknown): string {
  return typeof vid === 'number' && vid > 0 ? ` in VLAN ${vid}` : '';
}

function familyOf(family: unknown): string {
  return family === 'ipv6' || family === 6 ? 'IPv6' : 'IPv4';
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function number(value: unknown): string {
  return typeof value === 'number' ? WHOLE.format(value).replaceAll(',', '\u202f') : '?';
}

function counted(value: unknown, one: string, more = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : more}`;
}

function times(value: unknown): string {
  return value === 1 ? 'once' : `${number(value)} times`;
}

function portsOf(ports: unknown): string {
  return Array.isArray(ports) ? ports.map((port) => `port ${port}`).join(' and ') : 'two ports';
}
