import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { BridgePortSettings } from '../../src/bridge/port-settings.ts';
import { PortVlans } from '../../src/bridge/port-vlans.ts';
import type { StpState } from '../../src/bridge/stp-state.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { Tpid } from '../../src/wire/ethernet/tag.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { VidSet } from '../../src/wire/ethernet/vid-set.ts';
import {
  AGEING_MS,
  heardAt,
  type Outcome,
  octetsOf,
  type PortSetting,
  type Script,
  type Step,
  sortedOutcome,
  type VlanStep,
  WAIT_MS,
  type World,
} from './script.ts';

/** The states of a port under the numbers of the kernel; what is absent is discarding. */
const STATES: Readonly<Record<number, StpState>> = { 2: 'learning', 3: 'forwarding' };
const DISABLED = 0;

interface Place {
  readonly memory: MemoryPort;
  readonly bridgePort: BridgePort;
}

/** Our bridge with ports in memory, on a virtual clock. */
export class CoreWorld implements World {
  readonly name: string;
  readonly #makeBridge: (ageingTimeMs: number) => Bridge;

  /** @param makeBridge makes another bridge in its place, such as one with a mistake */
  constructor(name = 'etherws', makeBridge = (ageingTimeMs: number): Bridge => new Bridge({ ageingTimeMs })) {
    this.name = name;
    this.#makeBridge = makeBridge;
  }

  play({ ports, steps }: Script): Promise<Outcome> {
    const run = new Run(this.#makeBridge(AGEING_MS));
    for (let port = 1; port <= ports; port++) run.attach(port);
    return Promise.resolve(steps.map((step) => run.play(step)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One script in a new bridge. */
class Run {
  readonly #bridge: Bridge;
  readonly #places = new Map<number, Place>();
  #nowMs = 1_000_000;
  #waits = 0;
  #heard: string[] = [];

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  play(step: Step): readonly string[] {
    this.#heard = [];
    if (step.do === 'wait') {
      this.#nowMs += step.units * WAIT_MS;
      // Not each time, since look-ups must ignore what has expired.
      if (++this.#waits % 2 === 0) this.#bridge.age(this.#nowMs);
    } else if (step.do === 'attach') {
      if (!this.#places.has(step.port)) this.attach(step.port);
    } else if (step.do !== 'bridge') {
      const place = this.#places.get(step.port);
      if (place !== undefined) this.#playAt(place, step);
    }
    return sortedOutcome(this.#heard);
  }

  attach(port: number): void {
    const memory = new MemoryPort({
      onFrames: (frames) => this.#heard.push(...frames.map((frame) => heardAt(port, frame.toString('hex')))),
    });
    const bridgePort = this.#bridge.attach(memory);
    memory.open({
      receive: (batch) => this.#bridge.receive(bridgePort, batch, this.#nowMs),
      linkChanged: (state, reason) => this.#bridge.setLink(bridgePort, state, reason),
      discarded: (direction, reason, frames) => bridgePort.discard(direction, reason, frames),
    });
    this.#places.set(port, { memory, bridgePort });
  }

  #playAt({ memory, bridgePort }: Place, step: Exclude<Step, { do: 'wait' | 'attach' | 'bridge' }>): void {
    const bridge = this.#bridge;
    switch (step.do) {
      case 'frame':
        memory.deliver(octetsOf(step));
        break;
      case 'link':
        memory.setLink(step.isUp ? 'up' : 'down');
        break;
      case 'vlan':
        bridge.setSettings(bridgePort, { ...bridgePort.settings, vlans: vlansOf(step) });
        break;
      case 'detach':
        bridge.detach(bridgePort);
        this.#places.delete(step.port);
        break;
      case 'set':
        if (step.name === 'state') this.#setState(bridgePort, step.value);
        else bridge.setSettings(bridgePort, { ...bridgePort.settings, ...settingsOf(step.name, step.value) });
        break;
    }
  }

  #setState(port: BridgePort, state: number): void {
    this.#bridge.setShut(port, state === DISABLED);
    if (state !== DISABLED) this.#bridge.setStpState(port, STATES[state] ?? 'discarding');
  }
}

function settingsOf(name: PortSetting, value: number): Partial<BridgePortSettings> {
  const isOn = value === 1;
  switch (name) {
    case 'isolated':
      return { isIsolated: isOn };
    case 'fastleave':
      return { fastLeave: isOn };
    default:
      throw new Error(`our bridge has no "${name}"`);
  }
}

function vlansOf({ mode, pvid, vlans, tpid }: VlanStep): PortVlans | undefined {
  const set = VidSet.of(vlans.map((vid) => [vid, vid]));
  return PortVlans.of({ mode, pvid: pvid as Vid, vlans: set, tpid: tpid as Tpid });
}
