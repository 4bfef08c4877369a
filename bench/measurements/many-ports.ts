import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, residentBytes } from '../lab/process-table.ts';
import { measureFlow } from '../load/flow.ts';
import { connectIdleClients, type IdleClients } from '../load/idle-clients.ts';
import { offerBroadcasts } from '../load/packets.ts';
import type { Measurement, Metric } from '../measurement.ts';

/** Ports of the server-side switch; two of them are the TAP device and the active tunnel. */
const PORT_COUNTS = [2, 100, 1000, 5000] as const;
const SHORT_PORT_COUNTS = [2, 1000] as const;
const BUSY_PORTS = 2;
const BYTES_PER_KIBIBYTE = 1024;
const US_PER_SECOND = 1e6;
/** The wait before memory is read, in which garbage of the handshakes is collected. */
const SETTLE_MS = 1_000;
/** For the estimate: the waits around each count, and the rate at which idle tunnels are accepted. */
const SETTLE_SECONDS = 2;
const CONNECTS_PER_SECOND = 500;

/** One active tunnel beside many idle ones. */
export const IDLE_PORTS: Measurement = {
  name: 'idle-ports',
  title: 'One TCP flow while the server holds idle tunnels',
  metrics: [
    ...PORT_COUNTS.map(
      (count): Metric => ({ key: `ports${count}`, title: `${count} ports`, unit: 'Mbit/s', isHigherBetter: true }),
    ),
    { key: 'memoryPerTunnel', title: 'memory an idle tunnel', unit: 'KiB', isHigherBetter: false },
  ],
  appliesTo: (contestant) => contestant.webSocketPort !== undefined,
  // A second run would reuse the memory of the first one's tunnels.
  isUnique: true,
  expectedSeconds: ({ seconds, isShort }) =>
    portCounts(isShort).reduce((sum, count) => sum + seconds + SETTLE_SECONDS + count / CONNECTS_PER_SECOND, 0),
  run: async (bench) => {
    const resident = (): number => residentBytes(bench.processes.server);
    const rates: Record<string, number> = {};
    let memoryPerTunnel = Number.NaN;
    let idle: IdleClients | undefined;
    for (const count of portCounts(bench.isShort)) {
      await idle?.close();
      idle = undefined;
      if (count > BUSY_PORTS) {
        await delay(SETTLE_MS);
        const before = resident();
        idle = await connectIdleClients(bench, count - BUSY_PORTS);
        await delay(SETTLE_MS);
        memoryPerTunnel = (resident() - before) / BYTES_PER_KIBIBYTE / (count - BUSY_PORTS);
      }
      const flow = await measureFlow(bench, { seconds: bench.seconds, direction: 'up' });
      rates[`ports${count}`] = flow.megabitsPerSecond;
    }
    await idle?.close();
    return { ...rates, memoryPerTunnel };
  },
};

function portCounts(isShort: boolean): readonly number[] {
  return isShort ? SHORT_PORT_COUNTS : PORT_COUNTS;
}

const FLOODED_PORTS = 1000;
const BROADCASTS_PER_SECOND = 200;

/** Broadcast frames, which are sent by all ports. */
export const FLOODING: Measurement = {
  name: 'flooding',
  title: `Flooding: ${BROADCASTS_PER_SECOND} broadcast frames a second to ${FLOODED_PORTS} tunnels`,
  metrics: [
    { key: 'floodDelivered', title: 'delivered', unit: 'frames/s', isHigherBetter: true },
    { key: 'floodLoss', title: 'lost', unit: '%', isHigherBetter: false },
    { key: 'floodCost', title: 'CPU a delivery', unit: 'µs', isHigherBetter: false },
  ],
  appliesTo: (contestant) => contestant.webSocketPort !== undefined,
  expectedSeconds: ({ seconds }) => seconds + 2 * SETTLE_SECONDS + FLOODED_PORTS / CONNECTS_PER_SECOND,
  run: async (bench) => {
    const idle = await connectIdleClients(bench, FLOODED_PORTS);
    await delay(SETTLE_MS);
    const before = await idle.receivedMessages();
    const cpuBefore = cpuSeconds(bench.processes.server);
    const sent = await offerBroadcasts(bench, BROADCASTS_PER_SECOND, bench.seconds);
    await delay(SETTLE_MS);
    const delivered = (await idle.receivedMessages()) - before;
    const cpu = cpuSeconds(bench.processes.server) - cpuBefore;
    await idle.close();
    return {
      floodDelivered: delivered / bench.seconds,
      floodLoss: Math.max(0, 1 - delivered / (sent * FLOODED_PORTS)) * 100,
      floodCost: (cpu * US_PER_SECOND) / Math.max(1, delivered),
    };
  },
};
