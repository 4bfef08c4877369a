// Checks the includes of native/, as part of `npm run lint`: which room may include which, and that there are no
// cycles. A .c file and its header count as one unit, so that two units that call each other are a cycle, too.
//
//   node scripts/include-graph.mjs [folder]
//
// Prints each fault on a line; the status is then 1.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';

/** The rooms that each room may include. Rooms that are not listed may include all. */
const MAY_INCLUDE = {
  offload: [],
  crypto: [],
  datapath: ['offload', 'crypto'],
  system: ['node', 'datapath'],
};
/** Headers of the host: only host rooms may include them. */
const HOST_HEADERS = ['node_api.h', 'js_native_api.h', 'uv.h', 'v8.h', 'node.h'];
const WITHOUT_HOST = ['offload', 'crypto', 'datapath', 'fuzz'];

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../native'));
const roomOf = (file) => dirname(file).split('/')[0];
const unitOf = (file) => file.replace(/\.[ch]$/, '');

const files = readdirSync(root, { recursive: true }).filter((file) => /\.[ch]$/.test(file));
const faults = [];
const edges = new Map();
for (const file of files) {
  const room = roomOf(file);
  for (const [, open, name] of readFileSync(join(root, file), 'utf8').matchAll(
    /^\s*#\s*include\s*(["<])([^">]+)[">]/gm,
  )) {
    if (open === '<') {
      if (HOST_HEADERS.includes(name) && WITHOUT_HOST.includes(room)) {
        faults.push(`native/${file} includes ${name}: ${room} knows no host`);
      }
      continue;
    }
    const target = normalize(join(dirname(file), name));
    if (!files.includes(target)) faults.push(`native/${file} includes ${name}, which is not there`);
    const to = roomOf(target);
    if (to !== room && MAY_INCLUDE[room] !== undefined && !MAY_INCLUDE[room].includes(to)) {
      faults.push(`native/${file} includes ${name}: ${room} may not include ${to}`);
    }
    if (unitOf(target) !== unitOf(file)) {
      edges.set(unitOf(file), (edges.get(unitOf(file)) ?? new Set()).add(unitOf(target)));
    }
  }
}

/** Depth-first search: a unit that is found again on its own path closes a cycle. */
function findCircles() {
  const done = new Set();
  const path = [];
  const visit = (unit) => {
    if (done.has(unit)) return;
    const start = path.indexOf(unit);
    if (start >= 0) {
      faults.push(`native/ has a circle: ${[...path.slice(start), unit].join(' → ')}`);
      return;
    }
    path.push(unit);
    for (const next of edges.get(unit) ?? []) visit(next);
    path.pop();
    done.add(unit);
  };
  for (const unit of edges.keys()) visit(unit);
}

findCircles();
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
