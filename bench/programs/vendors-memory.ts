import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SILENT } from '../../src/observability/logger.ts';
import { USUAL_TABLES, VendorTable } from '../../src/runtime/vendors/vendor-table.ts';

/*
 * Prints what the vendors of MAC addresses take in memory, and the time that it takes to read them.
 *
 *   npm run build && node dist/bench/programs/vendors-memory.js [FILE]
 *
 * FILE: default: the first table that is there.
 */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  for (let time = 0; time < 4; time++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const [file] = process.argv.slice(2);
const table = new VendorTable(file, SILENT);
const before = usedBytes();
const start = process.cpuUsage();
await table.load();
const { user, system } = process.cpuUsage(start);
const octets = usedBytes() - before;
console.log(
  `${file ?? USUAL_TABLES.join(', ')}: ${(octets / 2 ** 20).toFixed(1)} MiB, ${(user + system) / 1000} ms to read`,
);
// It is used after the measurement, so that it is there meanwhile.
console.log(`for example 00:00:0c is ${table.vendorOf(0x00_000c_000001)}`);
