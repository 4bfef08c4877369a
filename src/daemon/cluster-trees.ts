import { AbsentOwners } from '../cluster/absent-owners.ts';
import type { ClusterTable } from '../cluster/cluster-store.ts';
import { PortNumberBlocks } from '../cluster/port-number-blocks.ts';
import type { Network } from '../networks/network.ts';
import { ownAddress } from '../networks/own-address.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';

export interface ClusterTreesParts {
  readonly cluster: string;
  readonly node: string;
  /** the table `config` */
  readonly table: ClusterTable;
  readonly isMember: (node: string) => boolean;
  /** as of AbsentOwnersOptions */
  readonly isKeeper: () => boolean;
  readonly etherSwitch: Switch;
  readonly logger: Logger;
}

/**
 * Makes the spanning tree of each network one bridge with those of the other nodes: the same address in the bridge
 * identifier, made of the names of the cluster and the network, and port numbers that no other node uses.
 */
export class ClusterTrees {
  readonly #parts: ClusterTreesParts;
  readonly #blocks = new Map<Network, PortNumberBlocks>();
  /** of removed networks, by name, until the store has the blocks back */
  readonly #released = new Map<string, PortNumberBlocks>();
  readonly #absent: AbsentOwners;
  readonly #stop: () => void;

  constructor(parts: ClusterTreesParts) {
    this.#parts = parts;
    const { etherSwitch, table, isMember, isKeeper, logger } = parts;
    const onFreed = (node: string, key: string): void => {
      logger.info({ node, key }, 'the port numbers of a node that is long gone are free');
    };
    this.#absent = new AbsentOwners({ table, isMember, isKeeper, onFreed });
    for (const network of etherSwitch.networks) this.#add(network);
    this.#stop = etherSwitch.events.subscribe(() => this.#follow(), ['network-added', 'network-removed']);
  }

  close(): void {
    this.#stop();
    this.#absent.close();
    for (const blocks of [...this.#blocks.values(), ...this.#released.values()]) blocks.close();
    this.#blocks.clear();
    this.#released.clear();
  }

  #follow(): void {
    const { etherSwitch } = this.#parts;
    const present = new Set(etherSwitch.networks);
    for (const [network, blocks] of this.#blocks) {
      if (present.has(network)) continue;
      this.#blocks.delete(network);
      // One that was removed and made again since the last events is another network of the same name, and has its blocks.
      if (etherSwitch.hasNetwork(network.name)) blocks.close();
      else this.#release(network.name, blocks);
    }
    for (const network of present) if (!this.#blocks.has(network)) this.#add(network);
  }

  #release(name: string, blocks: PortNumberBlocks): void {
    this.#released.set(name, blocks);
    void blocks.release().then(() => {
      if (this.#released.get(name) === blocks) this.#released.delete(name);
    });
  }

  #add(network: Network): void {
    const { cluster, node, table, isMember, logger } = this.#parts;
    const { name } = network;
    this.#released.get(name)?.close();
    this.#released.delete(name);
    const warn = (reason: string): void => logger.warn({ network: name }, reason);
    const blocks = new PortNumberBlocks({ table, node, network: name, isMember, warn });
    this.#blocks.set(network, blocks);
    const { mesh, spanningTree } = network.entities;
    mesh.setSelf(node);
    spanningTree.setCluster({
      address: ownAddress(`cluster\0${cluster}`, name),
      portNumbers: blocks,
      onNumbers: (listener) => blocks.onNumbers(listener),
    });
  }
}
