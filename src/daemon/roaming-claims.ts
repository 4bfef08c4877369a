import type { BridgePort } from '../bridge/bridge-port.ts';
import { formatMacAddress, type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';

/** The most claimed addresses of a port that follow its client, since each is a part of a row that all nodes have. */
const MOST = 64;

/** The source addresses that a port has claimed by its policy, those first that it claimed first. */
export function claimsAt({ policy }: BridgePort): string[] {
  if (policy === undefined) return [];
  return [...policy.claimed, ...policy.brought].slice(0, MOST).map((source) => formatMacAddress(source));
}

/** Keeps the addresses for a port that its client has claimed at another node. Without a policy that lets it claim there are none. */
export function bringClaims({ policy }: BridgePort, claims: readonly string[], node: string): void {
  if (claims.length > 0)
    policy?.bring(
      claims.slice(0, MOST).map((text): MacAddress => parseMacAddress(text)),
      node,
    );
}
