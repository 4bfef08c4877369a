import type { HostSnooper } from '../bridge/stations/host-snooper.ts';
import type { Switch } from '../networks/switch.ts';
import { type Family, labelsOf } from './exposition.ts';

/** The metrics of host snooping, of each network with it. */
export function hostFamilies(etherSwitch: Pick<Switch, 'networks'>): Family[] {
  const eachNetwork = (
    name: string,
    type: Family['type'],
    help: string,
    countOf: (hosts: HostSnooper) => number,
  ): Family => ({
    ...{ name: `etherws_host_${name}`, type, help },
    *samples() {
      for (const { name: network, settings, bridge } of etherSwitch.networks) {
        if (settings.hostSnooping === 'on') yield { labels: labelsOf({ network }), value: countOf(bridge.hosts) };
      }
    },
  });
  return [
    eachNetwork('addresses', 'gauge', 'IP addresses of stations that are known', ({ addresses }) => addresses),
    eachNetwork(
      'frames_read',
      'counter',
      'Frames of ARP, neighbour discovery and DHCP that were read for addresses of stations',
      ({ counters }) => counters.read,
    ),
    eachNetwork(
      'frames_skipped',
      'counter',
      'Such frames that were not read, since their port had brought 1000 within the second',
      ({ counters }) => counters.skipped,
    ),
  ];
}
