import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Switch } from '../../src/networks/switch.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { NetworkChange } from '../../src/schema/network-options.ts';

/*
 * Prints what a network takes in memory: without ports, and with five ports whose stations have talked to each other. What a
 * port takes is printed as well, measured in one network, and is not counted in.
 *
 *   npm run build && node dist/bench/programs/networks-memory.js [NETWORKS [bare]]
 *
 * `bare`: without spanning tree and LLDP, which are on by default in networks other than `default`.
 */

const PORTS = 5;
const count = Number(process.argv[2] ?? 1000);
const settings: NetworkChange = process.argv[3] === 'bare' ? { stp: 'off', lldp: 'off' } : {};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  for (let time = 0; time < 4; time++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A frame between two stations. */
function frame(to: number, from: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.writeUIntBE(0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  return bytes;
}

function attach(target: Switch, network: string): MemoryPort {
  const port = new MemoryPort();
  target.attach(port, { network });
  return port;
}

/** Each station sends a frame to each other one. */
function talk(ports: readonly MemoryPort[]): void {
  for (const [from, port] of ports.entries()) {
    for (let to = 0; to < ports.length; to++) if (to !== from) port.deliver(frame(to, from));
  }
}

const target = new Switch();
// The code is compiled, and its caches are filled, before anything is measured.
for (let at = 0; at < 50; at++) {
  target.addNetwork(`warm-${at}`, settings);
  talk(Array.from({ length: PORTS }, () => attach(target, `warm-${at}`)));
}
const alone = usedBytes();
const single = Array.from({ length: PORTS * count }, () => attach(target, 'default'));
const portBytes = (usedBytes() - alone) / single.length;

const before = usedBytes();
for (let at = 0; at < count; at++) target.addNetwork(`lab-${at}`, settings);
const empty = usedBytes();
const all = Array.from({ length: count }, (_, at) => Array.from({ length: PORTS }, () => attach(target, `lab-${at}`)));
for (const ports of all) talk(ports);
const used = usedBytes();

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`a port: ${kib(portBytes)}`);
console.log(`a network without ports: ${kib((empty - before) / count)}`);
console.log(`a network with ${PORTS} ports, without these: ${kib((used - before) / count - PORTS * portBytes)}`);
await target.close();
