import type { BridgePort } from '../bridge/bridge-port.ts';
import type { IngressPolicy } from '../bridge/ingress-policy.ts';
import { formatMacAddress, type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';

/** The most claimed addresses of a port that follow its client, since each is a part of a row that all nodes have. */
const MOST = 64;
/**
 * What is not used for so long is no longer kept for the client. Only until then may entries that other nodes still tell of its
 * former port stand against it: the default ageing time.
 */
const KEPT_MS = 300_000;

const timers = new WeakMap<IngressPolicy, NodeJS.Timeout>();

/** The source addresses that a port has claimed by its policy, those first that it claimed first. */
export function claimsAt({ policy }: BridgePort): string[] {
  if (policy === undefined) return [];
  return [...policy.claimed, ...policy.brought].slice(0, MOST).map((source) => formatMacAddress(source));
}

/** Keeps the addresses for a port that its client has claimed at another node. Without a policy that lets it claim there are none. */
export function bringClaims({ policy }: BridgePort, claims: readonly string[], node: string): void {
  if (claims.length === 0 || policy === undefined) return;
  policy.bring(
    claims.slice(0, MOST).map((text): MacAddress => parseMacAddress(text)),
    node,
  );
  clearTimeout(timers.get(policy));
  timers.set(policy, setTimeout(() => policy.dropBrought(), KEPT_MS).unref());
}
