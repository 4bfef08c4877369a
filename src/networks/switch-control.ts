import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Counters } from '../bridge/counters.ts';
import type { Port } from '../bridge/port.ts';
import { detailsOf, type InterfaceChange, type NetworkInterface } from '../bridge/port-details.ts';
import type {
  EndpointEntry,
  FdbEntry,
  InterfaceEntry,
  InterfaceSpec,
  PortEntry,
  PortSpec,
  SwitchControl,
} from '../control/schema.ts';
import { EtherwsError } from '../errors.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { netmaskOfPrefixLength, parsePrefix } from '../wire/ethernet/ip-address.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Switch } from './switch.ts';

/** Makes a port from what the control API was asked for. @param signal aborts it */
export type PortFactory = (spec: PortSpec, signal: AbortSignal) => Promise<Port>;

/** The control API's view of a running switch: entries out, commands in. */
export class RunningSwitch implements SwitchControl {
  readonly #switch: Switch;
  readonly #createPort: PortFactory;
  readonly #closing = new AbortController();
  readonly #adding = new Set<Promise<PortEntry>>();
  readonly #endpoints: Readonly<Record<EndpointEntry['service'], EndpointCounters>>;

  constructor(
    target: Switch,
    createPort: PortFactory,
    endpoints: Readonly<Record<EndpointEntry['service'], EndpointCounters>> = {
      tunnels: new EndpointCounters(),
      control: new EndpointCounters(),
    },
  ) {
    this.#switch = target;
    this.#createPort = createPort;
    this.#endpoints = endpoints;
  }

  async addPort(spec: PortSpec): Promise<PortEntry> {
    const adding = this.#addPort(spec);
    this.#adding.add(adding);
    try {
      return await adding;
    } finally {
      this.#adding.delete(adding);
    }
  }

  /** Ends what is under way: a dialling may take long, and its port would have no owner. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#closing.abort(new EtherwsError('PORT_CLOSED', 'The switch is stopping'));
    await Promise.allSettled(this.#adding);
  }

  async #addPort(spec: PortSpec): Promise<PortEntry> {
    const port = await this.#createPort(spec, this.#closing.signal);
    try {
      return portEntry(this.#switch.port(this.#switch.attach(port)));
    } catch (error) {
      // The switch was closed meanwhile: the port would have no owner.
      await port.close('shutdown');
      throw error;
    }
  }

  setPort(port: number, settings: { shut?: boolean }): PortEntry {
    const { shut } = settings;
    return portEntry(shut === undefined ? this.#switch.port(port) : this.#switch.setShut(port, shut));
  }

  async delPort(port: number): Promise<PortEntry> {
    const last = portEntry(this.#switch.port(port));
    await this.#switch.detach(port);
    return last;
  }

  listPorts(): PortEntry[] {
    return [...this.#switch.ports.values()].map(portEntry);
  }

  setInterface(port: number, change: InterfaceSpec): InterfaceEntry {
    const bridgePort = this.#switch.port(port);
    const device = interfaceOf(bridgePort);
    device.configure(interfaceChange(change));
    return interfaceEntry(bridgePort, device);
  }

  listInterfaces(): InterfaceEntry[] {
    const entries: InterfaceEntry[] = [];
    for (const bridgePort of this.#switch.ports.values()) {
      const details = detailsOf(bridgePort.port);
      const entry = details?.kind === 'device' ? presentInterface(bridgePort, details.networkInterface) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  listFdb(): FdbEntry[] {
    return this.#switch.fdb().map(({ entry, ageMs, isFlapping }) => ({
      vid: entry.vid,
      mac: formatMacAddress(entry.mac),
      port: entry.port.number,
      age: Math.floor(ageMs / 1000),
      moves: entry.moves?.total ?? 0,
      movedFrom: entry.moves?.from ?? null,
      flapping: isFlapping,
    }));
  }

  listEndpoints(): EndpointEntry[] {
    return (['tunnels', 'control'] as const).map((service) => {
      const counters = { ...this.#endpoints[service] };
      // `dawdled` is the former name of `handshakeTimeouts`; programs that ask for it find it for one release more.
      return { service, counters: { ...counters, dawdled: counters.handshakeTimeouts } };
    });
  }
}

function portEntry(bridgePort: BridgePort): PortEntry {
  const { port, rx, tx, isShut, link, linkReason, standsByFor } = bridgePort;
  const isStandby = !isShut && standsByFor !== undefined;
  const details = detailsOf(port);
  const tunnel = details?.kind === 'tunnel' ? details : undefined;
  return {
    port: bridgePort.number,
    type: port.type,
    target: port.target,
    tx: tx.frames,
    rx: rx.frames,
    shut: isShut,
    state: isShut ? 'shut' : isStandby ? 'standby' : link,
    reason: isStandby ? `parallel to port ${standsByFor.number}` : (tunnel?.linkReason ?? linkReason ?? null),
    txOctets: tx.octets,
    rxOctets: rx.octets,
    txDiscards: discards(tx),
    rxDiscards: discards(rx),
    wire: tunnel?.connection?.wire ?? null,
    roundTripMs: tunnel?.connection?.roundTripMs ?? null,
    url: tunnel?.connection?.url ?? null,
    netns: (details?.kind === 'device' ? details.netns : undefined) ?? null,
  };
}

function discards(counters: Counters): Record<string, number> {
  return Object.fromEntries(Object.entries(counters.discards).filter(([, frames]) => frames > 0));
}

function interfaceOf(bridgePort: BridgePort): NetworkInterface {
  const { port, number } = bridgePort;
  const details = detailsOf(port);
  if (details?.kind === 'device') return details.networkInterface;
  throw new EtherwsError('INTERFACE_UNSUPPORTED', `Port ${number} is of type ${port.type} and has no interface`, {
    hint: 'Only tap and netdev ports have addresses',
  });
}

/** undefined for a device that is gone: it has no settings, and its port is still in listport. */
function presentInterface(bridgePort: BridgePort, device: NetworkInterface): InterfaceEntry | undefined {
  try {
    return interfaceEntry(bridgePort, device);
  } catch (error) {
    if (error instanceof EtherwsError && error.code === 'DEVICE_NOT_FOUND') return undefined;
    throw error;
  }
}

function interfaceEntry({ number, port }: BridgePort, device: NetworkInterface): InterfaceEntry {
  const { addresses, mtu, netns } = device.read();
  const primary = addresses.find(({ address }) => !address.includes(':'));
  return {
    port: number,
    type: port.type,
    target: port.target,
    address: primary?.address ?? '',
    netmask: primary === undefined ? '' : netmaskOfPrefixLength(primary.prefixLength),
    mtu,
    addresses: addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    netns: netns ?? null,
  };
}

function interfaceChange({ address, netmask, mtu, addresses }: InterfaceSpec): InterfaceChange {
  return {
    ...(address === undefined ? {} : { address }),
    ...(netmask === undefined ? {} : { netmask }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(addresses === undefined ? {} : { addresses: addresses.map(parsePrefix) }),
  };
}
