import { formatNodeList } from '../../../wire/tunnel/node-list.ts';
import type { TunnelPort } from '../tunnel-port.ts';

/** The URLs of other nodes, for clients that have dialled the segment `asked` behind the path of the service. */
export type NodesFor = (asked: string | undefined) => readonly string[];

/** Clients that are told in one turn of the event loop. */
const SLICE = 256;

/** Tells clients which other nodes of the cluster would take them. */
export class ToldNodes {
  readonly #nodesFor: NodesFor;
  readonly #tunnels = new Map<TunnelPort, string | undefined>();
  #version = 0;
  #isTelling = false;

  constructor(nodesFor: NodesFor) {
    this.#nodesFor = nodesFor;
  }

  /** To be called with a tunnel whose client follows redirects, and has a token that is good at all nodes. */
  add(tunnel: TunnelPort, asked: string | undefined): void {
    this.#tunnels.set(tunnel, asked);
    const urls = this.#nodesFor(asked);
    if (urls.length > 0) tunnel.tellNodes(formatNodeList(urls));
  }

  remove(tunnel: TunnelPort): void {
    this.#tunnels.delete(tunnel);
  }

  /** The nodes have changed. */
  changed(): void {
    this.#version++;
    if (!this.#isTelling) void this.#tell();
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    let version: number;
    do {
      version = this.#version;
      const lists = new Map<string | undefined, Buffer>();
      let told = 0;
      for (const [tunnel, asked] of this.#tunnels) {
        const list = lists.get(asked) ?? formatNodeList(this.#nodesFor(asked));
        lists.set(asked, list);
        tunnel.tellNodes(list);
        if (++told % SLICE === 0) await new Promise(setImmediate);
        if (version !== this.#version) break;
      }
    } while (version !== this.#version);
    this.#isTelling = false;
  }
}
