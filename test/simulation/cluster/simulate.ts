import { parseArgs } from 'node:util';
import { figuresOf } from './figures.ts';
import { idleFigures } from './idle-figures.ts';
import { membershipFigures } from './membership-figures.ts';
import { sitesFigures } from './sites.ts';

/**
 * `npm run simulate:cluster -- --nodes N --stations M --seed S --full F`: the stations of a cluster of N nodes on a virtual clock,
 * all in one network; F of the nodes keep all M stations, the others only count what they are told. `--networks K --members L`:
 * the stations are in K networks instead, each at L of the nodes.
 */
const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    stations: { type: 'string', default: '1000000' },
    full: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    networks: { type: 'string', default: '1' },
    members: { type: 'string', default: '20' },
  },
});
const [nodes, stations, full, seed] = [values.nodes, values.stations, values.full, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
];
const { faults: ofMembers, ...membership } = membershipFigures(nodes, stations, seed);
console.log(JSON.stringify({ membership }));
if (values.networks === '1') {
  console.log(JSON.stringify({ idle: idleFigures(nodes - 1, stations) }));
  const { faults, ...figures } = figuresOf({ nodes, stations, full, seed, log: (line) => console.log(line) });
  console.log(JSON.stringify(figures, undefined, 2));
  report([...ofMembers, ...faults]);
} else {
  const [networks, members] = [Number(values.networks), Number(values.members)];
  console.log(JSON.stringify(sitesFigures({ nodes, stations, networks, members, seed }), undefined, 2));
  report(ofMembers);
}

function report(faults: readonly string[]): void {
  for (const fault of faults) console.log(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
