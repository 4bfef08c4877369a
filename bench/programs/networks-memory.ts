import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Switch } from '../../src/networks/switch.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { keepYoungGenerationSmall } from '../../src/runtime/young-generation.ts';
import type { NetworkChange } from '../../src/schema/network-options.ts';

/*
 * Prints what a network takes in memory: without ports, and with five ports whose stations have talked to each other. What a
 * port takes is printed as well, measured in one network, and is not counted in. First comes what V8 and its buffers have in use
 * after a collection, then by how much the resident memory has grown, which has the gaps between objects, too. V8 has the flags of
 * the daemon.
 *
 *   npm run build && node dist/bench/programs/networks-memory.js [NETWORKS [bare]]
 *
 * `bare`: without spanning tree and LLDP, which are on by default in networks other than `default`.
 */

const PORTS = 5;
const count = Number(process.argv[2] ?? 1000);
const settings: NetworkChange = process.argv[3] === 'bare' ? { stp: 'off', lldp: 'off' } : {};

keepYoungGenerationSmall();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Memory {
  readonly used: number;
  readonly resident: number;
}

function memory(): Memory {
  for (let time = 0; time < 4; time++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}

/** What has grown from `before` to `after`, for each of `number` things. */
function growth(before: Memory, after: Memory, number: number): Memory {
  return { used: (after.used - before.used) / number, resident: (after.resident - before.resident) / number };
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
// Networks come first, since the resident memory does not grow where something else has left room.
const before = memory();
for (let at = 0; at < count; at++) target.addNetwork(`lab-${at}`, settings);
const empty = growth(before, memory(), count);
const all = Array.from({ length: count }, (_, at) => Array.from({ length: PORTS }, () => attach(target, `lab-${at}`)));
for (const ports of all) talk(ports);
const talked = memory();
const talking = growth(before, talked, count);
const single = Array.from({ length: PORTS * count }, () => attach(target, 'default'));
const { used: portBytes } = growth(talked, memory(), single.length);

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const both = ({ used, resident }: Memory): string => `${kib(used)} (resident ${kib(resident)})`;
console.log(`a port: ${kib(portBytes)}`);
console.log(`a network without ports: ${both(empty)}`);
console.log(`a network with ${PORTS} ports: ${both(talking)}`);
console.log(`without these: ${kib(talking.used - PORTS * portBytes)}`);
await target.close();
