import { setTimeout as delay } from 'node:timers/promises';
import { lastLineAsJson } from '../lab/command.ts';
import type { Bench } from '../measurement.ts';

const PORT = '9999';
/** A packet that takes longer counts as lost; else a deep queue would pass for speed. */
export const LATE_MS = 100;
const SLACK_MS = 10_000;

export interface PacketResult {
  /** What the generator really offered. */
  readonly offeredPerSecond: number;
  readonly deliveredPerSecond: number;
  /** The part of the packets that was lost or late, 0 to 1. */
  readonly loss: number;
  readonly reordered: number;
}

interface Sent {
  readonly sent: number;
  readonly seconds: number;
}

interface Received {
  readonly received: number;
  readonly late: number;
  readonly reordered: number;
}

/** Offers 64-byte frames (with FCS) from the client side at a steady rate and counts them at the server side. */
export async function offerPackets(bench: Bench, packetsPerSecond: number, seconds: number): Promise<PacketResult> {
  const { lab, programs, tunnel } = bench;
  const receiver = lab.start('server', [programs.packets, 'receive', PORT, String(LATE_MS)]);
  await receiver.printed('ready');
  const send = [programs.packets, 'send', tunnel.addresses.server, PORT, String(seconds), String(packetsPerSecond)];
  const sent = lastLineAsJson(await lab.run('client', send, seconds * 1000 + SLACK_MS)) as Sent;
  await delay(LATE_MS);
  const received = lastLineAsJson(await receiver.finish(SLACK_MS)) as Received;
  return {
    offeredPerSecond: sent.sent / sent.seconds,
    deliveredPerSecond: received.received / sent.seconds,
    loss: sent.sent === 0 ? 1 : 1 - received.received / sent.sent,
    reordered: received.reordered,
  };
}

/** Sends broadcast frames from the client side, without looking who gets them. @returns how many */
export async function offerBroadcasts(bench: Bench, packetsPerSecond: number, seconds: number): Promise<number> {
  const broadcast = bench.tunnel.addresses.server.replace(/\d+$/, '255');
  const send = [bench.programs.packets, 'send', broadcast, PORT, String(seconds), String(packetsPerSecond)];
  const sent = lastLineAsJson(await bench.lab.run('client', send, seconds * 1000 + SLACK_MS)) as Sent;
  return sent.sent;
}
