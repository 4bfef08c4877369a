import { setTimeout as delay } from 'node:timers/promises';
import { lastLineAsJson } from '../lab/command.ts';
import type { Bench } from '../measurement.ts';

const PORT = '9999';
/** A packet that takes longer counts as lost; otherwise a deep queue would look like throughput. */
export const LATE_MS = 100;
const SLACK_MS = 10_000;
/** UDP payloads: that of the shortest Ethernet frame (64 octets with FCS), and one that nearly fills a frame. */
export const SMALL_OCTETS = 18;
export const LARGE_OCTETS = 1400;

export interface Offer {
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** The length of the UDP payload. */
  readonly octets: number;
}

export interface PacketResult {
  /** The rate that the generator achieved. */
  readonly offeredPerSecond: number;
  readonly deliveredPerSecond: number;
  /** The share of packets that were lost or late, 0 to 1. */
  readonly loss: number;
}

interface Sent {
  readonly sent: number;
  readonly seconds: number;
}

interface Received {
  readonly received: number;
  readonly late: number;
  /** Packets that the receiver's socket had no room for. */
  readonly refused: number;
}

/** Sends UDP packets from the client side at a constant rate and counts them at the server side. */
export async function offerPackets(bench: Bench, offer: Offer): Promise<PacketResult> {
  const { lab, programs, tunnel } = bench;
  const receiver = lab.start('server', [programs.packets, 'receive', PORT, String(LATE_MS)]);
  await receiver.printed('ready');
  const sent = await send(bench, tunnel.addresses.server, offer);
  await delay(LATE_MS);
  const received = lastLineAsJson(await receiver.finish(SLACK_MS)) as Received;
  // A packet that reached the receiver's socket was delivered; a full buffer there is a limit of the load program.
  const offered = sent.sent - received.refused;
  return {
    offeredPerSecond: offered / sent.seconds,
    deliveredPerSecond: received.received / sent.seconds,
    loss: offered === 0 ? 1 : 1 - received.received / offered,
  };
}

/** Sends broadcast frames from the client side, and counts no receivers. @returns the number of frames sent */
export async function offerBroadcasts(bench: Bench, packetsPerSecond: number, seconds: number): Promise<number> {
  const broadcast = bench.tunnel.addresses.server.replace(/\d+$/, '255');
  return (await send(bench, broadcast, { packetsPerSecond, seconds, octets: SMALL_OCTETS })).sent;
}

async function send({ lab, programs }: Bench, to: string, offer: Offer): Promise<Sent> {
  const { packetsPerSecond, seconds, octets } = offer;
  const argv = [programs.packets, 'send', to, PORT, ...[seconds, packetsPerSecond, octets].map(String)];
  return lastLineAsJson(await lab.run('client', argv, seconds * 1000 + SLACK_MS)) as Sent;
}
