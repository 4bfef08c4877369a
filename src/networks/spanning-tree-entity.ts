import type { BridgePort } from '../bridge/bridge-port.ts';
import { BridgeTree } from '../bridge/spanning-tree/bridge-tree.ts';
import type { SpanningTreeEvent } from '../bridge/spanning-tree/spanning-tree.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import { formatBridgeId } from '../wire/bpdu/bridge-id.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';

/** The spanning tree of a network. A network without ports, or with `stp: off`, has none. */
export class SpanningTreeEntity implements NetworkEntity {
  readonly #host: EntityHost;
  #settings: NetworkSettings | undefined;
  #tree: BridgeTree | undefined;

  constructor(host: EntityHost) {
    this.#host = host;
  }

  /** undefined: it is off, or the network has had no port yet */
  get tree(): BridgeTree | undefined {
    return this.#tree;
  }

  configure(settings: NetworkSettings): void {
    this.#settings = settings;
    if (settings.stp === 'off') this.close();
    else if (this.#tree !== undefined) this.#tree.tree.configure(treeSettings(settings));
    else if (this.#host.bridge.ports.size > 0) {
      this.#start(settings);
      for (const port of this.#host.bridge.eachPort()) this.portChanged(port);
    }
  }

  portAdded(port: BridgePort): void {
    if (this.#tree !== undefined) this.#tree.portAdded(port);
    else if (this.#settings?.stp === 'on') this.#start(this.#settings);
  }

  portChanged(port: BridgePort): void {
    this.#tree?.portChanged(port);
  }

  portRemoved(port: BridgePort): void {
    this.#tree?.portRemoved(port);
  }

  tick(nowMs: number): void {
    this.#tree?.tick(nowMs);
  }

  close(): void {
    this.#tree?.end();
    this.#tree = undefined;
  }

  #start(settings: NetworkSettings): void {
    const options = { ...treeSettings(settings), address: this.#host.address };
    this.#tree = new BridgeTree(this.#host.bridge, options, {
      stateChanged: (port) => this.#host.portChanged(port),
      happened: (event) => this.#happened(event),
    });
  }

  #happened(event: SpanningTreeEvent): void {
    const { logger } = this.#host;
    switch (event.kind) {
      case 'topologyChange':
        logger.info({ port: event.port, detected: event.isDetected }, 'topology change');
        // Members of groups may be behind other ports now.
        this.#host.bridge.multicast?.topologyChanged();
        this.#host.publish('topology-change', { port: event.port, detected: event.isDetected });
        break;
      case 'bpduGuard':
        logger.warn({ port: event.port }, 'a BPDU has come to a port with BPDU guard, which is disabled');
        this.#host.publish('bpdu-guard', { port: event.port });
        break;
      case 'rootChanged': {
        const facts = { root: formatBridgeId(event.rootId), ...(event.port === undefined ? {} : { port: event.port }) };
        logger.info(facts, 'another root of the spanning tree');
        this.#host.publish('root-changed', facts);
      }
    }
  }
}

function treeSettings({ priority, helloTime, maxAge, forwardDelay }: NetworkSettings) {
  return { priority, helloTime, maxAge, forwardDelay };
}
