import type { BridgePort } from '../bridge/bridge-port.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';
import type { AttachedPort, PortLabels } from './attached-port.ts';
import { settingsOf } from './bridge-port-settings.ts';
import { factsOf } from './log-facts.ts';
import type { SwitchLogs } from './network-parts.ts';
import type { PortDirectory } from './port-directory.ts';

export interface PortAdministrationParts {
  readonly directory: PortDirectory;
  readonly logs: SwitchLogs;
  /** The labels or settings of a port are others now. */
  readonly changed: (port: BridgePort) => void;
  /** The state of a port may be another one. */
  readonly stateChanged: (port: BridgePort) => void;
}

/** What an operator changes at the ports of a switch: their labels, their settings, and whether they are in service. */
export class PortAdministration {
  readonly #parts: PortAdministrationParts;

  constructor(parts: PortAdministrationParts) {
    this.#parts = parts;
  }

  /** Changes the name and description of a port; absent labels stay unchanged. @throws EtherwsError PORT_NOT_FOUND, PORT_NAME_TAKEN */
  setLabels(reference: number | string, labels: PortLabels): void {
    const { directory, changed } = this.#parts;
    const attached = directory.find(reference);
    directory.label(attached, labels);
    attached.network.portChanged(attached.bridgePort);
    changed(attached.bridgePort);
  }

  /** Changes settings of a bridge port; absent ones stay unchanged. @throws EtherwsError PORT_NOT_FOUND */
  setValues(reference: number | string, values: BridgePortValues): void {
    const attached = this.#parts.directory.find(reference);
    if (attached.changeValues(values)) this.#applyValues(attached);
  }

  /** To be called when what `AttachOptions.otherwise` of these ports returns may have changed. */
  settingsChanged(ports: Iterable<AttachedPort>): void {
    for (const attached of ports) if (attached.changeValues()) this.#applyValues(attached);
  }

  /** A shut port neither receives nor sends. @param reference its number or its name. @throws EtherwsError PORT_NOT_FOUND */
  setShut(reference: number | string, isShut: boolean): BridgePort {
    const { directory, logs, stateChanged } = this.#parts;
    const attached = directory.find(reference);
    const { bridgePort } = attached;
    attached.network.bridge.setShut(bridgePort, isShut);
    logs.all.info(factsOf(attached), isShut ? 'port shut' : 'port opened');
    stateChanged(bridgePort);
    return bridgePort;
  }

  #applyValues(attached: AttachedPort): void {
    const { bridgePort, network, values } = attached;
    network.bridge.setSettings(bridgePort, settingsOf(values));
    network.portChanged(bridgePort);
    this.#parts.changed(bridgePort);
    this.#parts.logs.all.info({ ...factsOf(attached), settings: values }, 'port settings changed');
  }
}
