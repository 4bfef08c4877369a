import { isGroupAddress } from '../../wire/ethernet/mac-address.ts';
import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, EgressStage } from './stage.ts';

const BROADCAST = 0xffff_ffff_ffff;

/**
 * Keeps flooded frames from egress ports that are set not to get them: bridge(8) has the settings as `flood`,
 * `mcast_flood` and `bcast_flood`. Flooded frames take no flow, so the permit is of no effect.
 */
export class FloodControl implements EgressStage {
  apply(pass: Pass, egress: BridgePort): Answer {
    return pass.egress !== undefined || egress.floodsAll ? MAY_PASS : this.#judge(pass, egress);
  }

  #judge({ destination, members }: Pass, { settings }: BridgePort): Answer {
    // A frame to known members and router ports is not flooded.
    if (members !== undefined) return MAY_PASS;
    if (!isGroupAddress(destination)) return settings.floodsUnicast ? MAY_PASS : 'floodOff';
    if (destination === BROADCAST) return settings.floodsBroadcast ? MAY_PASS : 'floodOff';
    return settings.floodsMulticast ? MAY_PASS : 'floodOff';
  }
}
