/**
 * The payload of the ping by which one end tells the other that a parallel
 * tunnel was lost and that this one forwards now (docs/reference/protocol.md, Which
 * switch): these words and the id of the lost tunnel.
 */
const WORDS = 'etherws lost ';
const ID: RegExp = /^[A-Za-z0-9_-]{22,64}$/;

export function formatTunnelLoss(tunnelId: string): Buffer {
  return Buffer.from(WORDS + tunnelId);
}

/** @returns the id; undefined for the payload of any other ping */
export function parseTunnelLoss(payload: Buffer): string | undefined {
  if (payload.length <= WORDS.length) return undefined;
  const text = payload.toString('latin1');
  const tunnelId = text.slice(WORDS.length);
  return text.startsWith(WORDS) && ID.test(tunnelId) ? tunnelId : undefined;
}
