import { fdbUse } from '../networks/filtering-databases.ts';
import { lldpUse } from '../networks/lldp/lldp-entity.ts';
import type { Switch } from '../networks/switch.ts';
import { clusterFamilies, type MeasuredCluster } from './cluster-families.ts';
import { type Family, single } from './exposition.ts';
import { hostFamilies } from './host-families.ts';
import { lldpFamilies } from './lldp-families.ts';
import { multicastFamilies } from './multicast-families.ts';
import { networkFamilies } from './network-families.ts';
import { portFamilies } from './port-families.ts';
import { type MeasuredProcess, processFamilies } from './process-families.ts';
import { type MeasuredService, serviceFamilies } from './service-families.ts';
import { spanningTreeFamilies } from './spanning-tree-families.ts';

/** The sources of a switch's metrics. */
export interface Measured {
  readonly etherSwitch: Pick<Switch, 'attachedPorts' | 'networks'>;
  readonly services: readonly MeasuredService[];
  readonly process: MeasuredProcess;
  /** default: the switch is no node of a cluster */
  readonly cluster?: (() => MeasuredCluster) | undefined;
  /** The octets in queues and unfinished messages, and their limit. */
  readonly buffers: { readonly heldBytes: number; readonly limitBytes: number };
}

/** All families of a switch, as of now. */
export function familiesOf({ etherSwitch, services, process, buffers, cluster }: Measured): Family[] {
  const { networks } = etherSwitch;
  return [
    ...processFamilies(process),
    single({ name: 'etherws_fdb_entries', type: 'gauge', help: 'Learned addresses' }, () => fdbUse(networks).addresses),
    single({ name: 'etherws_fdb_capacity', type: 'gauge', help: 'The most addresses that are learned' }, () => {
      return fdbUse(networks).capacity;
    }),
    single(
      {
        name: 'etherws_fdb_displaced',
        type: 'counter',
        help: 'Learned addresses that were displaced in a full database',
      },
      () => fdbUse(networks).displaced,
    ),
    ...lldpFamilies(() => lldpUse([...networks].map(({ entities }) => entities.lldp.agent))),
    single(
      {
        name: 'etherws_buffers_held_bytes',
        type: 'gauge',
        unit: 'bytes',
        help: 'Octets in queues and unfinished messages',
      },
      () => buffers.heldBytes,
    ),
    single(
      { name: 'etherws_buffers_limit_bytes', type: 'gauge', unit: 'bytes', help: 'The most that these may hold' },
      () => {
        return buffers.limitBytes;
      },
    ),
    ...networkFamilies(etherSwitch),
    ...multicastFamilies(etherSwitch),
    ...hostFamilies(etherSwitch),
    ...spanningTreeFamilies(etherSwitch),
    ...clusterFamilies(cluster),
    ...serviceFamilies(services),
    ...portFamilies(etherSwitch.attachedPorts()),
  ];
}
