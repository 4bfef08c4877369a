import { checkCounters, checkTunnels } from './counters.ts';
import { mayReach } from './model.ts';
import { BROADCAST } from './numbered-frame.ts';
import { macOf } from './station.ts';
import { tagsOf } from './steps.ts';
import type { World } from './world.ts';

/**
 * The bound after the last fault: a silent line is noticed (10 s), it is dialled again (4 s), and the tree settles: twice the
 * maximum age, both delays, three hello times (23 s).
 */
const SETTLED_MS = 45_000;
/** A frame has arrived everywhere. */
const ARRIVED_MS = 500;
const AGED_MS = 400_000;

/** All faults are over: within the bound each station reaches each other one that it may, by one frame each. */
export async function checkReachability(world: World): Promise<void> {
  const { clock, judge } = world;
  for (const id of world.plans.keys()) if (world.plans.get(id)?.kind === 'liar') world.joinLiar(id);
  await clock.run(SETTLED_MS);
  for (const id of world.plans.keys()) if (world.plans.get(id)?.kind === 'liar') world.joinLiar(id);
  await clock.run(ARRIVED_MS);
  const stations = [...judge.facts.stations.values()].filter(({ copiesOf }) => copiesOf === undefined);
  const sent: { from: number; to: number | undefined; tag: number | undefined; number: number }[] = [];
  for (const station of stations) {
    for (const tag of tagsOf(station)) {
      sent.push({ from: station.id, to: undefined, tag, number: world.send(station.id, BROADCAST, tag) });
      await clock.run(ARRIVED_MS);
    }
  }
  for (const from of stations) {
    for (const to of stations) {
      const tag = tagsOf(from).find((each) => mayReach(judge.facts, from.id, to.id, each) !== undefined);
      if (mayReach(judge.facts, from.id, to.id, tag) === undefined) continue;
      sent.push({ from: from.id, to: to.id, tag, number: world.send(from.id, macOf(to.id), tag) });
    }
    await clock.run(ARRIVED_MS);
  }
  for (const { from, to, tag, number } of sent) {
    for (const { id } of stations) {
      if ((to !== undefined && to !== id) || mayReach(judge.facts, from, id, tag) === undefined) continue;
      const times = judge.timesOf(number, id);
      if (times !== 1)
        judge.fault(`station ${from} reaches station ${id} with the tag ${tag} ${times} times (frame ${number})`);
    }
    checkCopies(world, from, number);
  }
  for (let at = 0; at < world.plan.switches; at++) checkCounters(world, at);
  await checkTunnels(world);
}

/** A mirror copies each frame that its station sends or gets, once. */
function checkCopies(world: World, from: number, number: number): void {
  const { judge } = world;
  for (const { id, copiesOf } of judge.facts.stations.values()) {
    if (copiesOf === undefined) continue;
    const expected = copiesOf === from ? 1 : judge.timesOf(number, copiesOf);
    const copies = judge.timesOf(number, id);
    if (copies !== expected) judge.fault(`station ${id} gets ${copies} copies of frame ${number}, not ${expected}`);
  }
}

/** When all ports have left, nothing of them is left; when all switches have ended, no timer is. */
export async function checkEnd(world: World): Promise<void> {
  const { clock, judge } = world;
  for (const liar of world.liars.values()) liar.leave();
  const running = world.switches.filter((each) => each !== undefined);
  for (const { etherSwitch } of running) {
    for (const number of [...etherSwitch.ports.keys()]) void etherSwitch.detach(number);
    for (const { name } of [...etherSwitch.networks]) if (name !== 'default') void etherSwitch.removeNetwork(name);
  }
  await clock.run(AGED_MS);
  for (const { name, etherSwitch, resumables, tunnels } of running) {
    const left = {
      ...{ ports: etherSwitch.ports.size, networks: [...etherSwitch.networks].length - 1 },
      ...{ addresses: etherSwitch.fdb().length, bridgeAddresses: etherSwitch.network('default').bridge.fdbSize },
      ...{ resumable: [...resumables.entries()].length, places: tunnels },
    };
    for (const [what, count] of Object.entries(left)) if (count !== 0) judge.fault(`${name} keeps ${count} ${what}`);
  }
  if (clock.timers !== running.length) judge.fault(`${clock.timers} timers run for ${running.length} empty switches`);
  await Promise.all(running.map((each) => each.close('shutdown')));
  await clock.run(1000);
  if (clock.timers !== 0) judge.fault(`${clock.timers} timers run when all switches are closed`);
}
