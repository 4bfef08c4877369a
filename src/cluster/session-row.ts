import * as v from 'valibot';
import { BINDING_RECORD } from '../schema/binding-record.ts';
import { BRIDGE_PORT_OPTIONS } from '../schema/bridge-port-options.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import { objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { TUNNEL_RECORD } from '../schema/tunnel-record.ts';
import { anyText, flag, integer, listOf } from '../schema/types.ts';
import { stationAddress } from '../schema/values.ts';

/** A row of the table `sessions`: an accepted tunnel of one node. Its key is random, and stays when the client moves. */
const SESSION_ROW = {
  ...TUNNEL_RECORD,
  latest: { type: anyText, help: 'hash of the token of its client; absent for a client that cannot come back' },
  bindings: {
    type: listOf(objectOf(BINDING_RECORD)),
    help: 'the IP addresses that its stations may use, if its port is guarded',
  },
  claims: {
    type: listOf(stationAddress),
    help: 'the source addresses that its port has claimed, if the policy of its user has it claim them',
  },
  away: { type: flag, required: true, help: 'whether its port waits for its client' },
  node: { type: anyText, required: true, help: 'the node of its port' },
  generation: { type: integer(1), required: true, help: 'grows each time another node takes the session over' },
} as const satisfies Table;

export type SessionRow = ValuesOf<typeof SESSION_ROW>;

/** What a node says of a tunnel of its own; the rest of the row is of the sessions. */
export type SessionRecord = Omit<SessionRow, 'node' | 'generation'>;

const sessionRow = objectOf(SESSION_ROW);

/**
 * Reads a row that another node has written. What this version does not know is ignored, since nodes of two versions work
 * together during an upgrade.
 * @returns undefined for a removed row, and for one that is not valid
 */
export function readSessionRow(value: unknown): SessionRow | undefined {
  const known = onlyKnown(value, SESSION_ROW);
  if (known === undefined) return undefined;
  const { settings, bindings } = known;
  const result = v.safeParse(sessionRow, {
    ...known,
    ...(settings === undefined ? {} : { settings: onlyKnown(settings, BRIDGE_PORT_OPTIONS) }),
    ...(Array.isArray(bindings) ? { bindings: bindings.map((each) => onlyKnown(each, BINDING_RECORD)) } : {}),
  });
  return result.success ? result.output : undefined;
}

export function networkOf({ network = DEFAULT_NETWORK }: Pick<SessionRow, 'network'>): string {
  return network;
}

function onlyKnown(value: unknown, table: Table): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(table, key)));
}
