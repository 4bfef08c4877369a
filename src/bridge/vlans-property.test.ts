import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed, Random } from '../../test/support/random.ts';
import { vlansOf } from '../../test/support/vlan-mesh.ts';
import { type ModelFrame, type ModelPort, octetsOf, VlanOracle } from '../../test/support/vlan-oracle.ts';
import { anyModelFrame, anyModelPort } from '../../test/support/vlan-traffic.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort } from './bridge-port.ts';
import { DEFAULT_SETTINGS } from './port-settings.ts';

/** A bridge and the model with the same settings. */
class Pair {
  readonly oracle: VlanOracle;
  readonly #bridge = new Bridge();
  readonly #ports: BridgePort[];
  readonly #memory: MemoryPort[] = [];
  readonly #seen: Buffer[][] = [];

  constructor(ports: ModelPort[]) {
    this.oracle = new VlanOracle(ports);
    this.#ports = ports.map((settings) => this.#plug(settings));
  }

  #plug(settings: ModelPort): BridgePort {
    const arrived: Buffer[] = [];
    const port = new MemoryPort({ onFrames: (frames) => arrived.push(...frames.map((frame) => Buffer.from(frame))) });
    const bridgePort = this.#bridge.attach(port);
    port.open({
      receive: (batch) => this.#bridge.receive(bridgePort, batch, 0),
      linkChanged: () => undefined,
      discarded: () => undefined,
    });
    this.#memory.push(port);
    this.#seen.push(arrived);
    this.#bridge.setSettings(bridgePort, { ...DEFAULT_SETTINGS, vlans: vlansOf(settings) });
    return bridgePort;
  }

  set(port: number, settings: ModelPort): void {
    this.oracle.set(port, settings);
    const bridgePort = this.#ports[port] as BridgePort;
    this.#bridge.setSettings(bridgePort, { ...DEFAULT_SETTINGS, vlans: vlansOf(settings) });
    // Equal settings would change nothing, but the model always forgets.
    this.#bridge.forgetAddresses(bridgePort);
  }

  /** Sends frames as one batch into a port of both, and compares what comes out. */
  send(from: number, frames: readonly ModelFrame[], context: string): void {
    const expected: Buffer[][] = this.#ports.map(() => []);
    const { rx } = this.#ports[from] as BridgePort;
    const wanted: Record<string, number> = rx.discards;
    for (const frame of frames) {
      const outcome = this.oracle.receive(from, frame);
      if ('refused' in outcome) wanted[outcome.refused] = (wanted[outcome.refused] as number) + 1;
      else for (const [to, sent] of outcome.sent) expected[to]?.push(octetsOf(sent));
    }
    for (const arrived of this.#seen) arrived.length = 0;
    this.#memory[from]?.deliver(...frames.map(octetsOf));
    const text = (lists: readonly Buffer[][]): string[][] =>
      lists.map((list) => list.map((one) => one.toString('hex')));
    assert.deepEqual(text(this.#seen), text(expected), context);
    assert.deepEqual(rx.discards, wanted, context);
  }
}

test('frames of all kinds leave ports of all modes as the rules of 802.1Q have it', () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < fuzzCases(60); run++) {
    const pair = new Pair(Array.from({ length: random.between(2, 6) }, () => anyModelPort(random)));
    for (let step = 0; step < 40; step++) {
      const port = random.below(pair.oracle.ports.length);
      if (random.once(15)) pair.set(port, anyModelPort(random));
      const frames = Array.from({ length: random.between(1, 4) }, () => anyModelFrame(random));
      pair.send(
        port,
        frames,
        `seed ${random.seed}, run ${run}, step ${step}, ${describe(pair.oracle.ports)} at ${port}`,
      );
    }
  }
});

function describe(ports: readonly ModelPort[]): string {
  return ports
    .map(({ mode, pvid, vlans, tpid }) => `${mode}/${pvid}/${vlans.size < 9 ? [...vlans] : 'all'}/${tpid.toString(16)}`)
    .join(' ');
}
