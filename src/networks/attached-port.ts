import { isDeepStrictEqual } from 'node:util';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { type BridgePortValues, layeredValues, ownValues } from '../schema/bridge-port-options.ts';
import type { Network } from './network.ts';
import { PortRates } from './port-rates.ts';

/** The name and description of a port, by the operator; they have no effect on frames. */
export interface PortLabels {
  /** unique in its switch; begins with a letter; `''`: none */
  readonly name?: string;
  /** one line; `''`: none */
  readonly description?: string;
}

/** The options of attaching a port. */
export interface AttachOptions extends PortLabels {
  /** the number that the port had before the switch was restarted (`Switch.reserveNumbers`) */
  readonly number?: number | undefined;
  /** The settings of the bridge port; absent ones are those of `otherwise`. */
  readonly values?: BridgePortValues;
  /** What the settings are that the port does not have for itself; asked again by `PortAdministration.settingsChanged`. Default: the defaults. */
  readonly otherwise?: () => BridgePortValues;
  /** The name of its network. Default: `default`. */
  readonly network?: string | undefined;
  /** The user of the tunnel's credentials; null if none were required. */
  readonly user?: string | null;
  /** Called when the port has its number, and before it receives anything. */
  readonly attached?: (port: BridgePort) => void;
  /** Called when the port was removed. */
  readonly dropped?: (port: BridgePort) => void;
}

/** One object for all ports without settings of their own. */
const NO_VALUES: BridgePortValues = {};

/** A port of a switch: the port of its bridge, its network, and its labels. */
export class AttachedPort {
  readonly bridgePort: BridgePort;
  readonly network: Network;
  readonly dropped: ((port: BridgePort) => void) | undefined;
  /** undefined without one */
  name: string | undefined;
  description: string | undefined;
  #own: BridgePortValues;
  #values: BridgePortValues;
  readonly #otherwise: () => BridgePortValues;
  readonly user: string | null | undefined;
  /** The state that subscribers of events know; a port emits no events before `isAnnounced`. */
  isAnnounced = false;
  wasForwarding = false;
  wasTunnelUp = false;
  readonly rates: PortRates;
  readonly #attachedMs: number;
  #state = '';
  #stateMs: number;
  #connectedMs: number;
  #connections: number;

  constructor(
    bridgePort: BridgePort,
    network: Network,
    { name, description, values = NO_VALUES, otherwise = noValues, user, dropped }: AttachOptions,
  ) {
    this.bridgePort = bridgePort;
    this.network = network;
    this.#otherwise = otherwise;
    const others = otherwise();
    this.#own = shared(ownValues(others, values));
    this.#values = shared(layeredValues(others, this.#own));
    this.user = user;
    this.dropped = dropped;
    this.name = name || undefined;
    this.description = description || undefined;
    this.#attachedMs = performance.now();
    this.rates = new PortRates(bridgePort.cells, this.#attachedMs);
    this.#stateMs = this.#attachedMs;
    this.#connectedMs = this.#attachedMs;
    this.#connections = bridgePort.link === 'up' ? 1 : 0;
  }

  /** The settings in force that are not the defaults. */
  get values(): BridgePortValues {
    return this.#values;
  }

  /** The settings that the port has for itself, whatever those of its network and its user are. */
  get ownValues(): BridgePortValues {
    return this.#own;
  }

  /**
   * Changes settings of the port itself. One with the value that the port has otherwise is none of its own any more.
   * To be called by `Switch` only.
   * @param change default: only `otherwise` has changed
   * @returns whether a setting in force has changed
   */
  changeValues(change: BridgePortValues = {}): boolean {
    const otherwise = this.#otherwise();
    const kept = Object.entries(this.#own).filter(([key]) => !Object.hasOwn(change, key));
    this.#own = { ...Object.fromEntries(kept), ...ownValues(otherwise, change) };
    const values = layeredValues(otherwise, this.#own);
    if (isDeepStrictEqual(values, this.#values)) return false;
    this.#values = values;
    return true;
  }

  /** The link came up, or continues on another connection. */
  noteConnection(): void {
    this.#connections++;
    this.#connectedMs = performance.now();
  }

  /** @param state as listport shows it */
  noteState(state: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#stateMs = performance.now();
  }

  /** The ages of the port, its state and its connection, and the number of its connections. */
  history(): {
    readonly ageMs: number;
    readonly stateMs: number;
    readonly connectedMs: number | undefined;
    readonly connections: number;
  } {
    const nowMs = performance.now();
    return {
      ageMs: nowMs - this.#attachedMs,
      stateMs: nowMs - this.#stateMs,
      connectedMs: this.bridgePort.link === 'up' ? nowMs - this.#connectedMs : undefined,
      connections: this.#connections,
    };
  }
}

function noValues(): BridgePortValues {
  return NO_VALUES;
}

function shared(values: BridgePortValues): BridgePortValues {
  return Object.keys(values).length === 0 ? NO_VALUES : values;
}
