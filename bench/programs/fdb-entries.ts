import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bridge } from '../../src/bridge/bridge.ts';
import { FilteringDatabase } from '../../src/bridge/fdb.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../src/wire/ethernet/vid.ts';

/*
 * Prints what a filtering database of many entries takes: octets an entry, and nanoseconds for learning a new address, for
 * refreshing one, and for a look-up of a known and of an unknown one, each in random order.
 *
 *   npm run build && node dist/bench/programs/fdb-entries.js [ENTRIES]
 */

const PORTS = 100;
const ENTRIES = Number(process.argv[2] ?? 1_000_000);
/** Each figure is of that many operations, so that small databases are measured as well. */
const OPERATIONS = 1_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  for (let time = 0; time < 4; time++) collect();
  return process.memoryUsage().heapUsed;
}

/** Individual addresses without order: multiples of an odd number modulo 2^40. */
function addressOf(at: number): MacAddress {
  return (0x02_00_0000_0000 + ((at * 2_654_435_761) % 2 ** 40)) as MacAddress;
}

function nanoseconds(operation: (at: number) => void): string {
  const begunMs = performance.now();
  for (let at = 0; at < OPERATIONS; at++) operation((at * 7919) % ENTRIES);
  return `${Math.round(((performance.now() - begunMs) * 1e6) / OPERATIONS)} ns`;
}

const bridge = new Bridge();
const ports = Array.from({ length: PORTS }, () => bridge.attach(new MemoryPort()));
const portOf = (at: number) => ports[at % PORTS] as (typeof ports)[number];

function learnAll(): FilteringDatabase {
  const fdb = new FilteringDatabase({ ageingTimeMs: 300_000, capacity: ENTRIES });
  for (let at = 0; at < ENTRIES; at++) fdb.learn(UNTAGGED, addressOf(at), portOf(at), 0);
  return fdb;
}

// The code is compiled before anything is measured.
learnAll();
const before = usedBytes();
const begunMs = performance.now();
const fdb = learnAll();
const learnedMs = performance.now() - begunMs;
const octets = (usedBytes() - before) / fdb.size;

console.log(`${fdb.size} entries at ${PORTS} ports, Node ${process.version}`);
console.log(`memory an entry        ${octets.toFixed(0)} octets`);
console.log(`learn a new address    ${Math.round((learnedMs * 1e6) / ENTRIES)} ns`);
console.log(`refresh one            ${nanoseconds((at) => fdb.learn(UNTAGGED, addressOf(at), portOf(at), 1))}`);
console.log(`look up a known one    ${nanoseconds((at) => fdb.lookup(UNTAGGED, addressOf(at), 1))}`);
console.log(`look up an unknown one ${nanoseconds((at) => fdb.lookup(UNTAGGED, addressOf(at + ENTRIES), 1))}`);
