import type { BridgePort } from '../bridge/bridge-port.ts';
import { LazyMap } from '../bridge/lazy-map.ts';
import { LazySet } from '../bridge/lazy-set.ts';
import type { MirrorSpec } from '../bridge/mirror/mirrors.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';

/**
 * Leads the mirrors of a bridge to what ports and the network want. A port that is named as the place of copies need not
 * be there: the mirror begins when it comes, ends when it is removed, and follows a name to another port.
 */
export class MirrorEntity implements NetworkEntity {
  readonly #host: EntityHost;
  readonly #outputChanged: (port: BridgePort, nowMs: number) => void;
  /** The ports with a mirror of their own. */
  readonly #wanting = new LazySet<BridgePort>();
  /** The mirrors that the bridge has now. */
  readonly #present = new LazyMap<BridgePort, readonly MirrorSpec[]>();
  readonly #outputs = new LazySet<BridgePort>();
  /** The port for copies of the whole network; empty for none. */
  #networkTo = '';

  /** @param outputChanged called for a port that is reserved for copies now, or no longer */
  constructor(host: EntityHost, outputChanged: (port: BridgePort, nowMs: number) => void) {
    this.#host = host;
    this.#outputChanged = outputChanged;
  }

  configure({ mirrorTo }: NetworkSettings, nowMs: number): void {
    this.#networkTo = mirrorTo;
    this.#apply(nowMs);
  }

  portAdded(port: BridgePort, nowMs: number): void {
    this.portChanged(port, nowMs);
  }

  portChanged(port: BridgePort, nowMs: number): void {
    if (port.settings.mirrorTo === '') this.#wanting.delete(port);
    else this.#wanting.add(port);
    this.#apply(nowMs);
  }

  portRemoved(port: BridgePort, nowMs: number): void {
    this.#wanting.delete(port);
    this.#present.delete(port);
    this.#outputs.delete(port);
    // The bridge has ended the mirrors to it.
    for (const [source, specs] of this.#present) {
      if (specs.some(({ to }) => to === port)) this.#present.set(source, []);
    }
    this.#apply(nowMs);
  }

  #apply(nowMs: number): void {
    if (this.#wanting.size === 0 && this.#networkTo === '' && this.#present.size === 0) return;
    const { bridge } = this.#host;
    const ofAll = this.#networkTo === '' ? undefined : this.#host.portCalled(this.#networkTo);
    for (const port of ofAll === undefined ? new Set([...this.#wanting, ...this.#present.keys()]) : bridge.eachPort()) {
      const specs = this.#specsOf(port, ofAll);
      if (isSame(specs, this.#present.get(port) ?? [])) continue;
      bridge.setMirrors(port, specs);
      if (specs.length === 0) this.#present.delete(port);
      else this.#present.set(port, specs);
    }
    this.#tellOutputs(nowMs);
  }

  #specsOf(port: BridgePort, ofAll: BridgePort | undefined): MirrorSpec[] {
    const { mirrorTo, mirrorDirection, mirrorVlans } = port.settings;
    const own = mirrorTo === '' ? undefined : this.#host.portCalled(mirrorTo);
    const specs: MirrorSpec[] = [];
    if (own !== undefined) specs.push({ to: own, direction: mirrorDirection, vids: mirrorVlans });
    if (ofAll !== undefined) specs.push({ to: ofAll, direction: 'both', vids: undefined });
    return specs.filter(({ to }) => to !== port);
  }

  #tellOutputs(nowMs: number): void {
    for (const port of this.#host.bridge.eachPort()) {
      if (port.isMirrorOutput === this.#outputs.has(port)) continue;
      if (port.isMirrorOutput) this.#outputs.add(port);
      else this.#outputs.delete(port);
      this.#outputChanged(port, nowMs);
      this.#host.portChanged(port);
    }
  }
}

function isSame(one: readonly MirrorSpec[], other: readonly MirrorSpec[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ to, direction, vids }, at) => {
      const spec = other[at] as MirrorSpec;
      return to === spec.to && direction === spec.direction && String(vids) === String(spec.vids);
    })
  );
}
