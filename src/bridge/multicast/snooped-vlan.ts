import type { Vid } from '../../wire/ethernet/vid.ts';
import type { IpFamily } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { MulticastTimers } from './multicast-settings.ts';
import { Querier } from './querier.ts';
import { type PortList, TimedPorts } from './timed-ports.ts';

/** What snooping knows of one family of addresses in one VLAN, beside the members: its queriers and its routers. */
export class SnoopedVlan implements PortList {
  readonly vid: Vid;
  readonly family: IpFamily;
  readonly querier: Querier;
  /** The ports that lead to multicast routers, by what was heard. */
  readonly routers: TimedPorts;
  /** The ports of unregistered groups and of reports: router ports. */
  targets: readonly BridgePort[] = [];
  targetsUntilMs: number = Number.NEGATIVE_INFINITY;
  targetsVersion = 0;

  constructor(vid: Vid, family: IpFamily, timers: MulticastTimers, onRoutersChanged: () => void) {
    this.vid = vid;
    this.family = family;
    this.querier = new Querier(timers);
    this.routers = new TimedPorts(onRoutersChanged);
  }

  forgetPort(port: BridgePort): void {
    this.routers.remove(port);
    this.querier.forgetPort(port);
  }

  /** Whether nothing is known, so that the object may go. */
  isIdle(nowMs: number): boolean {
    return this.routers.size === 0 && !this.querier.isOtherPresent(nowMs);
  }
}
