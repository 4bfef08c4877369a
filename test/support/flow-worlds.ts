import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { FlowTable } from '../../src/bridge/flow-table.ts';
import { IngressPolicy, type IngressRules, RateAllowance, SourceClaims } from '../../src/bridge/ingress-policy.ts';
import type { StationStore } from '../../src/bridge/mesh/mesh-station.ts';
import { StationExchange } from '../../src/bridge/mesh/station-exchange.ts';
import { DISCARD_REASONS, type Port, type PortEvents, type TunnelPeer } from '../../src/bridge/port.ts';
import { nativeAddon } from '../../src/native/addon.ts';
import { NativeFlowTable } from '../../src/native/flow-table.ts';
import { offloadEngine } from '../../src/native/offload-engine.ts';
import { NetdevPort } from '../../src/ports/device/netdev-port.ts';
import { TapPort } from '../../src/ports/device/tap-port.ts';
import { NativeTransport } from '../../src/ports/stream/native-transport.ts';
import { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import type { StationName } from '../../src/wire/mesh/station-records.ts';
import { portableEngine } from '../../src/wire/offload/engine.ts';
import { MAX_FINISHED_BYTES } from '../../src/wire/offload/gso.ts';
import { nativePair, nativePort } from './fast-lab.ts';
import { framesOf } from './frames.ts';
import { until } from './waits.ts';

/** The MTU of the third TAP device. */
export const SHORT_MTU = 600;
/** The ports of a world by their places: three TAP devices, a tunnel, two that are parallel, and two to other nodes. */
export const TAPS = 3;
export const PLACES = 8;
const PARALLEL_FROM = 4;
/** The first place that leads to another node of the cluster. */
export const NODES_FROM = 6;
export const AGEING_MS = 300_000;

/** A port and its far end. */
interface Place {
  readonly port: Port;
  readonly far: Port;
  /** the finished frames that reached the far end */
  readonly heard: Buffer[];
  bridgePort: BridgePort;
  /** frames sent by former bridge ports of the place */
  formerFrames: number;
}

/** The counters of a port, by name. */
type Counts = Readonly<Record<string, number>>;

/**
 * A bridge over real devices and tunnels, with a clock that the test drives. Flows
 * expire by the real clock, which may end them earlier.
 */
export class World {
  readonly bridge: Bridge;
  readonly places: Place[] = [];
  /** frames given to the bridge */
  delivered = 0;
  nowMs = 1_000_000;
  readonly #flows: FlowTable | undefined;
  readonly #claims = new SourceClaims();
  readonly #shared = new RateAllowance();
  readonly #told: StationStore;
  readonly #finished = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES), 4096);

  private constructor(hasFlows: boolean) {
    this.#flows = hasFlows ? new NativeFlowTable() : undefined;
    this.bridge = new Bridge({
      ageingTimeMs: AGEING_MS,
      forwardReserved: 1 << 0xe,
      offloadEngine: offloadEngine(),
      ...(this.#flows === undefined ? {} : { flowTable: this.#flows }),
    });
    let told: StationStore | undefined;
    this.bridge.mesh.watch(
      (store) => {
        told = store;
        return new StationExchange({
          store,
          self: () => 'self',
          now: () => 0,
          send: () => true,
          wakeBy: () => undefined,
        });
      },
      (node) => this.places.find(({ bridgePort }) => bridgePort.meshNode === node)?.bridgePort,
    );
    this.#told = told as unknown as StationStore;
  }

  static async open(t: TestContext, name: string, hasFlows: boolean): Promise<World> {
    const world = new World(hasFlows);
    for (let place = 0; place < PLACES; place++) {
      const [port, far] = place < TAPS ? await openTap(t, `${name}${place}`) : await openTunnel(t, place);
      world.#plug(port, far);
    }
    const short = (world.places[TAPS - 1] as Place).port;
    nativeAddon().changeLink(nativeAddon().readLink(short.target).index, -1, SHORT_MTU, -1);
    await until(() => short.maxFrameBytes === SHORT_MTU + 14);
    return world;
  }

  /** Sends frames into a place, and waits until the bridge has decided and all forwarded frames have arrived. */
  async send(place: number, batch: FrameBatch, finishedFrames: number): Promise<void> {
    const { far, bridgePort } = this.at(place);
    const was = seenBy(bridgePort);
    for (let index = 0; index < batch.count; index++) assert.equal(far.send(batch, index), undefined);
    far.flush(false);
    await until(() => seenBy(bridgePort) >= was + finishedFrames && this.#hasArrived, 15_000);
  }

  /** Advances the clock. @param isLong whether flows expire meanwhile */
  pass(ms: number, isLong: boolean): void {
    this.nowMs += ms;
    if (isLong) this.#flows?.invalidate();
    this.bridge.age(this.nowMs);
  }

  /** @param rules undefined: no policy. @param isShared whether the port shares one allowance with all such ports */
  setRules(place: number, rules: IngressRules | undefined, isShared: boolean): void {
    const { bridgePort } = this.at(place);
    bridgePort.policy?.release();
    bridgePort.policy =
      rules && new IngressPolicy(rules, this.#claims, this.nowMs, isShared ? this.#shared : new RateAllowance());
  }

  /** The node at a place tells of a station. */
  tell(place: number, name: StationName, isHeld: boolean, isIsolated: boolean): void {
    const told = { sequence: 1, isHeld, isIsolated, seenMs: this.nowMs };
    this.#told.tell(name, nodeAt(place), told, this.nowMs);
  }

  /** What a node has told of a station is withdrawn. */
  withdraw(name: StationName): void {
    const known = this.#told.find(name, this.nowMs);
    if (known?.kind === 'told') this.#told.forget(known, this.nowMs);
  }

  /** The node at a place is lost. */
  loseNode(place: number): void {
    this.#told.forgetNode(nodeAt(place));
  }

  /** Makes the port transparent. */
  leaveVlans(place: number): void {
    const { bridgePort } = this.at(place);
    this.bridge.setSettings(bridgePort, { ...bridgePort.settings, vlans: undefined });
  }

  /** Forgets the stations that do not age. */
  forgetStatic(): void {
    for (const { vid, mac, kind } of [...this.bridge.fdbEntries(this.nowMs)]) {
      if (kind === 'static' || kind === 'told') this.bridge.entries.delete(vid, mac);
    }
  }

  /** Detaches the port, and attaches it with another number. */
  attachAnew(place: number): void {
    const at = this.at(place);
    this.bridge.detach(at.bridgePort);
    at.formerFrames += at.bridgePort.tx.frames;
    at.bridgePort = this.bridge.attach(at.port);
  }

  at(place: number): Place {
    return this.places[place] as Place;
  }

  /** The counters of each place, without those that are 0. */
  get counts(): Counts[] {
    return this.places.map(({ bridgePort: { rx, tx, number } }) => {
      const counts: Record<string, number> = { number };
      for (const [direction, { frames, octets, discards }] of Object.entries({ rx, tx })) {
        counts[`${direction} frames`] = frames;
        counts[`${direction} octets`] = octets;
        for (const reason of DISCARD_REASONS) {
          if (discards[reason] > 0) counts[`${direction} ${reason}`] = discards[reason];
        }
      }
      return counts;
    });
  }

  /** The entries of the filtering database, as text. */
  get entries(): string[] {
    const entries = [...this.bridge.fdbEntries(this.nowMs)];
    return entries.map(({ vid, mac, port, seenMs }) => `${vid} ${mac} ${port.number} ${seenMs}`).sort();
  }

  get #hasArrived(): boolean {
    return this.places.every(
      ({ heard, bridgePort, formerFrames }) => heard.length === formerFrames + bridgePort.tx.frames,
    );
  }

  #plug(port: Port, far: Port): void {
    const place: Place = { port, far, heard: [], bridgePort: this.bridge.attach(port), formerFrames: 0 };
    this.places.push(place);
    port.open({
      receive: (batch) => {
        this.delivered += batch.count;
        return this.bridge.receive(place.bridgePort, batch, this.nowMs);
      },
      linkChanged: (state, reason) => this.bridge.setLink(place.bridgePort, state, reason),
      discarded: (direction, reason, frames) => place.bridgePort[direction].discard(reason, frames),
    });
    const events: PortEvents = {
      receive: (batch) => this.#hear(place, batch),
      linkChanged: () => undefined,
      discarded: (direction, reason) => assert.fail(`the far end of ${port.target}: ${direction} ${reason}`),
    };
    far.open(events);
  }

  /** Finishes super-frames first, since a device may have merged more or fewer segments. */
  #hear(place: Place, batch: FrameBatch): undefined {
    for (let index = 0; index < batch.count; index++) {
      this.#finished.clear();
      portableEngine.check(batch, index);
      assert.equal(portableEngine.finish(batch, index, this.#finished), undefined);
      place.heard.push(...framesOf(this.#finished));
    }
  }
}

function nodeAt(place: number): string {
  return `node${place}`;
}

function seenBy({ rx }: BridgePort): number {
  return Object.values(rx.discards).reduce((sum, discards) => sum + discards, rx.frames);
}

async function openTap(t: TestContext, name: string): Promise<[Port, Port]> {
  const port = await TapPort.open(name);
  t.after(() => port.close());
  const far = await NetdevPort.open(port.target);
  t.after(() => far.close());
  return [port, far];
}

async function openTunnel(t: TestContext, place: number): Promise<[Port, Port]> {
  const { accepted, dialled } = await nativePair();
  const transport = NativeTransport.adopt(accepted, Buffer.alloc(0));
  assert.ok(transport !== undefined, 'native code does not take the connection');
  const peer: TunnelPeer = {
    instance: 'f'.repeat(22),
    tunnelId: `tunnel-${place}`,
    rank: place,
    isParallelAllowed: place < PARALLEL_FROM || place >= NODES_FROM,
    isDialled: false,
    user: null,
  };
  const limits = { closeTimeoutMs: 200 };
  const meshNode = place < NODES_FROM ? undefined : nodeAt(place);
  const port = new TunnelPort({ type: 'server', target: 'peer', transport, wire: 'batched', limits, peer, meshNode });
  const far = nativePort(dialled, 'client');
  t.after(() => Promise.all([far.close(), port.close()]));
  return [port, far];
}
