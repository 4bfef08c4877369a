import { Switch } from '../../src/networks/switch.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';

/*
 * Prints how many frames of one flow a bridge forwards a second: alone, and beside networks of five ports whose stations have
 * talked to each other. The two are measured in turn, and the medians are compared.
 *
 *   npm run build && node dist/bench/programs/networks-throughput.js [NETWORKS]
 */

const PORTS = 5;
const ROUNDS = 15;
const ROUND_MS = 300;
const BATCH = 64;
const count = Number(process.argv[2] ?? 1000);

function frame(to: number, from: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.writeUIntBE(0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  return bytes;
}

/** A switch with two ports, whose stations know each other, in the default network. */
function pair(networks: number): { target: Switch; from: MemoryPort } {
  const target = new Switch();
  const [from, to] = [new MemoryPort(), new MemoryPort()];
  for (const port of [from, to]) target.attach(port);
  to.deliver(frame(1, 2));
  for (let at = 0; at < networks; at++) {
    target.addNetwork(`lab-${at}`, { stp: 'off' });
    const ports = Array.from({ length: PORTS }, () => new MemoryPort());
    for (const port of ports) target.attach(port, { network: `lab-${at}` });
    for (const [index, port] of ports.entries()) port.deliver(frame((index + 1) % PORTS, index));
  }
  return { target, from };
}

/** @returns frames a second */
function measure({ from }: { from: MemoryPort }): number {
  const batch = batchOf(...Array.from({ length: BATCH }, () => frame(2, 1)));
  const startMs = performance.now();
  let frames = 0;
  let nowMs = startMs;
  for (; nowMs - startMs < ROUND_MS; nowMs = performance.now()) {
    for (let times = 0; times < 100; times++) from.deliverBatch(batch);
    frames += 100 * BATCH;
  }
  return (1000 * frames) / (nowMs - startMs);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;

const [alone, beside] = [pair(0), pair(count)];
for (const each of [alone, beside]) measure(each);
const rates: { alone: number[]; beside: number[] } = { alone: [], beside: [] };
for (let round = 0; round < ROUNDS; round++) {
  rates.alone.push(measure(alone));
  rates.beside.push(measure(beside));
}
const [a, b] = [median(rates.alone), median(rates.beside)];
console.log(`alone: ${(a / 1e6).toFixed(2)} million frames/s`);
console.log(
  `beside ${count} networks of ${PORTS} ports: ${(b / 1e6).toFixed(2)} million frames/s, ratio ${(b / a).toFixed(3)}`,
);
await Promise.all([alone.target.close(), beside.target.close()]);
