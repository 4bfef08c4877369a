import type { ChangeMdbSpec, MdbEntry } from '../control/multicast-entries.ts';
import { EtherwsError } from '../errors.ts';
import { formatGroup, MOST_SET_ADDRESSES, parseGroup } from '../schema/binding-values.ts';
import type { AttachedPort } from './attached-port.ts';
import { staticGroup } from './bridge-port-settings.ts';
import type { Switch } from './switch.ts';

/** The commands that change multicast databases. A permanent membership is a setting of its port. */

/**
 * Makes a port a member of a group, or of one source of it, whatever its hosts say, as `bridge mdb add … permanent`.
 * @throws EtherwsError PORT_NOT_FOUND, FDB_FULL; REQUEST_REFUSED where multicast snooping is off
 */
export function addMdbEntry(target: Switch, { group, port, source, vid = 0 }: ChangeMdbSpec): MdbEntry {
  const attached = target.attachedPort(port);
  const { bridgePort, network, values } = attached;
  if (bridgePort.meshNode !== undefined) {
    throw new EtherwsError('REQUEST_REFUSED', `Port ${bridgePort.number} leads to the node ${bridgePort.meshNode}`, {
      hint: 'All groups go there; add the member at the port of that node at which it is',
    });
  }
  if (network.settings.multicastSnooping === 'off') {
    throw new EtherwsError('REQUEST_REFUSED', `Multicast snooping is off in the network ${network.name}`, {
      hint: `Without it each group goes to all ports; etherws ctl setnet ${network.name} --multicast-snooping on`,
    });
  }
  const { multicastGroups: before = [] } = values;
  const text = textOf({ group, source, vid });
  if (!before.includes(text)) {
    if (before.length >= MOST_SET_ADDRESSES) {
      throw new EtherwsError('FDB_FULL', `Port ${bridgePort.number} has ${MOST_SET_ADDRESSES} multicast groups`, {
        hint: 'It takes no more: remove some by delmdb',
      });
    }
    target.administration.setValues(bridgePort.number, { multicastGroups: [...before, text].sort() });
  }
  return memberEntry(attached, { group, source, vid });
}

/** Ends a membership, or that in one source, set or heard. @throws EtherwsError PORT_NOT_FOUND, ADDRESS_UNKNOWN */
export function deleteMdbEntry(target: Switch, { group, port, source, vid = 0 }: ChangeMdbSpec): MdbEntry {
  const attached = target.attachedPort(port);
  const { bridgePort, network, values } = attached;
  const { multicastGroups = [] } = values;
  const text = textOf({ group, source, vid });
  if (multicastGroups.includes(text)) {
    target.administration.setValues(bridgePort.number, {
      multicastGroups: multicastGroups.filter((other) => other !== text),
    });
    return memberEntry(attached, { group, source, vid });
  }
  const found = network.bridge.multicast?.end(staticGroup(text), bridgePort, performance.now());
  if (found !== true) {
    throw new EtherwsError(
      'ADDRESS_UNKNOWN',
      `Port ${bridgePort.number} is no member of ${group}${source === undefined ? '' : ` from ${source}`} in VLAN ${vid}`,
      {
        hint: 'etherws ctl listmdb lists the members with their VLANs and networks',
      },
    );
  }
  return { ...memberEntry(attached, { group, source, vid }), state: 'temporary', expires: 0 };
}

/** The permanent memberships of the ports of a network: those of ports that are down, too. */
export function* permanentMembers(ports: Iterable<AttachedPort>): IterableIterator<MdbEntry> {
  for (const port of ports) {
    for (const text of port.values.multicastGroups ?? []) {
      const { address: group = '', source, vid = 0 } = parseGroup(text) ?? {};
      yield memberEntry(port, { group, source, vid });
    }
  }
}

interface Member {
  readonly group: string;
  readonly source: string | undefined;
  readonly vid: number;
}

/** @throws EtherwsError REQUEST_REFUSED for a source that is not of the family of the group */
function textOf({ group, source, vid }: Member): string {
  const text = formatGroup({ address: group, ...(source === undefined ? {} : { source }), vid });
  if (parseGroup(text) !== undefined) return text;
  throw new EtherwsError('REQUEST_REFUSED', `${source} is no source of the group ${group}`, {
    hint: 'Both are addresses of IPv4, or both of IPv6',
  });
}

function memberEntry({ bridgePort, name, network }: AttachedPort, { group, source, vid }: Member): MdbEntry {
  return {
    filterMode: source === undefined ? 'exclude' : 'include',
    sourceList: source === undefined ? [] : [{ address: source, expires: null }],
    ...{ kind: 'member', vid, address: group, port: bridgePort.number, portName: name ?? null },
    ...{ state: 'permanent', expires: null, network: network.name },
  };
}
