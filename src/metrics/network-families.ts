import type { Network } from '../networks/network.ts';
import type { Switch } from '../networks/switch.ts';
import { type Family, labelsOf } from './exposition.ts';

type Head = Omit<Family, 'samples'>;

const VALUES: readonly (readonly [head: Head, value: (network: Network) => number])[] = [
  [{ name: 'etherws_network_ports', type: 'gauge', help: 'Ports of a network' }, ({ bridge }) => bridge.ports.size],
  [
    { name: 'etherws_network_fdb_entries', type: 'gauge', help: 'Learned addresses of a network' },
    ({ bridge }) => bridge.fdbSize,
  ],
  [
    { name: 'etherws_network_fdb_capacity', type: 'gauge', help: 'The most addresses that are learned in a network' },
    ({ bridge }) => bridge.fdbCapacity,
  ],
  [
    {
      name: 'etherws_network_fdb_displaced',
      type: 'counter',
      help: 'Learned addresses that were displaced in the full database of a network',
    },
    ({ bridge }) => bridge.fdbDisplaced,
  ],
];

/** The metrics of each network. */
export function networkFamilies(etherSwitch: Pick<Switch, 'networks'>): Family[] {
  return VALUES.map(([head, value]) => ({
    ...head,
    *samples() {
      for (const network of etherSwitch.networks)
        yield { labels: labelsOf({ network: network.name }), value: value(network) };
    },
  }));
}
