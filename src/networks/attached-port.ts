import type { BridgePort } from '../bridge/bridge-port.ts';

/** The name and description of a port, by the operator; they have no effect on frames. */
export interface PortLabels {
  /** unique in its switch; begins with a letter; `''`: none */
  readonly name?: string;
  /** one line; `''`: none */
  readonly description?: string;
}

/** The options of attaching a port. */
export interface AttachOptions extends PortLabels {
  /** The user of the tunnel's credentials; null if none were required. */
  readonly user?: string | null;
  /** Called when the port has its number, and before it receives anything. */
  readonly attached?: (port: BridgePort) => void;
  /** Called when the port was removed. */
  readonly dropped?: (port: BridgePort) => void;
}

/** A port of a switch: the port of its bridge, and its labels. */
export class AttachedPort {
  readonly bridgePort: BridgePort;
  readonly dropped: ((port: BridgePort) => void) | undefined;
  /** undefined without one */
  name: string | undefined;
  description: string | undefined;
  readonly user: string | null | undefined;
  /** What subscribers of events were told last; nothing before the port is announced. */
  isAnnounced = false;
  wasForwarding = false;
  wasTunnelUp = false;

  constructor(bridgePort: BridgePort, { name, description, user, dropped }: AttachOptions) {
    this.bridgePort = bridgePort;
    this.user = user;
    this.dropped = dropped;
    this.name = name || undefined;
    this.description = description || undefined;
  }
}
