import {
  dataFrame,
  joinFrame,
  leaveFrame,
  type MessageFields,
  pimHelloFrame,
  queryFrame,
  recordsFrame,
} from '../support/multicast-frames.ts';
import type { Random } from '../support/random.ts';
import type { FrameStep, PortSetting, Script, Step } from './script.ts';

/** Three groups, of which two have the same MAC address; and one that is never pruned. */
const GROUPS = ['239.1.1.1', '239.2.2.2', '232.1.1.1', 'ff05::101', 'ff05::202', '224.0.0.251'];
const ROUTER: MessageFields = { station: 100 };
const MOST_PORTS = 5;
/** A querier counts when its Max Response Time is over: 100 ms, the least of IGMPv2. Three units of time are more. */
const QUERIES = [
  queryFrame({ ...ROUTER, isOld: true, code: 1 }),
  queryFrame({ ...ROUTER, family: 6, isOld: true, code: 1 }),
];

const SOURCES = { 4: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], 6: ['2001:db8::1', '2001:db8::2', '2001:db8::3'] } as const;

/**
 * Hosts that join and leave groups, a querier at port 1, and datagrams to the groups from several sources. Behind a port all hosts have IGMPv2
 * and MLDv1, or there is one that has IGMPv3 and MLDv2 (by-design.ts).
 */
export function generateMulticast(random: Random): Script {
  const ports = random.between(2, MOST_PORTS);
  const newPorts = new Set(Array.from({ length: ports }, (_, at) => at + 1).filter(() => random.once(2)));
  const steps: Step[] = [
    { do: 'bridge', name: 'mcast_snooping', value: 1 },
    // For a moment after it is switched on Linux hears no querier of IPv6.
    { do: 'wait', units: 1 },
    ...QUERIES.map((query) => frameStepOf(1, query)),
    { do: 'wait', units: 4 },
  ];
  for (let length = random.between(8, 50); length > 0; length--) {
    steps.push(random.once(6) ? anySetting(random, ports, newPorts) : anyFrame(random, ports, newPorts));
  }
  return { ports, steps };
}

function anyFrame(random: Random, ports: number, newPorts: ReadonlySet<number>): FrameStep {
  const port = random.between(1, ports);
  const group = random.pick(GROUPS);
  const fields: MessageFields = { station: 10 * port + random.below(2) };
  const kind = random.below(10);
  const sources = SOURCES[group.includes(':') ? 6 : 4];
  if (kind < 5 && newPorts.has(port)) {
    const record = { type: random.between(1, 6), group, sources: sources.filter(() => random.once(2)) };
    // By design (by-design.ts): Linux floods these reports.
    return { ...frameStepOf(port, recordsFrame([record], { station: 10 * port })), isUnjudged: true };
  }
  if (kind < 4) return frameStepOf(port, joinFrame(group, fields));
  // By design (by-design.ts): Linux floods leaves.
  if (kind < 5) return { ...frameStepOf(port, leaveFrame(group, fields)), isUnjudged: true };
  if (kind < 6 && random.once(3)) return frameStepOf(port, pimHelloFrame(4, fields));
  return frameStepOf(port, dataFrame(group, random.once(2) ? fields : { ...fields, from: random.pick(sources) }));
}

const CHOICES: readonly (readonly [PortSetting, readonly number[]])[] = [
  ['fastleave', [0, 1]],
  ['mcast_flood', [0, 1]],
  ['isolated', [0, 1]],
  // By design (by-design.ts): not back to 1.
  ['mcast_router', [0, 2]],
];

function anySetting(random: Random, ports: number, newPorts: ReadonlySet<number>): Step {
  const port = random.between(1, ports);
  if (random.once(5)) return { do: random.once(2) ? 'detach' : 'attach', port };
  const [name, values] = random.pick(CHOICES);
  // By design (by-design.ts): what it means for sources differs.
  if (name === 'fastleave' && newPorts.has(port)) return { do: 'set', port, name, value: 0 };
  return { do: 'set', port, name, value: random.pick(values) };
}

/** A whole frame as a step. */
export function frameStepOf(port: number, frame: Buffer): FrameStep {
  const hex = frame.toString('hex');
  return { do: 'frame', port, to: hex.slice(0, 12), from: hex.slice(12, 24), tags: [], payload: hex.slice(24) };
}
