import type { FilteringEntry } from '../bridge/fdb.ts';
import type { AddFdbSpec, DelFdbSpec, FdbEntry, FlushEntry, FlushFdbSpec } from '../control/schema.ts';
import { EtherwsError } from '../errors.ts';
import { formatStation, MOST_SET_ADDRESSES } from '../schema/binding-values.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { AttachedPort } from './attached-port.ts';
import { fdbEntry } from './fdb-entry.ts';
import type { Network } from './network.ts';
import type { Switch } from './switch.ts';

/** The commands that change filtering databases. A static address is a setting of its port. */

/** Sets an address at a port, instead of its former entry in the network. @throws EtherwsError PORT_NOT_FOUND, FDB_FULL */
export function addFdbEntry(target: Switch, { mac, port, vid = 0, sticky = false }: AddFdbSpec): FdbEntry {
  const attached = target.attachedPort(port);
  const { bridgePort, network, values } = attached;
  if (bridgePort.meshNode !== undefined) {
    throw new EtherwsError('REQUEST_REFUSED', `Port ${bridgePort.number} leads to the node ${bridgePort.meshNode}`, {
      hint: 'Set the address at the port of that node at which the station is',
    });
  }
  const { entries } = network.bridge;
  const [address, tag] = [parseMacAddress(mac), vid as Vid];
  const { fdb: before = [] } = values;
  if (!sticky && !before.includes(formatStation({ mac, vid })) && before.length >= MOST_SET_ADDRESSES) {
    throw new EtherwsError('FDB_FULL', `Port ${bridgePort.number} has ${MOST_SET_ADDRESSES} static addresses`, {
      hint: 'It takes no more: remove some by delfdb, or let further ones be --sticky',
    });
  }
  forgetStatic(target, network, formatStation({ mac, vid }));
  if (sticky) entries.set(tag, address, bridgePort, 'sticky', performance.now());
  else
    target.administration.setValues(bridgePort.number, {
      fdb: [...(attached.values.fdb ?? []), formatStation({ mac, vid })].sort(),
    });
  const entry = entries.find(tag, address);
  if (entry?.kind === (sticky ? 'sticky' : 'static')) return told(entry, attached);
  target.administration.setValues(bridgePort.number, { fdb: before });
  throw new EtherwsError('FDB_FULL', `${mac} cannot be set: the table is full of set addresses`, {
    hint: 'Remove some by delfdb, or give the switch or its network a larger --fdb-size',
  });
}

/** Removes an entry, set or learned. @throws EtherwsError ADDRESS_UNKNOWN, NETWORK_NOT_FOUND */
export function deleteFdbEntry(
  target: Switch,
  { mac, vid = 0, network: name = DEFAULT_NETWORK }: DelFdbSpec,
): FdbEntry {
  const network = target.network(name);
  const { entries } = network.bridge;
  const entry = entries.find(vid as Vid, parseMacAddress(mac));
  if (entry === undefined) {
    throw new EtherwsError('ADDRESS_UNKNOWN', `${mac} in VLAN ${vid} is at no port`, {
      hint: 'etherws ctl listfdb lists the addresses with their VLANs and networks',
    });
  }
  if (entry.kind === 'told') {
    throw new EtherwsError('REQUEST_REFUSED', `${mac} in VLAN ${vid} is at the node ${entry.port.meshNode ?? ''}`, {
      hint: 'Remove it at that node',
    });
  }
  const last = told(entry, target.attachedPort(entry.port.number));
  forgetStatic(target, network, formatStation({ mac, vid }));
  entries.delete(vid as Vid, parseMacAddress(mac));
  return last;
}

/** Forgets learned and sticky addresses. @throws EtherwsError PORT_NOT_FOUND, NETWORK_NOT_FOUND */
export function flushFdb(target: Switch, { port, vid, network: name }: FlushFdbSpec): FlushEntry {
  const attached = port === undefined ? undefined : target.attachedPort(port);
  const named = name === undefined ? target.networks : [target.network(name)];
  const networks = attached === undefined ? named : [attached.network];
  let removed = 0;
  for (const { bridge } of networks) {
    removed += bridge.entries.flush({ port: attached?.bridgePort, vid: vid as Vid | undefined });
  }
  return { removed };
}

/** Takes a static address away from the settings of the port of this network that has it. */
function forgetStatic(target: Switch, network: Network, station: string): void {
  for (const { bridgePort, values } of target.attachedPorts(network.name)) {
    if (values.fdb?.includes(station) !== true) continue;
    target.administration.setValues(bridgePort.number, { fdb: values.fdb.filter((other) => other !== station) });
  }
}

function told(entry: FilteringEntry, port: AttachedPort): FdbEntry {
  return fdbEntry({ entry, ageMs: 0, isFlapping: false }, port);
}
