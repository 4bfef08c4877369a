import type { BridgePort } from '../../bridge/bridge-port.ts';
import { LazyMap } from '../../bridge/lazy-map.ts';
import type { LoopDetection } from '../../bridge/loop-detection/loop-detection.ts';
import type { ReceivedProbe } from '../../wire/ethernet/loop-probe.ts';
import {
  decodeLoopFound,
  decodeLoopHeard,
  decodeLoopHello,
  decodeLoopShut,
  encodeLoopFound,
  encodeLoopHeard,
  encodeLoopShut,
  instanceText,
  LOOP_FOUND,
  LOOP_HEARD,
  LOOP_HELLO,
  LOOP_SHUT,
  type LoopEnd,
} from '../../wire/mesh/loop-messages.ts';
import type { MeshEntity, MeshParty } from './mesh-entity.ts';

/** How often a node repeats its hello, and how many times after the nodes have changed: what follows a link that comes up may be lost. */
const HELLO_MS = 5000;
const PROMPT_HELLOS = 6;
/** How often it does later: each goes to all nodes. */
export const LATER_HELLO_MS = 60_000;

export interface SharedLoopsParts {
  readonly mesh: Pick<MeshEntity, 'self' | 'send' | 'nodes' | 'join'>;
  readonly loops: LoopDetection;
  readonly portOf: (number: number) => BridgePort | undefined;
  /** A port was shut. @param other the port of the other node in the loop, as `r2/3` */
  readonly onShut: (port: BridgePort, other: string) => void;
}

/**
 * Loops between ports of two nodes of a cluster. A node that gets a probe of another one tells it by which port, and one of
 * the two decides, always the one with the lower name, so that not both shut a port: the port is shut that has been there
 * for the shorter time. Ages are compared, not times, since clocks of nodes need not agree.
 */
export class SharedLoops implements MeshParty {
  readonly #parts: SharedLoopsParts;
  /** The nodes by the instances in their probes. */
  readonly #nodes = new LazyMap<string, string>();
  readonly #sinceMs = new LazyMap<number, number>();
  #helloMs = Number.NEGATIVE_INFINITY;
  #promptHellos = PROMPT_HELLOS;
  #isOff = false;

  constructor(parts: SharedLoopsParts) {
    this.#parts = parts;
    parts.mesh.join(this);
  }

  nodesChanged(): void {
    this.#promptHellos = PROMPT_HELLOS;
    const present = new Set(this.#parts.mesh.nodes());
    for (const [instance, node] of this.#nodes) if (!present.has(node)) this.#nodes.delete(instance);
    for (const node of present) this.#sayHello(node);
  }

  messageReceived(kind: number, node: string, payload: Uint8Array, nowMs: number): void {
    switch (kind) {
      case LOOP_HELLO:
        this.#hello(node, payload);
        break;
      case LOOP_HEARD:
        this.#heard(node, payload, nowMs);
        break;
      case LOOP_FOUND:
        this.#found(node, payload, nowMs);
        break;
      case LOOP_SHUT:
        this.#shut(node, payload, nowMs);
    }
  }

  portAdded({ number }: BridgePort, nowMs: number): void {
    this.#sinceMs.set(number, nowMs);
  }

  portRemoved({ number }: BridgePort): void {
    this.#sinceMs.delete(number);
  }

  tick(nowMs: number): void {
    const isOff = this.#parts.loops.mode === 'off';
    if (isOff !== this.#isOff) this.#promptHellos = PROMPT_HELLOS;
    this.#isOff = isOff;
    if (nowMs - this.#helloMs < (this.#promptHellos > 0 ? HELLO_MS : LATER_HELLO_MS)) return;
    this.#helloMs = nowMs;
    if (this.#promptHellos > 0) this.#promptHellos--;
    for (const node of this.#parts.mesh.nodes()) this.#sayHello(node);
  }

  /** A probe that is none of this node has come by a port. @returns whether it is of another node */
  probed(probe: ReceivedProbe, by: BridgePort, nowMs: number): boolean {
    const node = this.#nodes.get(instanceText(probe.instance));
    if (node === undefined) return false;
    const heard = { probed: probe.port, nonce: probe.nonce, end: this.#endOf(by, nowMs) };
    this.#parts.mesh.send(LOOP_HEARD, encodeLoopHeard(heard), node);
    return true;
  }

  #sayHello(node: string): void {
    const { mesh, loops } = this.#parts;
    if (loops.mode !== 'off') mesh.send(LOOP_HELLO, loops.instance, node);
  }

  #hello(node: string, payload: Uint8Array): void {
    const instance = decodeLoopHello(payload);
    if (instance === undefined || this.#nodes.get(instance) === node) return;
    for (const [former, known] of this.#nodes) if (known === node) this.#nodes.delete(former);
    this.#nodes.set(instance, node);
    this.#sayHello(node);
  }

  #heard(node: string, payload: Uint8Array, nowMs: number): void {
    const heard = decodeLoopHeard(payload);
    const { mesh, loops } = this.#parts;
    const own = heard && loops.proberOf(heard.probed, heard.nonce, nowMs);
    if (heard === undefined || own === undefined) return;
    if (mesh.self < node) this.#decide(own, node, heard.end, nowMs);
    else mesh.send(LOOP_FOUND, encodeLoopFound({ by: heard.end.port, end: this.#endOf(own, nowMs) }), node);
  }

  #found(node: string, payload: Uint8Array, nowMs: number): void {
    const found = decodeLoopFound(payload);
    const own = found && this.#parts.portOf(found.by);
    if (found !== undefined && own !== undefined && this.#parts.mesh.self < node) {
      this.#decide(own, node, found.end, nowMs);
    }
  }

  #decide(own: BridgePort, node: string, other: LoopEnd, nowMs: number): void {
    const end = this.#endOf(own, nowMs);
    if (end.shut === 'other' || other.shut === 'other') return;
    const isYounger = other.shut === 'no' && end.ageMs < other.ageMs;
    if (end.shut !== 'off' && (end.shut === 'loop' || other.shut === 'off' || isYounger))
      this.#shutOwn(own, `${node}/${other.port}`, nowMs);
    else this.#parts.mesh.send(LOOP_SHUT, encodeLoopShut(other.port, own.number), node);
  }

  #shut(node: string, payload: Uint8Array, nowMs: number): void {
    const shut = decodeLoopShut(payload);
    const own = shut && this.#parts.portOf(shut.port);
    // Only the lower one decides.
    if (shut === undefined || own === undefined || this.#parts.mesh.self < node) return;
    this.#shutOwn(own, `${node}/${shut.other}`, nowMs);
  }

  #shutOwn(port: BridgePort, other: string, nowMs: number): void {
    if (port.meshNode === undefined && this.#parts.loops.shutFor(port, other, nowMs)) this.#parts.onShut(port, other);
  }

  #endOf(port: BridgePort, nowMs: number): LoopEnd {
    const { loops } = this.#parts;
    const isShut = port.protection !== undefined;
    const shut = loops.isHeld(port) ? 'loop' : isShut ? 'other' : loops.mode === 'off' ? 'off' : 'no';
    return { port: port.number, ageMs: nowMs - (this.#sinceMs.get(port.number) ?? 0), shut };
  }
}
