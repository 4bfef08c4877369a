import type { BridgePort } from '../../bridge/bridge-port.ts';
import type { PingTarget } from '../../bridge/ping/pinger.ts';
import { detailsOf } from '../../bridge/port-details.ts';
import type { PingEntry, PingSpec, ReachControl, TraceEntry, TraceSpec } from '../../control/reach-entries.ts';
import { EtherwsError } from '../../errors.ts';
import { DEFAULT_NETWORK } from '../../schema/network-options.ts';
import { parseHostAddress, parseIpv4, parseIpv6 } from '../../wire/ethernet/ip-address.ts';
import { formatMacAddress, isGroupAddress, type MacAddress, parseMacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { neighborsAt } from '../neighbor-list.ts';
import { stateOf } from '../port-entries.ts';
import { hostsCalled } from '../stations/hosts-called.ts';
import type { Switch } from '../switch.ts';

/** Limit of the ports of a flood that `trace` tells. */
const MOST_FLOODED = 64;

const ASKED = { ipv4: ['arp'], ipv6: ['nd'], mac: ['nd', 'echo', 'llc-test'] } as const;

/** `ping` and `trace` of a running switch. */
export class RunningReach implements ReachControl {
  readonly #switch: Switch;

  constructor(target: Switch) {
    this.#switch = target;
  }

  async ping({ target, network = DEFAULT_NETWORK, vid = 0, wait = 1 }: PingSpec): Promise<PingEntry> {
    const station = stationOf(target);
    if (station === undefined) return this.#pingTunnel(target, wait * 1000);
    const { pings } = this.#switch.network(network).entities;
    const answer = await pings.ask(station, vid as Vid, wait * 1000);
    const asked = [...ASKED[station.kind]];
    if (answer === undefined) return { ...unanswered(target), asked };
    const { port } = answer;
    return {
      target,
      asked,
      by: answer.by,
      roundTripMs: answer.roundTripMs,
      mac: formatMacAddress(answer.mac),
      ip: answer.ip ?? null,
      port: port?.number ?? null,
      portName: (port === undefined ? undefined : this.#switch.nameOf(port)) ?? null,
      ...(port?.meshNode === undefined ? {} : { meshNode: port.meshNode }),
    };
  }

  async #pingTunnel(reference: string, waitMs: number): Promise<PingEntry> {
    const { bridgePort, name } = this.#switch.attachedPort(/^\d+$/.test(reference) ? Number(reference) : reference);
    const { number, port } = bridgePort;
    const details = detailsOf(port);
    if (details?.kind !== 'tunnel') {
      throw new EtherwsError(
        'ARGUMENT_INVALID',
        `Port ${number} is of type ${port.type}, and only tunnels answer pings`,
        {
          hint: 'Name a tunnel, or the MAC or IP address of a station behind the port',
        },
      );
    }
    const roundTripMs = await measured(details.connection?.measure, waitMs);
    const found = { port: number, portName: name ?? null };
    if (roundTripMs === undefined) return { ...unanswered(reference), ...found, asked: ['tunnel'] };
    return { ...unanswered(reference), ...found, asked: ['tunnel'], by: 'tunnel', roundTripMs };
  }

  trace({ target, network = DEFAULT_NETWORK, vid = 0 }: TraceSpec): TraceEntry[] {
    const { bridge } = this.#switch.network(network);
    const station = stationOf(target);
    if (station?.kind === 'mac') return this.#traceMac(network, vid as Vid, station.mac);
    const found = hostsCalled(bridge, target, performance.now());
    if (found.length > 0) return found.flatMap((host) => this.#traceMac(network, host.vid, host.mac));
    throw new EtherwsError('ADDRESS_UNKNOWN', `No station of the network ${network} has ${target}`, {
      hint: 'etherws ctl liststation lists the addresses and names that were seen; etherws ctl ping asks for an IP address',
    });
  }

  #traceMac(network: string, vid: Vid, mac: MacAddress): TraceEntry[] {
    const { bridge } = this.#switch.network(network);
    const nowMs = performance.now();
    const known = bridge.lookup(vid, mac, nowMs);
    const where = { network, vid, mac: formatMacAddress(mac) };
    if (known === undefined) {
      const ports = [...bridge.ports.values()].filter(
        (port) => port.isForwarding && port.settings.floodsUnicast && port.vlans?.isMember(vid) !== false,
      );
      return ports
        .slice(0, MOST_FLOODED)
        .map((port) => ({ ...where, decision: 'flood', age: null, ...this.#placeOf(port) }));
    }
    const seenMs = bridge.entries.find(vid, mac)?.seenMs ?? nowMs;
    const age = Math.max(0, Math.floor((nowMs - seenMs) / 1000));
    return [{ ...where, decision: 'forward', age, ...this.#placeOf(known) }];
  }

  #placeOf(bridgePort: BridgePort) {
    const attached = this.#switch.attachedPort(bridgePort.number);
    const { port, number } = bridgePort;
    const details = detailsOf(port);
    const connection = details?.kind === 'tunnel' ? details.connection : undefined;
    return {
      port: number,
      portName: attached.name ?? null,
      ...(bridgePort.meshNode === undefined ? {} : { meshNode: bridgePort.meshNode }),
      type: port.type,
      target: port.target,
      ...stateOf(bridgePort),
      peer: connection?.peer ?? null,
      user: attached.user ?? null,
      roundTripMs: connection?.roundTripMs ?? null,
      neighbors: neighborsAt(attached).map(({ system, chassis, neighborPort }) => ({
        system,
        chassis,
        port: neighborPort,
      })),
    };
  }
}

/** @returns undefined for what is no address, and so a port. @throws EtherwsError ADDRESS_INVALID */
function stationOf(target: string): PingTarget | undefined {
  if (/^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(target)) return { kind: 'mac', mac: macOf(target) };
  if (target.includes(':')) {
    const { address } = parseHostAddress(target);
    const ip = Buffer.alloc(16);
    for (const [at, group] of parseIpv6(address).entries()) ip.writeUInt16BE(group, 2 * at);
    return { kind: 'ipv6', ip };
  }
  if (!/^\d+\.[\d.]+$/.test(target)) return undefined;
  return { kind: 'ipv4', ip: parseIpv4(parseHostAddress(target).address) };
}

function macOf(text: string): MacAddress {
  let mac: MacAddress;
  try {
    mac = parseMacAddress(text);
  } catch (error) {
    throw new EtherwsError('ARGUMENT_INVALID', (error as Error).message);
  }
  if (mac !== 0 && !isGroupAddress(mac)) return mac;
  throw new EtherwsError('ARGUMENT_INVALID', `${formatMacAddress(mac)} is no address of a station`, {
    hint: 'Name one station; etherws ctl listfdb lists those that are known',
  });
}

function unanswered(target: string): PingEntry {
  return { target, asked: [], by: null, roundTripMs: null, mac: null, ip: null, port: null, portName: null };
}

function measured(
  measure: ((answered: (roundTripMs: number) => void) => void) | undefined,
  waitMs: number,
): Promise<number | undefined> {
  if (measure === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), waitMs);
    measure((roundTripMs) => {
      clearTimeout(timer);
      resolve(roundTripMs);
    });
  });
}
