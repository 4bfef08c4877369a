import type { DiscardReason } from '../bridge/port.ts';
import { detailsOf } from '../bridge/port-details.ts';
import type { ProcessStatus, StatusEntry } from '../control/status-entries.ts';
import { fdbUse } from './filtering-databases.ts';
import { stateOf } from './port-entries.ts';
import type { Switch } from './switch.ts';

/** Limit of the faults in a status. */
const MOST_FAULTS = 20;

/**
 * Reasons of discards that need an operator: something is broken, a limit is too low, or a rule was violated. The other
 * reasons are normal for a switch, or follow from the state of a port.
 */
const FAULTS: readonly DiscardReason[] = [
  'runt',
  'tooLong',
  'badOffload',
  'badSource',
  'badVid',
  'badMembership',
  'queueFull',
  'deviceError',
  'sourceDenied',
  'typeDenied',
  'serverDenied',
  'rateExceeded',
  'macLimit',
  'locked',
  'stormBroadcast',
  'stormMulticast',
  'stormUnicast',
  'ipSourceDenied',
  'arpDenied',
  'ndDenied',
];

/** For a switch without a daemon. */
export const NO_PROCESS: ProcessStatus = {
  version: '',
  pid: process.pid,
  uptimeSeconds: 0,
  services: [],
  memory: { residentBytes: 0, heapBytes: 0, bufferBytes: 0 },
  eventLoop: { meanMs: 0, p99Ms: 0, maxMs: 0 },
  limits: [],
  configuration: { file: null, deviations: [] },
};

/** The entry of `getStatus`. */
export function statusOf(owner: Switch, processStatus: ProcessStatus): StatusEntry {
  const ports: Record<string, number> = {};
  const tunnels = { dialled: 0, accepted: 0, users: 0 };
  const users = new Set<string>();
  const faults: StatusEntry['faults'] = [];
  for (const { bridgePort, name, user } of owner.attachedPorts()) {
    const { state } = stateOf(bridgePort);
    ports[state] = (ports[state] ?? 0) + 1;
    const details = detailsOf(bridgePort.port);
    // Those between the nodes of a cluster are none of clients.
    const isMesh = bridgePort.meshNode !== undefined;
    if (details?.kind === 'tunnel' && details.connection !== undefined && !isMesh) {
      if (bridgePort.port.type === 'client') tunnels.dialled++;
      else tunnels.accepted++;
      if (typeof user === 'string') users.add(user);
    }
    for (const direction of ['rx', 'tx'] as const) {
      const { discards, discarded } = bridgePort[direction];
      if (discarded === 0) continue;
      for (const reason of FAULTS) {
        const frames = discards[reason];
        if (frames > 0) faults.push({ port: bridgePort.number, portName: name ?? null, direction, reason, frames });
      }
    }
  }
  faults.sort((a, b) => b.frames - a.frames);
  const { addresses, capacity } = fdbUse(owner.networks);
  const { limits } = processStatus;
  return {
    ...processStatus,
    ports,
    tunnels: { ...tunnels, users: users.size },
    fdb: { addresses, capacity },
    faults: faults.slice(0, MOST_FAULTS),
    limits: [{ limit: '--fdb-size', used: addresses, most: capacity }, ...limits],
  };
}
