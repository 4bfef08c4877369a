import type { NodeAnnouncement } from './node-announcement.ts';

/**
 * The version of the announcements and of what nodes say on the mesh. Nodes of another one do not dial each other: from 2 on the
 * dialled node proves itself, too.
 */
export const CLUSTER_PROTOCOL = 2;

/** One word of a subject. */
const NODE_ID = /^[A-Za-z0-9_-]{1,63}$/;
const MOST_NETWORKS = 10_000;
const MOST_URL = 2048;

/** Where a node may be dialled: other texts must not come to those that dial, or send clients there. */
function isTunnelUrl(url: unknown): boolean {
  return typeof url === 'string' && url.length <= MOST_URL && /^(wss?|ws\+unix):/.test(url) && URL.canParse(url);
}

export function isNodeId(text: unknown): text is string {
  return typeof text === 'string' && NODE_ID.test(text);
}

/** @returns the announcement; undefined for a message that is none. Fields of later versions are kept. */
export function parseAnnouncement(message: unknown): NodeAnnouncement | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const said = message as Partial<NodeAnnouncement>;
  const { node, boot, sequence, url, version, networks, load, isDraining, detours } = said;
  const isWhole =
    isNodeId(node) &&
    typeof boot === 'string' &&
    boot !== '' &&
    typeof sequence === 'number' &&
    (url === null || isTunnelUrl(url)) &&
    typeof version === 'string' &&
    Array.isArray(networks) &&
    networks.length <= MOST_NETWORKS &&
    networks.every((name) => typeof name === 'string') &&
    typeof load === 'object' &&
    load !== null &&
    typeof isDraining === 'boolean' &&
    typeof detours === 'object' &&
    detours !== null;
  return isWhole ? (message as NodeAnnouncement) : undefined;
}
