import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareNamespace } from '../../test/support/fast-lab.ts';
import { anyEntryChange } from '../../test/support/flow-security.ts';
import {
  anyConversation,
  anyRules,
  anySettings,
  anyStation,
  type Burst,
  burstOf,
  type Conversation,
  homeOf,
  isStation,
  multicastBurst,
  STATIONS,
  stationAddress,
} from '../../test/support/flow-traffic.ts';
import { anyVlans, tagsInVlan, USUAL_VLAN } from '../../test/support/flow-vlans.ts';
import { AGEING_MS, NODES_FROM, PLACES, TAPS, World } from '../../test/support/flow-worlds.ts';
import { batchWithHeaders } from '../../test/support/frames.ts';
import { SWITCH_MAC } from '../../test/support/multicast-lan.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { fuzzCases, fuzzSeed, Random } from '../../test/support/random.ts';
import { DEFAULT_SETTINGS } from '../bridge/port-settings.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';

const skip = enterOwnNamespace();
const STP_STATES = ['discarding', 'learning', 'forwarding'] as const;
const STEPS = fuzzCases(800);
/** Of each kind at least so many frames must pass the bridge by. */
const FEWEST_PASSED = 11;
/** The most conversations behind the steps. */
const MOST_RARE = 30;
/** Less than a flow lives: it ends only if what is forgotten ends it. */
const MOMENT_MS = 600;

before(() => {
  if (skip === false) prepareNamespace();
});

/** The same happens to two worlds, of which the first has a flow table. */
class Worlds {
  /** frames that passed the bridge of the first world by, by what they were or met */
  readonly passed = { all: 0, nodes: 0, metered: 0, tagged: 0, segmented: 0, inVlan: 0, segmentedInVlan: 0 };
  /** whether frames are sent between VLAN-aware ports that have other tags for them */
  isInVlan = false;
  /** the last one */
  conversation: Conversation | undefined;
  readonly #withFlows: World;
  readonly #without: World;
  readonly #heard: number[] = Array.from({ length: PLACES }, () => 0);
  readonly #hasRates = new Set<number>();

  constructor(withFlows: World, without: World) {
    this.#withFlows = withFlows;
    this.#without = without;
  }

  isForwarding(place: number): boolean {
    return this.#without.at(place).bridgePort.isForwarding;
  }

  async send(burst: Burst): Promise<void> {
    const { place, frames, finishedFrames, isTagged } = burst;
    const hasHeaders = frames.some(({ header }) => header !== undefined);
    const [flows, reference] = [this.#withFlows.delivered, this.#without.delivered];
    for (const world of [this.#withFlows, this.#without]) {
      const batch = hasHeaders ? batchWithHeaders(frames) : batchOf(...frames.map(({ frame }) => frame));
      await world.send(place, batch, finishedFrames);
    }
    const passed = this.#without.delivered - reference - (this.#withFlows.delivered - flows);
    this.passed.all += passed;
    if (place >= NODES_FROM) this.passed.nodes += passed;
    if (this.#hasRates.has(place)) this.passed.metered += passed;
    if (isTagged) this.passed.tagged += passed;
    if (hasHeaders) this.passed.segmented += passed;
    if (this.isInVlan) this.passed.inVlan += passed;
    if (this.isInVlan && hasHeaders) this.passed.segmentedInVlan += passed;
  }

  both(change: (world: World) => void): void {
    change(this.#withFlows);
    change(this.#without);
  }

  /** Nothing keeps a place from forwarding any more, unless it stands by. */
  open(place: number): void {
    this.both((world) => world.bridge.setShut(world.at(place).bridgePort, false));
    this.both((world) => world.bridge.setLink(world.at(place).bridgePort, 'up'));
    this.both((world) => world.bridge.setStpState(world.at(place).bridgePort, 'forwarding'));
  }

  setRules(random: Random, place: number): void {
    const rules = anyRules(random);
    const isShared = random.once(3);
    if (rules?.frames === undefined && rules?.bits === undefined) this.#hasRates.delete(place);
    else this.#hasRates.add(place);
    this.both((world) => world.setRules(place, rules, isShared));
  }

  assertEqual(when: string): void {
    assert.deepEqual(this.#withFlows.counts, this.#without.counts, `${when}: counters`);
    assert.deepEqual(this.#withFlows.entries, this.#without.entries, `${when}: stations`);
    for (let place = 0; place < PLACES; place++) {
      const [heard, expected] = [this.#withFlows.at(place).heard, this.#without.at(place).heard];
      for (let at = this.#heard[place] as number; at < expected.length; at++) {
        assert.ok(heard[at]?.equals(expected[at] as Buffer), `${when}: frame ${at} of place ${place}`);
      }
      this.#heard[place] = expected.length;
      assert.equal(heard.length, expected.length, `${when}: frames at place ${place}`);
    }
  }
}

/** A conversation begins. */
async function speak(worlds: Worlds, random: Random): Promise<void> {
  const station = random.below(STATIONS);
  // Now and then it has moved.
  const place = random.once(10) ? random.below(PLACES) : homeOf(station);
  const maySegment = place < TAPS - 1 && random.once(3);
  worlds.conversation = anyConversation(random, place, station, maySegment);
  // Behind the first burst there is a flow, if there may be one.
  for (let count = random.between(2, 4); count > 0; count--) {
    await goOn(worlds, random, false);
    if (random.once(3)) await goOn(worlds, random, false, worlds.conversation.other);
    if (random.once(2)) await goOn(worlds, random, true);
  }
}

/**
 * All ports get other VLANs, and two stations talk in one of them.
 * @param areTaps both are at devices that take super-frames and in the VLAN, and the first one sends such
 */
async function speakInVlan(worlds: Worlds, random: Random, areTaps = false): Promise<void> {
  const isAtTap = areTaps || random.once(2);
  const station = isAtTap ? random.below(TAPS - 1) : random.below(STATIONS);
  const other = areTaps ? TAPS - 2 - station : (station + random.between(1, PLACES - 1)) % PLACES;
  const [place, away] = [homeOf(station), homeOf(other)];
  const vlans = Array.from({ length: PLACES }, (_, at) => (at < NODES_FROM ? anyVlans(random) : undefined));
  // Mostly both are in the VLAN.
  for (const at of [place, away]) {
    const isAlone = !areTaps && random.once(8);
    while (!isAlone && at < NODES_FROM && vlans[at]?.isMember(USUAL_VLAN) === false) vlans[at] = anyVlans(random);
  }
  for (const [place, of] of vlans.entries()) {
    worlds.both((world) => world.bridge.setSettings(world.at(place).bridgePort, { ...DEFAULT_SETTINGS, vlans: of }));
  }
  for (const at of [place, away]) {
    worlds.open(at);
    worlds.both((world) => world.setRules(at, undefined, false));
  }
  const tagsOf = (at: number): string => tagsInVlan(random, vlans[at], USUAL_VLAN);
  const answering = { ...anyConversation(random, away, other, false), tags: tagsOf(away) };
  const asking = {
    ...anyConversation(random, place, station, place < TAPS - 1 && (areTaps || random.once(2))),
    tags: tagsOf(place),
  };
  const [source, destination] = [stationAddress(station), stationAddress(other)];
  worlds.conversation = { ...answering, source: destination, destination: source };
  await goOn(worlds, random, false);
  worlds.conversation = { ...asking, source, destination };
  worlds.isInVlan = vlans[place]?.isUntagged(USUAL_VLAN) !== vlans[away]?.isUntagged(USUAL_VLAN);
  for (let count = random.between(3, 5); count > 0; count--) await goOn(worlds, random, random.once(4));
  worlds.isInVlan = false;
}

/** The conversation goes on, by a flow if it has one. */
async function goOn(worlds: Worlds, random: Random, isMixed: boolean, to?: number): Promise<void> {
  const { conversation } = worlds;
  if (conversation === undefined) return;
  const { destination } = conversation;
  // A port that is shut counts a super-frame as one.
  const isSegmented = conversation.isSegmented && worlds.isForwarding(conversation.place);
  await worlds.send(burstOf(random, { ...conversation, destination: to ?? destination, isSegmented }, isMixed));
}

/** The station that is spoken to is suddenly elsewhere. */
async function move(worlds: Worlds, random: Random): Promise<void> {
  const { conversation } = worlds;
  if (conversation === undefined || !isStation(conversation.destination)) return;
  const { source, destination } = conversation;
  const place = random.below(PLACES);
  const moved = { ...conversation, place, source: destination, destination: source, isSegmented: false };
  await worlds.send(burstOf(random, moved, false));
}

/** The last station that spoke is forgotten while a flow may lead to it; then all are. */
async function age(worlds: Worlds, random: Random): Promise<void> {
  // Flows to a static one, and to one that a node has told, last, since it never ages.
  worlds.both((world) => world.forgetStatic());
  worlds.both((world) => world.pass(AGEING_MS - MOMENT_MS / 2, true));
  const station = random.below(STATIONS);
  worlds.conversation = anyConversation(random, homeOf(station), station, false);
  for (let times = 0; times < 3; times++) await goOn(worlds, random, false);
  worlds.both((world) => world.pass(MOMENT_MS, false));
  await goOn(worlds, random, false);
  worlds.assertEqual('while stations age');
  worlds.both((world) => world.pass(2 * AGEING_MS, true));
}

/** A node of the cluster tells where a station is, mostly the one that is spoken to; or it is where it was no longer. */
function nodeSpeaks(worlds: Worlds, random: Random): string {
  const { conversation } = worlds;
  const isSpokenTo = conversation !== undefined && isStation(conversation.destination) && !random.once(4);
  const mac = (isSpokenTo ? conversation.destination : stationAddress(random.below(STATIONS))) as MacAddress;
  const name = { vid: random.pick([0, 0, 0, 5]) as Vid, mac };
  const place = random.between(NODES_FROM, PLACES - 1);
  const isHeld = random.once(8);
  const isIsolated = random.once(3);
  switch (random.below(6)) {
    case 0:
      worlds.both((world) => world.withdraw(name));
      return 'a node withdraws a station';
    case 1:
      worlds.both((world) => world.loseNode(place));
      return 'a node is lost';
    default:
      worlds.both((world) => world.tell(place, name, isHeld, isIsolated));
      return `the node at place ${place} tells of a station`;
  }
}

/** A station behind a node talks to one here, whose port may be isolated. The node tells it, and that its own port is isolated. */
async function speakFromNode(worlds: Worlds, random: Random): Promise<void> {
  const node = random.between(NODES_FROM, PLACES - 1);
  const place = random.below(TAPS);
  for (const at of [place, node]) {
    worlds.open(at);
    worlds.both((world) => world.leaveVlans(at));
  }
  const isIsolated = random.once(2);
  const settings = { ...DEFAULT_SETTINGS, isIsolated };
  worlds.both((world) => world.bridge.setSettings(world.at(place).bridgePort, settings));
  worlds.setRules(random, place);
  const away = { vid: UNTAGGED, mac: stationAddress(node) as MacAddress };
  const plain = { other: anyStation(random), tags: '', isSegmented: false };
  const isAtFirst = random.once(4);
  worlds.both((world) => world.tell(node, away, false, isAtFirst));
  worlds.conversation = { ...plain, place, source: stationAddress(place), destination: away.mac };
  await goOn(worlds, random, false);
  worlds.conversation = { ...plain, place: node, source: away.mac, destination: stationAddress(place) };
  for (let times = 0; times < 3; times++) await goOn(worlds, random, false);
  worlds.both((world) => world.tell(node, away, false, isIsolated));
  for (let times = 0; times < 2; times++) await goOn(worlds, random, false);
}

/**
 * Of any steps only a few have a flow of super-frames whose tag changes: both stations must be at certain two of the places,
 * known there, and in different modes of one VLAN. So more of them talk, until enough frames have passed by.
 */
async function speakOfRare(worlds: Worlds, random: Random): Promise<void> {
  for (let number = 0; number < MOST_RARE && worlds.passed.segmentedInVlan < FEWEST_PASSED; number++) {
    worlds.both((world) => world.forgetStatic());
    await speakInVlan(worlds, random, true);
    worlds.assertEqual(`seed ${random.seed}, after all steps, conversation ${number}`);
  }
}

async function step(worlds: Worlds, random: Random): Promise<string> {
  // Often the place that frames come from: then the next ones show whether a flow has ended.
  const place = random.once(3) ? (worlds.conversation?.place ?? 0) : random.below(PLACES);
  switch (random.below(39)) {
    case 0:
      worlds.both((world) => world.bridge.setShut(world.at(place).bridgePort, true));
      return `place ${place} is shut`;
    case 1:
    case 2:
    case 3:
    case 4:
      for (let each = 0; each < PLACES; each++) {
        worlds.open(each);
        worlds.both((world) => world.leaveVlans(each));
      }
      return 'all places are opened';
    case 5:
      worlds.both((world) => world.bridge.setLink(world.at(place).bridgePort, 'down', 'the test'));
      return `the link of place ${place} goes down`;
    case 6:
      worlds.both((world) => world.attachAnew(place));
      return `place ${place} is attached anew`;
    case 7:
    case 8:
      worlds.setRules(random, place);
      return `place ${place} has other rules`;
    case 13: {
      const settings = random.once(3) ? DEFAULT_SETTINGS : anySettings(random);
      worlds.both((world) => world.bridge.setSettings(world.at(place).bridgePort, settings));
      return `place ${place} has other settings`;
    }
    case 14: {
      const state = random.pick(STP_STATES);
      worlds.both((world) => world.bridge.setStpState(world.at(place).bridgePort, state));
      return `place ${place} is ${state}`;
    }
    case 15: {
      const isOn = !random.once(4);
      const options = { mac: SWITCH_MAC, isQuerier: random.once(2) };
      worlds.both((world) => world.bridge.setMulticast(isOn ? options : undefined, world.nowMs));
      return `multicast snooping is ${isOn ? 'on' : 'off'}`;
    }
    case 18:
    case 19:
    case 20:
    case 21:
      await speakInVlan(worlds, random);
      return 'stations speak in a VLAN';
    case 16:
    case 17:
      await worlds.send(multicastBurst(random, place));
      return 'hosts and queriers of groups speak';
    case 22: {
      const change = anyEntryChange(random);
      worlds.both((world) => change(world.bridge, world.at(place).bridgePort, world.nowMs));
      return `the operator changes entries, perhaps of place ${place}`;
    }
    case 38:
      await speakFromNode(worlds, random);
      return 'a station of another node speaks';
    case 34:
    case 35:
    case 36:
      return nodeSpeaks(worlds, random);
    case 9:
      worlds.both((world) => world.pass(AGEING_MS / 3, true));
      return 'time passes';
    case 10:
      await age(worlds, random);
      return 'stations age';
    case 11:
    case 12:
      await move(worlds, random);
      return 'a station moves';
    default:
      await speak(worlds, random);
      return 'a station speaks';
  }
}

test(`${STEPS} changes and bursts have the same effects with a flow table and without`, { skip }, async (t) => {
  const random = new Random(fuzzSeed());
  t.diagnostic(`FUZZ_SEED=${random.seed}`);
  const worlds = new Worlds(await World.open(t, 'with', true), await World.open(t, 'less', false));
  for (let number = 0; number < STEPS; number++) {
    const what = await step(worlds, random);
    await goOn(worlds, random, false);
    worlds.assertEqual(`seed ${random.seed}, step ${number}, ${what}`);
  }
  await speakOfRare(worlds, random);
  t.diagnostic(`frames that passed by: ${JSON.stringify(worlds.passed)}`);
  for (const [kind, frames] of Object.entries(worlds.passed))
    assert.ok(frames >= FEWEST_PASSED, `${kind}: only ${frames} frames passed by`);
});
