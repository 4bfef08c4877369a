import type { MulticastCounters } from '../bridge/multicast/multicast-counters.ts';
import type { MulticastSnooper } from '../bridge/multicast/multicast-snooper.ts';
import type { Switch } from '../networks/switch.ts';
import { type Family, labelsOf } from './exposition.ts';

/** Messages that were received, by the label `kind`. */
const RECEIVED = {
  queries: 'query',
  reports: 'report',
  leaves: 'leave',
  routerMessages: 'router',
  malformed: 'malformed',
} as const satisfies Partial<Record<keyof MulticastCounters, string>>;

/** The metrics of multicast snooping, of each network with it. */
export function multicastFamilies(etherSwitch: Pick<Switch, 'networks'>): Family[] {
  const eachNetwork = (
    head: Omit<Family, 'samples'>,
    values: (snooper: MulticastSnooper) => Record<string, number>,
  ) => ({
    ...head,
    *samples() {
      for (const { name, bridge } of etherSwitch.networks) {
        if (bridge.multicast === undefined) continue;
        for (const [labels, value] of Object.entries(values(bridge.multicast))) {
          yield { labels: [labelsOf({ network: name }), ...(labels === '' ? [] : [labels])].join(','), value };
        }
      }
    },
  });
  return [
    eachNetwork(
      { name: 'etherws_multicast_groups', type: 'gauge', help: 'Multicast groups with members' },
      ({ database }) => ({ '': database.groups }),
    ),
    eachNetwork(
      { name: 'etherws_multicast_memberships', type: 'gauge', help: 'Memberships of ports in multicast groups' },
      ({ database }) => ({ '': database.memberships }),
    ),
    eachNetwork(
      { name: 'etherws_multicast_sources', type: 'gauge', help: 'Sources in the lists of memberships' },
      ({ database }) => ({ '': database.sources }),
    ),
    eachNetwork(
      {
        name: 'etherws_multicast_messages',
        type: 'counter',
        help: 'Messages of IGMP, MLD and multicast routers received',
      },
      ({ counters }) =>
        Object.fromEntries(
          (Object.keys(RECEIVED) as (keyof typeof RECEIVED)[]).map((key) => [
            labelsOf({ kind: RECEIVED[key] }),
            counters[key],
          ]),
        ),
    ),
    eachNetwork(
      { name: 'etherws_multicast_queries_sent', type: 'counter', help: 'Queries of IGMP and MLD sent' },
      ({ counters }) => ({ '': counters.queriesSent }),
    ),
    eachNetwork(
      {
        name: 'etherws_multicast_refused',
        type: 'counter',
        help: 'Memberships, or lists of sources, refused at a limit, by limit',
      },
      ({ counters }) => ({
        [labelsOf({ limit: 'port' })]: counters.refusedByPort,
        [labelsOf({ limit: 'network' })]: counters.refusedByNetwork,
        [labelsOf({ limit: 'sources' })]: counters.sourceOverflows,
      }),
    ),
  ];
}
