import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import { isServerForbidden } from '../server-kinds.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * DHCP guard and RA guard (RFC 7610, RFC 6105) of a port, as the policy of a user has them for a tunnel. The frames that
 * are refused never match a flow.
 */
export class ServerGuard implements Stage {
  isUsedBy({ settings }: BridgePort): boolean {
    return settings.hasDhcpGuard || settings.hasRaGuard;
  }

  apply(pass: Pass): Answer {
    return this.isUsedBy(pass.ingress) ? this.#judge(pass) : MAY_PASS;
  }

  #judge({ ingress, batch, start, length }: Pass): Answer {
    const { hasDhcpGuard, hasRaGuard } = ingress.settings;
    return isServerForbidden(batch.bytes, start, length, hasDhcpGuard, hasRaGuard) ? 'serverDenied' : MAY_PASS;
  }
}
