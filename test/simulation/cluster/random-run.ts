import { ClusterModel } from './cluster-model.ts';
import { faultsOf } from './judge.ts';

export interface RandomRunOptions {
  readonly nodes: number;
  readonly stations: number;
  readonly seed: number;
}

/** The longest time in which the heartbeat of a tunnel notices a silent peer. */
export const DETECT_MS = 1500;
const FAULTS_MS = 60_000;
const AGEING_TIME_MS = 60_000;
/** A station that is there is heard so often. */
const SPEAK_MS = 20_000;
/** Digests come each minute. What was lost is asked for again, at longer and longer intervals while that does not help. */
const REPAIR_MS = 130_000;
const PROMPT_ROUNDS = 10;
/** Longer than a dead node's clients and peers need, shorter than the first digest after a change and its repair. */
const PROMPT_MS = 4000;

/**
 * Stations move, leave and come; tunnels are cut, nodes die and start again, messages are lost. Then all is joined, and each node must know where each station is.
 * @returns what is wrong at the end
 */
export function randomRun(options: RandomRunOptions): { readonly faults: string[]; readonly model: ClusterModel } {
  const model = new ClusterModel({ ...options, full: options.nodes, ageingTimeMs: AGEING_TIME_MS });
  const { random } = model;
  joinAll(model);
  for (let station = 0; station < options.stations; station++) {
    model.after(random.below(5000), () => model.place(station, random.below(options.nodes), false));
    model.after(random.between(5000, 5000 + SPEAK_MS), () => speak(model, station));
  }
  model.run(8000);
  const endMs = model.nowMs + FAULTS_MS;
  while (model.nowMs < endMs) {
    somethingHappens(model);
    model.run(random.between(5, 150));
  }
  leaveUnheard(model);
  model.lossOf = 0;
  model.run(30_000);
  joinAll(model);
  model.run(REPAIR_MS);
  const faults = faultsOf(model);
  // Where nothing is lost, nothing needs repair.
  for (let round = 0; round < PROMPT_ROUNDS && faults.length === 0; round++) {
    for (let change = 0; change < 20; change++) promptChange(model, (20 * round + change) % options.stations);
    if (round === PROMPT_ROUNDS / 2) dieForAWhile(model, random.below(options.nodes), PROMPT_MS + 10);
    model.run(PROMPT_MS);
    faults.push(...faultsOf(model).map((fault) => `${fault}, ${PROMPT_MS} ms after the last change`));
  }
  return { faults, model };
}

/** Stations leave while messages are lost. */
function leaveUnheard(model: ClusterModel): void {
  model.lossOf = 2;
  for (const [station, node] of model.truth.entries()) if (node >= 0 && model.random.once(10)) model.remove(station);
  model.run(500);
}

/** Each station once: of two moves within the latency of the cluster the lower node wins, until the station speaks again. */
function promptChange(model: ClusterModel, station: number): void {
  const { random, truth } = model;
  const node = random.below(model.options.nodes);
  if (random.once(4) && (truth[station] as number) >= 0) model.remove(station);
  else if (model.isAlive(node)) model.place(station, node, random.once(2));
}

/** Joins all pairs that are not, within a second. */
export function joinAll(model: ClusterModel): void {
  for (let one = 0; one < model.options.nodes; one++) {
    for (let other = 0; other < one; other++) {
      if (model.isUp(one, other) && model.isUp(other, one) && !model.isCut(one, other)) continue;
      model.after(model.random.below(1000), () => model.join(one, other, model.random.below(20)));
    }
  }
}

function speak(model: ClusterModel, station: number): void {
  const node = model.truth[station] as number;
  if (node >= 0) model.place(station, node, false);
  model.after(SPEAK_MS, () => speak(model, station));
}

function somethingHappens(model: ClusterModel): void {
  const { random } = model;
  const { nodes, stations } = model.options;
  const station = random.below(stations);
  const dice = random.below(100);
  if (dice < 70) move(model, station);
  else if (dice < 75) model.remove(station);
  else if (dice < 85) model.lossOf = random.pick([0, 0, 5, 20]);
  else if (dice < 95) cutForAWhile(model, random.below(nodes), random.below(nodes));
  else if (dice < 97) dieForAWhile(model, random.below(nodes));
}

function move(model: ClusterModel, station: number): void {
  const { random } = model;
  const node = random.below(model.options.nodes);
  if (!model.isAlive(node)) return;
  const isTold = random.once(2);
  model.place(station, node, isTold);
  // To and fro.
  if (random.once(10)) model.after(random.below(30), () => model.isAlive(node) && model.place(station, node, isTold));
}

function cutForAWhile(model: ClusterModel, one: number, other: number): void {
  const { random } = model;
  if (one === other || model.isCut(one, other)) return;
  model.cut(one, other, () => random.below(DETECT_MS));
  model.after(random.between(2000, 20_000), () => model.join(one, other, model.random.below(20)));
}

/** @param deadMs how long it is dead; default: some seconds */
function dieForAWhile(model: ClusterModel, node: number, deadMs?: number): void {
  const { random, truth } = model;
  const { nodes } = model.options;
  if (!model.isAlive(node)) return;
  const stations = [...truth.keys()].filter((station) => truth[station] === node);
  model.kill(node, () => random.below(DETECT_MS));
  for (const station of stations) {
    model.after(random.below(3000), () => {
      const next = random.below(nodes);
      if (truth[station] === -1 && model.isAlive(next)) model.place(station, next, false);
    });
  }
  model.after(deadMs ?? random.between(2000, 20_000), () => {
    model.restart(node);
    for (let other = 0; other < nodes; other++)
      if (other !== node && !model.isCut(node, other)) model.join(node, other, random.below(20));
  });
}
