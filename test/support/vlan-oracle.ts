import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { VlanMode } from '../../src/wire/ethernet/vlan-mode.ts';

/** A tag of the model: its TPID, and PCP with DEI (0 to 15) apart from the VID. */
export interface ModelTag {
  readonly tpid: number;
  readonly priority: number;
  readonly vid: number;
}

/** A frame of the model. The octets behind the tags are compared, not read. */
export interface ModelFrame {
  readonly destination: string;
  readonly source: string;
  readonly tags: readonly ModelTag[];
  /** hexadecimal, from the EtherType on */
  readonly rest: string;
}

export interface ModelPort {
  mode: VlanMode;
  pvid: number;
  vlans: ReadonlySet<number>;
  tpid: number;
}

/** What becomes of a frame: the frames that leave, by port; or why its ingress port refuses it. */
export type Outcome = { readonly sent: ReadonlyMap<number, ModelFrame> } | { readonly refused: string };

/**
 * The rules of IEEE 802.1Q-2022 for VLAN-aware bridge ports, and ours for transparent ones, as sets and lists without
 * octets: a second implementation, as slow as it is plain.
 */
export class VlanOracle {
  readonly ports: ModelPort[];
  readonly #stations = new Map<string, number>();

  constructor(ports: ModelPort[]) {
    this.ports = ports;
  }

  /** Gives a port other settings; the stations that were learned there are forgotten. */
  set(port: number, settings: ModelPort): void {
    this.ports[port] = settings;
    for (const [station, at] of this.#stations) if (at === port) this.#stations.delete(station);
  }

  /** VID, address and port of each station. */
  *stations(): IterableIterator<[vid: number, mac: MacAddress, port: number]> {
    for (const [station, at] of this.#stations) {
      const [vid, mac] = station.split(' ');
      yield [Number(vid), Number.parseInt(mac as string, 16) as MacAddress, at];
    }
  }

  receive(from: number, frame: ModelFrame): Outcome {
    const ingress = this.#at(from);
    const isTransparent = ingress.mode === 'transparent';
    const [outer, ...inner] = frame.tags;
    const tag = outer?.tpid === (isTransparent ? 0x8100 : ingress.tpid) ? outer : undefined;
    const hasVid = tag !== undefined && tag.vid !== 0;
    if (tag?.vid === 4095) return { refused: 'badVid' };
    if (!isTransparent) {
      // Acceptable frame types (6.9.1), then ingress filtering (8.6.2).
      if (hasVid && ingress.mode === 'access') return { refused: 'tagDenied' };
      if (!hasVid && ingress.mode === 'trunk') return { refused: 'tagMissing' };
    }
    const vid = tag !== undefined && hasVid ? tag.vid : isTransparent ? 0 : ingress.pvid;
    if (!memberSet(ingress).has(vid)) return { refused: 'vlanFiltered' };
    this.#stations.set(`${vid} ${frame.source}`, from);
    const known = this.#stations.get(`${vid} ${frame.destination}`);
    if (known === from) return { refused: 'filtered' };
    const sent = new Map<number, ModelFrame>();
    for (const to of this.ports.keys()) {
      if (to === from || (known !== undefined && known !== to)) continue;
      const egress = this.#at(to);
      if (!memberSet(egress).has(vid)) continue;
      if (isTransparent && egress.mode === 'transparent') {
        sent.set(to, frame);
        continue;
      }
      const others = tag === undefined ? frame.tags : inner;
      const tpid = egress.mode === 'transparent' ? 0x8100 : egress.tpid;
      const isUntagged = (egress.mode === 'access' || egress.mode === 'native') && vid === egress.pvid;
      const tags = isUntagged ? others : [{ tpid, priority: tag?.priority ?? 0, vid }, ...others];
      sent.set(to, { ...frame, tags });
    }
    return { sent };
  }

  #at(port: number): ModelPort {
    return this.ports[port] as ModelPort;
  }
}

/** The VIDs whose member sets the port is in; 0 stands for frames without a VID at a transparent port. */
function memberSet({ mode, pvid, vlans }: ModelPort): { has(vid: number): boolean } {
  switch (mode) {
    case 'transparent':
      return { has: () => true };
    case 'access':
      return new Set([pvid]);
    case 'trunk':
      return vlans;
    case 'native':
      return new Set([...vlans, pvid]);
  }
}

/** The octets of a frame of the model. */
export function octetsOf({ destination, source, tags, rest }: ModelFrame): Buffer {
  const words = tags.map(({ tpid, priority, vid }) => {
    const tag = Buffer.alloc(4);
    tag.writeUInt16BE(tpid);
    tag.writeUInt16BE((priority << 12) | vid, 2);
    return tag;
  });
  return Buffer.concat([Buffer.from(destination + source, 'hex'), ...words, Buffer.from(rest, 'hex')]);
}
