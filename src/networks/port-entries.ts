import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Counters } from '../bridge/counters.ts';
import { detailsOf, type NetworkInterface } from '../bridge/port-details.ts';
import type { RateEntry } from '../control/rate-entries.ts';
import type { InterfaceEntry, PortEntry } from '../control/schema.ts';
import { EtherwsError } from '../errors.ts';
import { netmaskOfPrefixLength } from '../wire/ethernet/ip-address.ts';
import type { AttachedPort } from './attached-port.ts';

/** The entry of a port in `listPort`. */
export function portEntry(attached: AttachedPort): PortEntry {
  const { bridgePort, network, name, description, rates } = attached;
  const { port, rx, tx, isShut, meshNode } = bridgePort;
  const details = detailsOf(port);
  const tunnel = details?.kind === 'tunnel' ? details : undefined;
  return {
    port: bridgePort.number,
    type: port.type,
    target: port.target,
    tx: tx.frames,
    rx: rx.frames,
    shut: isShut,
    ...stateOf(bridgePort),
    txOctets: tx.octets,
    rxOctets: rx.octets,
    txDiscards: discards(tx),
    rxDiscards: discards(rx),
    wire: tunnel?.connection?.wire ?? null,
    roundTripMs: tunnel?.connection?.roundTripMs ?? null,
    url: tunnel?.connection?.url ?? null,
    netns: (details?.kind === 'device' ? details.netns : undefined) ?? null,
    name: name ?? null,
    description: description ?? null,
    rxFrameRate: rates.rx.frames,
    txFrameRate: rates.tx.frames,
    rxBitRate: rates.rx.bits,
    txBitRate: rates.tx.bits,
    queuedOctets: tunnel?.connection?.queuedBytes ?? 0,
    queuedMs: tunnel?.connection?.oldestWaitedMs?.() ?? 0,
    stations: network.bridge.fdbSizeAt(bridgePort),
    settings: { ...attached.values },
    config: null,
    network: network.name,
    ...(meshNode === undefined ? {} : { meshNode }),
  };
}

/** The state of a port, and the reason if it is not up. */
export function stateOf(bridgePort: BridgePort): Pick<PortEntry, 'state' | 'reason'> {
  const { port, isShut, isUsable, protection, link, linkReason, standsByFor, stpState } = bridgePort;
  if (!isShut && protection !== undefined) return { state: 'shut', reason: protection.reason };
  if (!isShut && standsByFor !== undefined)
    return { state: 'standby', reason: `parallel to port ${standsByFor.number}` };
  if (isUsable && stpState !== 'forwarding') return { state: stpState, reason: 'spanning tree: see liststp' };
  const details = detailsOf(port);
  const tunnelReason = details?.kind === 'tunnel' ? details.linkReason : undefined;
  return { state: isShut ? 'shut' : link, reason: tunnelReason ?? linkReason ?? null };
}

function discards(counters: Counters): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { reason, frames } of counters.occurred()) if (frames > 0) found[reason] = frames;
  return found;
}

/** The entry of a port in `listRate`. */
export function rateEntryOf({ bridgePort, rates }: AttachedPort): RateEntry {
  const { rx, tx } = rates.history.lists();
  return { port: bridgePort.number, rxBitRates: rx, txBitRates: tx };
}

/** @returns undefined for a device that was deleted; its port is still in listport */
export function presentInterface(port: AttachedPort, device: NetworkInterface): InterfaceEntry | undefined {
  try {
    return interfaceEntry(port, device);
  } catch (error) {
    if (error instanceof EtherwsError && error.code === 'DEVICE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The entry of a device in `listInterface`. @throws EtherwsError as `NetworkInterface.read` */
export function interfaceEntry({ bridgePort, name }: AttachedPort, device: NetworkInterface): InterfaceEntry {
  const { number, port } = bridgePort;
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
    portName: name ?? null,
  };
}
