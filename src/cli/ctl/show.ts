import { SET_PORT } from '../../control/schema.ts';
import type { PolicyEntry, PortPage } from '../../control/status-entries.ts';
import { BRIDGE_PORT_OPTIONS } from '../../schema/bridge-port-options.ts';
import { DEFAULT_NETWORK } from '../../schema/network-options.ts';
import type { Row } from '../../schema/table.ts';
import { typedValue } from '../../schema/typed-value.ts';
import type { Command } from '../commander.ts';
import { type Colour, Page, type Paint } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { formatMs, formatOctets, formatRate, formatSeconds } from '../units.ts';
import { DISCARD_WORDS } from './discard-words.ts';
import { addLeaf, perform } from './leaf.ts';

/** `etherws ctl show`. */
export function addShow(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'show', 'show everything about a port on one page', ['show 2', 'show uplink', 'show uplink --json'])
    .argument('<PORT>', SET_PORT.port.help)
    .action((port: string, _options: object, command: Command) =>
      perform(command, terminal, {
        method: 'getPort',
        params: { port },
        table: ([page]) => (page === undefined ? '' : portPage(page, terminal.paint)),
      }),
    );
}

export function portPage(page: PortPage, paint: Paint): string {
  const { port, name, type, target, description, roundTripMs, user, netns } = page;
  return new Page(paint)
    .head(`port ${port}${name === null ? '' : ` (${name})`}: ${type} ${target}`)
    .add('Description', ...present(description))
    .add('Network', ...(page.network === DEFAULT_NETWORK ? [] : [page.network]))
    .add('State', ...stateLines(page))
    .add('Namespace', ...present(netns))
    .add('User', ...present(user))
    .add('Connection', ...connectionLines(page))
    .add('Round trip', ...(roundTripMs === null ? [] : [formatMs(roundTripMs)]))
    .add('Queue', ...queueLines(page))
    .add('Received', `${page.rx} frames, ${formatOctets(page.rxOctets)}`)
    .add('Sent', `${page.tx} frames, ${formatOctets(page.txOctets)}`)
    .add('Discarded', ...discardLines('received', page.rxDiscards), ...discardLines('to send', page.txDiscards))
    .add('Settings', ...settingLines(page))
    .add('Policy', ...(page.policy === null ? [] : policyLines(page.policy)))
    .add('Neighbours', ...neighborLines(page))
    .add('Stations', ...stationLines(page))
    .add('Bindings', ...bindingLines(page))
    .toString();
}

function bindingLines({ bindings }: PortPage): string[] {
  return bindings.map(({ address, mac, vid, kind, seconds }) => {
    const where = `${mac === null ? '' : ` at ${mac}`}${vid === null || vid === 0 ? '' : ` in VLAN ${vid}`}`;
    return `${address}${where}, ${kind}${seconds === null ? '' : ` for ${formatSeconds(seconds)}`}`;
  });
}

function queueLines({ transport, queuedOctets, queuedMs }: PortPage): string[] {
  if (transport === null) return [];
  const oldest = queuedMs > 0 ? `, the oldest frame for ${formatMs(queuedMs)}` : '';
  return [`${formatOctets(queuedOctets)} wait${oldest}`];
}

function present(text: string | null): string[] {
  return text === null ? [] : [text];
}

function stateLines({
  shut,
  state,
  reason,
  ageSeconds,
  stateSeconds,
  connections,
}: PortPage): (string | readonly [Colour, string])[] {
  const colour = state === 'up' ? 'green' : shut || state === 'standby' ? 'yellow' : 'red';
  const times = connections === 1 ? 'came up once' : `came up ${connections} times`;
  return [
    [colour, `${shut ? 'shut' : state} for ${formatSeconds(stateSeconds)}${reason === null ? '' : `: ${reason}`}`],
    `exists for ${formatSeconds(ageSeconds)}, ${times}`,
  ];
}

function connectionLines(page: PortPage): string[] {
  const { transport, peer, localAddress, tls, certificate, wire, connectedSeconds, url } = page;
  if (transport === null) return [];
  const from = localAddress === null ? '' : ` from ${localAddress}`;
  const since = connectedSeconds === null ? '' : `, for ${formatSeconds(connectedSeconds)}`;
  const mover = transport === 'node' ? 'Node' : 'the addon';
  return [
    ...(url === null ? [] : [`to ${url}, an alternative`]),
    `with ${peer ?? 'an unknown address'}${from}${since}`,
    `${tls === null ? 'no TLS' : `${tls.protocol}, ${tls.cipher}`}; wire ${wire ?? 'unknown'}; octets moved by ${mover}`,
    ...(certificate === null
      ? []
      : [
          `the certificate of ${certificate.of === 'peer' ? 'the peer' : 'this service'} expires at ${certificate.expires}`,
        ]),
  ];
}

function discardLines(direction: string, discards: Readonly<Record<string, number>>): string[] {
  return Object.entries(discards).map(([reason, frames]) => {
    const words = DISCARD_WORDS[reason];
    return `${direction}: ${frames} ${reason}${words === undefined ? '' : `, ${words}`}`;
  });
}

/** The settings that are not the defaults, as `setport` takes them. */
function settingLines({ settings, inherited }: PortPage): string[] {
  const rows: Readonly<Record<string, Row>> = BRIDGE_PORT_OPTIONS;
  return Object.entries(settings).map(([key, value]) => {
    const origin = inherited.includes(key) ? ' (of its user, its network or the switch)' : '';
    return `${rows[key]?.flag ?? key} ${typedValue(value)}${origin}`;
  });
}

function policyLines(policy: PolicyEntry): string[] {
  const { sourceMacs, claimFirst, claimed = [], etherTypes, frames, bits, broadcastFrames, broadcastBits } = policy;
  return [
    ...(sourceMacs === undefined ? [] : [`source addresses: ${sourceMacs.join(', ')}`]),
    ...(claimFirst === undefined
      ? []
      : [`the first ${claimFirst} source addresses; claimed: ${claimed.join(', ') || 'none yet'}`]),
    ...(etherTypes === undefined ? [] : [`EtherTypes: ${etherTypes.join(', ')}`]),
    ...rateLines('received', frames, bits),
    ...rateLines('to group addresses', broadcastFrames, broadcastBits),
    ...(policy.dhcpServer === false ? ['no DHCP server'] : []),
    ...(policy.routerAdvertisements === false ? ['no router advertisements'] : []),
  ];
}

function rateLines(what: string, frames: number | undefined, bits: number | undefined): string[] {
  return [
    ...(frames === undefined ? [] : [`${what}: at most ${formatRate(frames)} frames/s`]),
    ...(bits === undefined ? [] : [`${what}: at most ${formatRate(bits)}bit/s`]),
  ];
}

function neighborLines({ neighbors }: PortPage): string[] {
  return neighbors.map(({ system, chassis, port }) =>
    system === null ? `${chassis}, port ${port}` : `${system} (${chassis}), port ${port}`,
  );
}

function stationLines({ stations, addresses }: PortPage): string[] {
  const shown = addresses.map(({ vid, mac, age }) => {
    const vlan = vid === 0 ? '' : `  VLAN ${vid}`;
    return `${mac}${vlan}  seen ${age < 1 ? 'just now' : `${formatSeconds(age)} ago`}`;
  });
  const more = stations - addresses.length;
  return [...(stations === 0 ? ['none'] : shown), ...(more > 0 ? [`and ${more} more: listfdb --filter port=…`] : [])];
}
