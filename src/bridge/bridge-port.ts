import { Counters } from './counters.ts';
import type { IngressPolicy } from './ingress-policy.ts';
import type { LinkState, Port } from './port.ts';

declare const brand: unique symbol;

/** A bridge port's number: 1 and upward, never used again while the bridge lives. */
export type PortNumber = number & { readonly [brand]: 'PortNumber' };

/** What the bridge knows of one attached port. */
export class BridgePort {
  readonly number: PortNumber;
  readonly port: Port;
  readonly rx: Counters = new Counters();
  readonly tx: Counters = new Counters();
  isShut = false;
  /** What may come in; undefined: everything. */
  policy: IngressPolicy | undefined;
  link: LinkState = 'up';
  /** Why the link is not up; undefined while it is. */
  linkReason: string | undefined;
  /** The last batch that touched this port: tells a first frame from a further one without a set. */
  touchedBy = 0;

  /** The only port that this one's frames went to since `soleSinceMs`; undefined: there was none, or several. */
  soleEgress: BridgePort | undefined;
  soleSinceMs = 0;

  constructor(number: PortNumber, port: Port) {
    this.number = number;
    this.port = port;
  }

  /** Whether frames may enter and leave by this port. */
  get isForwarding(): boolean {
    return !this.isShut && this.link === 'up';
  }
}
