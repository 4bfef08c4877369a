import { Bridge } from '../../src/bridge/bridge.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';

/*
 * Prints the processor time that a bridge takes for a frame of data with and without host snooping, in ns. Such a frame tells
 * nothing of a host, so the difference is what the look at its type costs. The two take turns, so that other load on the
 * machine affects both; the figures are medians.
 *
 *   npm run build && node dist/bench/programs/host-snooping.js
 */

const ROUNDS = 41;
const ROUND_US = 30_000;
const FRAMES = 32;
const FRAME_BYTES = 1400;
const [HERE, THERE] = [0x02_0000_0000_01, 0x02_0000_0000_02];
const UDP = 17;
const TCP = 6;

function frame(source: number, destination: number, type: number, protocol: number): Buffer {
  const octets = Buffer.alloc(FRAME_BYTES);
  octets.writeUIntBE(destination, 0, 6);
  octets.writeUIntBE(source, 6, 6);
  octets.writeUInt16BE(type, 12);
  // The version and the length of the header, and the place of the protocol, of IPv4 or IPv6.
  octets[14] = type === 0x0800 ? 0x45 : 0x60;
  octets[type === 0x0800 ? 23 : 20] = protocol;
  return octets;
}

/** @returns a function that hands one batch of equal frames to a bridge that knows both stations */
function prepared(isOn: boolean, type: number, protocol: number): () => void {
  const bridge = new Bridge();
  bridge.setHostSnooping(isOn);
  const [ingress, egress] = [bridge.attach(new MemoryPort()), bridge.attach(new MemoryPort())];
  const batchOf = (one: Buffer): FrameBatch => {
    const batch = new FrameBatch(Buffer.concat(Array.from({ length: FRAMES }, () => one)), FRAMES);
    for (let at = 0; at < FRAMES; at++) batch.push(at * FRAME_BYTES, FRAME_BYTES);
    return batch;
  };
  bridge.receive(egress, batchOf(frame(THERE, HERE, type, protocol)), 0);
  const batch = batchOf(frame(HERE, THERE, type, protocol));
  let nowMs = 1;
  return () => {
    nowMs += 0.01;
    bridge.receive(ingress, batch, nowMs);
  };
}

/** @returns ns a frame */
function measure(receive: () => void): number {
  const start = process.cpuUsage();
  let batches = 0;
  let spentUs = 0;
  while (spentUs < ROUND_US) {
    for (let time = 0; time < 200; time++) receive();
    batches += 200;
    const { user, system } = process.cpuUsage(start);
    spentUs = user + system;
  }
  return (spentUs * 1000) / (batches * FRAMES);
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] as number;
}

for (const [what, type, protocol] of [
  ['TCP over IPv4', 0x0800, TCP],
  ['UDP over IPv4', 0x0800, UDP],
  ['TCP over IPv6', 0x86dd, TCP],
] as const) {
  const [off, on] = [prepared(false, type, protocol), prepared(true, type, protocol)];
  const rounds = Array.from({ length: ROUNDS }, () => [measure(off), measure(on)] as const).slice(5);
  const without = median(rounds.map(([time]) => time));
  const more = median(rounds.map(([time, other]) => other - time));
  console.log(`${what}: ${without.toFixed(1)} ns a frame, with host snooping ${more.toFixed(1)} ns more`);
}
