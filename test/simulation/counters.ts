import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { DiscardReason } from '../../src/bridge/port.ts';
import type { World } from './world.ts';

/** Why frames are refused before their port counts them as received; all other reasons of that direction are counted besides. */
const BEFORE_RX: readonly DiscardReason[] = [
  ...([
    'runt',
    'badOffload',
    'shut',
    'linkDown',
    'protected',
    'standby',
    'mirrorOutput',
    'badVid',
    'tagDenied',
  ] as const),
  ...(['tagMissing', 'vlanFiltered', 'badSource', 'locked', 'sourceDenied', 'typeDenied', 'serverDenied'] as const),
  ...(['rateExceeded', 'macLimit', 'ipSourceDenied', 'arpDenied', 'ndDenied'] as const),
];

/** Milliseconds. */
const MOST_WAITS = 5000;

function refusedBefore({ rx }: BridgePort): number {
  return BEFORE_RX.reduce((sum, reason) => sum + rx.discards[reason], 0);
}

/** Compares the counters of a port with the frames that were given to it. */
function checkRx(world: World, port: BridgePort, given: number, what: string): void {
  const counted = port.rx.frames + refusedBefore(port);
  // A port of a tree refuses frames before and behind its counter, as it discards or learns.
  const { discarding } = port.rx.discards;
  if (counted <= given && given <= counted + discarding) return;
  world.judge.fault(
    `${what} has counted ${counted} frames, ${discarding} of them or more discarded; it was given ${given}`,
  );
}

/** Counters balance: what stations have sent was received or refused, and what was sent to them has arrived. */
export function checkCounters(world: World, at: number): void {
  for (const { id, at: place } of world.judge.facts.stations.values()) {
    const device = world.devices.get(id);
    if (place !== at || device?.bridgePort === undefined) continue;
    const { bridgePort, delivered, got } = device;
    checkRx(world, bridgePort, delivered, `the port of station ${id}`);
    if (bridgePort.tx.frames !== got) {
      world.judge.fault(`the port of station ${id} has counted ${bridgePort.tx.frames} sent frames; ${got} have come`);
    }
  }
}

/** What one end of an undisturbed tunnel has sent, the other one has received or refused, at a time when nothing is on its way. */
export async function checkTunnels(world: World): Promise<void> {
  const edges = new Set(world.edges.filter(({ wasDisturbed, lines }) => !wasDisturbed && lines === 1));
  for (let waits = 0; waits < MOST_WAITS && edges.size > 0; waits++) {
    for (const edge of edges) {
      const [near, far] = world.portsOf(edge);
      if (edge.line?.underWay !== 0) continue;
      edges.delete(edge);
      if (near === undefined || far === undefined) continue;
      checkRx(world, far, near.tx.frames, `the accepting end of tunnel ${edge.index}`);
      checkRx(world, near, far.tx.frames, `the dialling end of tunnel ${edge.index}`);
    }
    await world.clock.run(1);
  }
  for (const { index } of edges) world.judge.fault(`tunnel ${index} is never idle`);
}
