import { DEFAULT_PORT_SETTINGS, type SpanningTreePortSettings } from '../../src/bridge/spanning-tree/settings.ts';
import {
  SpanningTree,
  type SpanningTreeEvent,
  type SpanningTreeOptions,
} from '../../src/bridge/spanning-tree/spanning-tree.ts';
import type { PortState } from '../../src/bridge/spanning-tree/variables.ts';
import { EventQueue } from './event-queue.ts';
import type { Random } from './random.ts';

const SECOND_MS = 1000;

/** How frames travel on the segments of a virtual LAN. */
export interface Conditions {
  /** One of so many frames is lost; 0: none. */
  lossOneIn: number;
  /** The longest delay of a frame. Frames of one port to another keep their order. */
  maxDelayMs: number;
  /** Whether it is an error if a machine of any port has something left to do behind a BPDU. */
  mustSettle: boolean;
}

interface Attachment {
  readonly bridge: VirtualBridge;
  readonly port: VirtualPort;
}

/** A segment: what one port sends, all others hear. */
export class Segment {
  readonly name: string;
  readonly members: Attachment[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

export class VirtualPort {
  readonly number: number;
  segment: Segment | undefined;
  isUp = false;
  state: PortState = 'discarding';
  settings: SpanningTreePortSettings = DEFAULT_PORT_SETTINGS;
  /** The time of the last frame that was sent towards this port, so that frames keep their order. */
  lastArrivalMs = 0;

  constructor(number: number) {
    this.number = number;
  }
}

/** A bridge of a virtual LAN: a spanning tree, and the states of its ports. */
export class VirtualBridge {
  readonly lan: VirtualLan;
  readonly options: SpanningTreeOptions;
  /** What is added to its port numbers in port identifiers. */
  readonly portBase: number = 0;
  readonly ports: VirtualPort[] = [];
  readonly events: SpanningTreeEvent[] = [];
  tree: SpanningTree;
  isOn = true;
  /** Raised by each restart, so that ticks of the former life are ignored. */
  #life = 0;

  constructor(lan: VirtualLan, options: SpanningTreeOptions) {
    this.lan = lan;
    this.options = options;
    this.tree = this.#start();
  }

  /** The options of a start. */
  protected startOptions(): SpanningTreeOptions {
    return this.options;
  }

  /** Adds a port with the next number. It is up; without a segment it hears nothing. */
  addPort(segment?: Segment, settings: Partial<SpanningTreePortSettings> = {}): VirtualPort {
    const port = new VirtualPort(this.ports.length + 1);
    port.settings = { ...DEFAULT_PORT_SETTINGS, ...settings };
    this.ports.push(port);
    this.tree.addPort(port.number, port.settings);
    this.connect(port, segment);
    this.setUp(port, true);
    return port;
  }

  connect(port: VirtualPort, segment: Segment | undefined): void {
    const { segment: former } = port;
    if (former !== undefined) {
      former.members.splice(
        former.members.findIndex((member) => member.port === port),
        1,
      );
      this.lan.updatePointToPoint(former);
    }
    port.segment = segment;
    if (segment === undefined) return;
    segment.members.push({ bridge: this, port });
    this.lan.updatePointToPoint(segment);
  }

  setUp(port: VirtualPort, isUp: boolean): void {
    port.isUp = isUp;
    if (this.isOn) this.tree.setUp(port.number, isUp);
  }

  configure(port: VirtualPort, settings: Partial<SpanningTreePortSettings>): void {
    port.settings = { ...port.settings, ...settings };
    this.tree.configurePort(port.number, port.settings);
  }

  /** The nodes of the same bridge to which frames may pass. */
  openNodes(): Iterable<VirtualBridge> {
    return [];
  }

  /** Ends the bridge at once: it forwards and sends nothing. The links of its neighbours stay up. */
  stop(): void {
    this.isOn = false;
    this.#life++;
    for (const port of this.ports) port.state = 'discarding';
  }

  /** Starts the bridge with the settings of its start. */
  restart(): void {
    this.stop();
    this.isOn = true;
    this.tree = this.#start();
    for (const port of this.ports) {
      port.state = 'discarding';
      this.tree.addPort(port.number, port.settings);
      this.tree.setUp(port.number, port.isUp);
    }
  }

  #start(): SpanningTree {
    const life = this.#life;
    const tree = new SpanningTree(this.startOptions(), {
      transmit: (number, frame) => {
        if (this.#life === life) this.lan.carry(this.#port(number), frame);
      },
      setState: (number, state) => {
        if (this.#life !== life) return;
        this.#port(number).state = state;
        this.lan.stateChanged();
      },
      flush: () => undefined,
      happened: (event) => void this.events.push(event),
    });
    const tick = () => {
      if (this.#life !== life) return;
      tree.tick();
      this.lan.after(SECOND_MS, tick);
    };
    this.lan.after(this.lan.random.below(SECOND_MS), tick);
    return tree;
  }

  #port(number: number): VirtualPort {
    return this.ports[number - 1] as VirtualPort;
  }
}

/** Bridges and the segments between them on a virtual clock. The same seed gives the same run. */
export class VirtualLan {
  readonly random: Random;
  readonly conditions: Conditions;
  readonly bridges: VirtualBridge[] = [];
  readonly segments = new Map<string, Segment>();
  nowMs = 0;
  /** Called when a port has changed its state. */
  stateChanged: () => void = () => undefined;
  readonly #queue = new EventQueue();

  constructor(random: Random, conditions: Partial<Conditions> = {}) {
    this.random = random;
    this.conditions = { lossOneIn: 0, maxDelayMs: 5, mustSettle: true, ...conditions };
  }

  addBridge(options: SpanningTreeOptions): VirtualBridge {
    const bridge = new VirtualBridge(this, options);
    this.bridges.push(bridge);
    return bridge;
  }

  segment(name: string): Segment {
    const segment = this.segments.get(name) ?? new Segment(name);
    this.segments.set(name, segment);
    return segment;
  }

  after(delayMs: number, action: () => void): void {
    this.#queue.add(this.nowMs + delayMs, action);
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let next = this.#queue.takeUntil(endMs); next !== undefined; next = this.#queue.takeUntil(endMs)) {
      this.nowMs = next.atMs;
      next.action();
    }
    this.nowMs = endMs;
  }

  /** Carries a frame to all other ports of a segment, if the sender is up. */
  carry(sender: VirtualPort, frame: Uint8Array): void {
    if (!sender.isUp) return;
    for (const { bridge, port } of sender.segment?.members ?? []) {
      if (port === sender) continue;
      const { lossOneIn, maxDelayMs } = this.conditions;
      if (lossOneIn > 0 && this.random.once(lossOneIn)) continue;
      port.lastArrivalMs = Math.max(port.lastArrivalMs, this.nowMs + this.random.below(maxDelayMs + 1));
      this.#queue.add(port.lastArrivalMs, () => {
        if (bridge.isOn && port.isUp && port.segment === sender.segment) {
          bridge.tree.received(port.number, frame, 0, frame.length);
          if (this.conditions.mustSettle && bridge.tree.runAll()) throw new Error('a machine had more to do');
        }
      });
    }
  }

  /** A segment with two ports is a point-to-point link (IEEE 802.1D-2004, 6.4.3). */
  updatePointToPoint({ members }: Segment): void {
    for (const { bridge, port } of members) bridge.configure(port, { isPointToPoint: members.length <= 2 });
  }
}
