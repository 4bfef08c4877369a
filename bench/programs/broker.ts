/**
 * Sends frames through a subject of a NATS server, and counts those that arrive: what a mesh through the broker would have.
 *
 *   node dist/bench/programs/broker.js receive URL
 *   node dist/bench/programs/broker.js send URL SECONDS
 *
 * The sender keeps a window in flight, which the receiver acknowledges, as TCP does. It prints the rate for single frames of 1514
 * octets and for super-frames of 64 KiB, and the round trip of 100 octets each 5 ms.
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';

const DATA = 'bench.data';
const ACKNOWLEDGED = 'bench.ack';
const ECHO = 'bench.echo';
const WINDOW_OCTETS = 4 << 20;
const ACKNOWLEDGE_OCTETS = 256 << 10;
const SINGLE_OCTETS = 1514;
const SUPER_OCTETS = 64 << 10;
const PINGS = 400;
const PING_MS = 5;
const [role, url = '', seconds = '3'] = process.argv.slice(2);

async function receive(nats: NatsConnection): Promise<void> {
  let octets = 0;
  let told = 0;
  nats.subscribe(DATA, {
    callback: (_error, { data }) => {
      octets += data.length;
      if (octets - told < ACKNOWLEDGE_OCTETS) return;
      told = octets;
      nats.publish(ACKNOWLEDGED, String(octets));
    },
  });
  nats.subscribe(ECHO, { callback: (_error, message) => void message.respond(message.data) });
  await nats.flush();
  console.log('ready');
  await nats.closed();
}

/** @returns Mbit/s */
async function rateOf(nats: NatsConnection, length: number): Promise<number> {
  const frame = new Uint8Array(length);
  let [sent, first, last] = [0, -1, 0];
  let wake = (): void => undefined;
  const acknowledged = nats.subscribe(ACKNOWLEDGED, {
    callback: (_error, message) => {
      last = Number(message.string());
      if (first < 0) first = last;
      wake();
    },
  });
  const startMs = performance.now();
  const endMs = startMs + 1000 * Number(seconds);
  let acknowledgedBefore = -1;
  while (performance.now() < endMs) {
    // The receiver counts all runs together; what came before this run's first acknowledgement does not matter.
    if (acknowledgedBefore < 0 && first >= 0) acknowledgedBefore = first - Math.min(sent, ACKNOWLEDGE_OCTETS);
    const inFlight = first < 0 ? sent : sent - (last - acknowledgedBefore);
    if (inFlight < WINDOW_OCTETS) {
      for (let burst = 0; burst < 16; burst++) nats.publish(DATA, frame);
      sent += 16 * length;
      await new Promise(setImmediate);
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
  const elapsedMs = performance.now() - startMs;
  acknowledged.unsubscribe();
  return ((last - first) * 8) / elapsedMs / 1000;
}

async function roundTrips(nats: NatsConnection): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < PINGS; at++) {
    const startMs = performance.now();
    await nats.request(ECHO, new Uint8Array(100), { timeout: 1000 });
    times.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, PING_MS));
  }
  return times.sort((a, b) => a - b);
}

const nats = await connect({ servers: url });
if (role === 'receive') await receive(nats);
else {
  const times = await roundTrips(nats);
  const quantile = (share: number): string => `${Math.round(1000 * (times[Math.floor(times.length * share)] ?? 0))} µs`;
  const [single, large] = [await rateOf(nats, SINGLE_OCTETS), await rateOf(nats, SUPER_OCTETS)];
  console.log(
    `${single.toFixed(0)} Mbit/s by frames of ${SINGLE_OCTETS} octets, ${large.toFixed(0)} Mbit/s by super-frames of 64 KiB; round trip p50 ${quantile(0.5)}, p99 ${quantile(0.99)}`,
  );
  await nats.close();
}
