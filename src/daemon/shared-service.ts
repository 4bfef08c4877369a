import type { ClusterStore } from '../cluster/cluster-store.ts';
import { readKeptConfig } from '../cluster/kept-config.ts';
import { SharedConfig, type SharedState } from '../cluster/shared-config.ts';
import { POLICY_KEY } from '../cluster/shared-value.ts';
import type { ClusterControl } from '../control/cluster-entries.ts';
import { ClusterCalls, type OwnRights } from '../control/nodes/cluster-calls.ts';
import { NodeStreamServer } from '../control/nodes/node-stream-server.ts';
import { runHere } from '../control/nodes/run-here.ts';
import { SharedControl } from '../control/nodes/shared-control.ts';
import { describeError, EtherwsError } from '../errors.ts';
import { requireTimes } from '../networks/network-control.ts';
import type { Logger } from '../observability/logger.ts';
import { BUFFERS } from '../ports/stream/buffer-budget.ts';
import type { StateFile } from '../runtime/state-file.ts';
import { AllNodes } from './all-nodes.ts';
import type { ClusterService } from './cluster-service.ts';
import type { ConfiguredSwitch } from './configured-switch.ts';
import type { IngressPolicies } from './ingress-policies.ts';
import { checkSharedPolicy, rightsBy, type SharedPolicySource } from './shared-policy.ts';

const SECTION = 'cluster';
const PATIENCE_MS = 10_000;

export interface SharedServiceOptions {
  readonly store: ClusterStore;
  /** the name of this node */
  readonly node: string;
  /** all nodes that are known, this one included */
  readonly nodes: () => Iterable<string>;
  /** The nodes are the processes of one service: the one that asks by a stream has checked the rights of its caller. */
  readonly isOneService: boolean;
  readonly onChange: ClusterService['onChange'];
  readonly streams: ClusterService['streams'];
  readonly configured: ConfiguredSwitch;
  /** the policies in force, of `source` or of a file */
  readonly policies: IngressPolicies | undefined;
  /** undefined: this node has a policy of its own, `sw --policy` */
  readonly source: SharedPolicySource | undefined;
  /** undefined: what it knows ends with the process */
  readonly state: StateFile | undefined;
  readonly logger: Logger;
}

/** What a node has in common with the others of its cluster beside frames: networks, the policy, and calls to all. */
export class SharedService {
  readonly #options: SharedServiceOptions;
  readonly #config: SharedConfig;
  readonly #calls: ClusterCalls;
  #streams: NodeStreamServer | undefined;
  /** the commands of the control API */
  readonly control: ClusterControl;

  /** @throws EtherwsError STATE_INVALID */
  constructor(options: SharedServiceOptions) {
    const { store, node, nodes, isOneService, onChange, streams, configured, policies, state, logger } = options;
    this.#options = options;
    const rights: OwnRights = {
      mayCall: (user, method) => policies?.mayCall(user, method) ?? true,
      networksOf: (user) => policies?.controlledBy(user),
    };
    this.#calls = new ClusterCalls({ ...{ store, node, nodes, logger, rights }, run: runHere(configured) });
    const shared = new SharedControl({ store, checkNetwork: requireTimes, checkPolicy: checkSharedPolicy, rightsBy });
    const all = new AllNodes({ node, nodes, onChange, open: streams.openStream, service: configured });
    this.control = Object.assign(shared, {
      call: this.#calls.call.bind(this.#calls),
      capture: all.capture.bind(all),
      subscribe: all.subscribe.bind(all),
    });
    streams.serveStreams((parts) => {
      const common = { ...parts, service: configured, budget: BUFFERS, logger };
      this.#streams = new NodeStreamServer({ ...common, rights: isOneService ? undefined : rights });
      return this.#streams;
    });
    this.#config = new SharedConfig({
      ...{ store, logger },
      kept: state?.readAs(SECTION, readKeptConfig),
      keep: () => void this.#keep(),
      receiver: {
        network: (name, settings) => this.#network(name, settings),
        policy: ({ text }) => this.#policy(text),
      },
    });
  }

  /**
   * Resolves when the networks and the policy are in force: nothing may be admitted before.
   * @throws EtherwsError CLUSTER_UNAVAILABLE, CONFIG_INVALID
   */
  async ready(timeoutMs: number = PATIENCE_MS): Promise<void> {
    const { store, source, configured } = this.#options;
    await this.#config.ready(timeoutMs);
    if (source === undefined && store.table('config').get(POLICY_KEY)?.value !== undefined) throw twoPolicies();
    configured.cluster = this.control;
  }

  /** The revision that this node runs on, and since when it has no store. */
  get state(): SharedState {
    return this.#config.state;
  }

  close(): void {
    this.#options.configured.cluster = undefined;
    this.#calls.close();
    this.#streams?.close();
    this.#config.close();
  }

  /** At once, since a node that starts without the store must not admit clients by a former policy. */
  async #keep(): Promise<void> {
    const { state, logger } = this.#options;
    try {
      await state?.keep(SECTION, this.#config.section());
    } catch (error) {
      logger.error(
        { reason: describeError(error) },
        'Cannot keep what the cluster has; a restart without the store will lose it',
      );
    }
  }

  async #network(name: string, settings: Parameters<ConfiguredSwitch['networks']['share']>[1]): Promise<void> {
    const ports = await this.#options.configured.networks.share(name, settings);
    const { logger } = this.#options;
    if (settings !== null) logger.info({ network: name }, 'a network of the cluster is in force');
    else if (ports > 0)
      logger.warn({ network: name, ports }, 'the cluster has removed a network: its ports are closed');
    else logger.info({ network: name }, 'the cluster has removed a network');
  }

  async #policy(text: string): Promise<void> {
    const { source, policies, logger } = this.#options;
    if (source === undefined) throw twoPolicies();
    source.set(text);
    await policies?.refresh();
    logger.info({}, 'the policy of the cluster is in force');
  }
}

function twoPolicies(): EtherwsError {
  return new EtherwsError('CONFIG_INVALID', 'The cluster has a policy, and this node has one of its own', {
    hint: 'Give either: leave --policy out, or set the policy of all nodes with ctl --cluster policy set FILE',
  });
}
