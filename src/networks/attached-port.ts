import type { BridgePort } from '../bridge/bridge-port.ts';

/** How the operator calls a port; without effect on frames. */
export interface PortLabels {
  /** unique in its switch; begins with a letter; `''`: none */
  readonly name?: string;
  /** one line; `''`: none */
  readonly description?: string;
}

/** How a port comes to a switch. */
export interface AttachOptions extends PortLabels {
  /** Called once the port has its number, and before anything comes in. */
  readonly attached?: (port: BridgePort) => void;
  /** Called when it is no port any more. */
  readonly dropped?: (port: BridgePort) => void;
}

/** What a switch knows of one of its ports, beside what its bridge does. */
export class AttachedPort {
  readonly bridgePort: BridgePort;
  readonly dropped: ((port: BridgePort) => void) | undefined;
  /** undefined: it has none */
  name: string | undefined;
  description: string | undefined;

  constructor(bridgePort: BridgePort, { name, description, dropped }: AttachOptions) {
    this.bridgePort = bridgePort;
    this.dropped = dropped;
    this.name = name || undefined;
    this.description = description || undefined;
  }
}
