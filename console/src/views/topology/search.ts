import { idOf } from './graph.ts';
import type { Tables } from './tables.ts';

const MOST_MATCHES = 20;
/** So many hexadecimal digits are looked for in MAC addresses; fewer would match too much. */
const LEAST_DIGITS = 4;

/** Ids of nodes that match, the best first. */
export interface Matches {
  readonly ids: readonly string[];
  /** whether there are more than `ids` has */
  readonly isMore: boolean;
}

/**
 * Finds networks, ports, neighbours and stations by a MAC address in any notation, an IP address, or a part of a name.
 * A whole address or name is better than a beginning, and that is better than a part.
 */
export function search(tables: Tables, text: string, most: number = MOST_MATCHES): Matches {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return { ids: [], isMore: false };
  const digits = hexOf(wanted);
  const found: [rank: number, id: string][] = [];
  const consider = (id: string, words: readonly (string | null | undefined)[]): void => {
    const rank = rankOf(wanted, digits, words);
    if (rank < NONE) found.push([rank, id]);
  };
  for (const { network } of tables.networks.values()) consider(idOf.network(network), [network]);
  for (const { port, name, description, target, url, type, meshNode } of tables.ports.values()) {
    if (meshNode !== undefined) {
      consider(idOf.member(meshNode), [meshNode, String(port), `port ${port}`, target]);
      continue;
    }
    consider(idOf.port(port), [String(port), `port ${port}`, name, description, target, url, type]);
  }
  for (const { network, chassis, system, neighborPort, managementAddresses } of tables.neighbors.values()) {
    consider(idOf.neighbor(network, chassis), [system, chassis, neighborPort, ...managementAddresses]);
  }
  for (const [key, { mac, hostname, vendor, addresses = [] }] of tables.stations) {
    consider(idOf.station(key), [hostname, mac, ...addresses, vendor]);
  }
  found.sort(([one], [other]) => one - other);
  const ids = [...new Set(found.map(([, id]) => id))];
  return { ids: ids.slice(0, most), isMore: ids.length > most };
}

const [WHOLE, BEGINNING, PART, NONE] = [0, 1, 2, 3] as const;

function rankOf(wanted: string, digits: string, words: readonly (string | null | undefined)[]): number {
  let best: number = NONE;
  for (const word of words) {
    if (word === null || word === undefined || word === '') continue;
    const lower = word.toLowerCase();
    best = Math.min(best, rankIn(lower, wanted));
    if (digits !== '' && MAC.test(lower)) best = Math.min(best, rankIn(lower.replaceAll(':', ''), digits));
    if (best === WHOLE) break;
  }
  return best;
}

function rankIn(text: string, wanted: string): number {
  // A number is found as a whole: port 3 is not port 13.
  if (text === wanted) return WHOLE;
  const at = text.indexOf(wanted);
  if (at < 0) return NONE;
  if (/^\d+$/.test(wanted) && /^(port )?\d+$/.test(text)) return NONE;
  return at === 0 ? BEGINNING : PART;
}

const MAC = /^(?:[\da-f]{2}:){5}[\da-f]{2}$/;

/** The digits of a MAC address, or of a part of one, in the notations of Linux, Windows and Cisco; `''` for other text. */
function hexOf(text: string): string {
  if (!/^[\da-f][\da-f:.-]*$/.test(text)) return '';
  const digits = text.replaceAll(/[:.-]/g, '');
  return digits.length >= LEAST_DIGITS && digits.length <= 12 ? digits : '';
}
