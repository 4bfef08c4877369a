/**
 * The header field of the opening handshake in which both ends identify their
 * switch (docs/reference/protocol.md, Which switch): parameters `NAME=VALUE`, separated by
 * semicolons. Unknown names are ignored, so later versions may add some.
 */
export const SWITCH_HEADER = 'Etherws-Switch';

const MAX_FIELD_BYTES = 1024;
/** At least 128 random bits; the upper bound limits what is stored for a peer. */
const ID: RegExp = /^[A-Za-z0-9_-]{22,64}$/;
const RANK: RegExp = /^\d{1,15}$/;

/** The contents of the field that one end sends. */
export interface SwitchField {
  /** Identifies the switch; chosen at random at each start. */
  readonly instance: string;
  /** Identifies the tunnel, and is known to its two ends only. Chosen by the client, so absent in a response. */
  readonly tunnelId: string | undefined;
  /** From a client: the highest rank that it knows. From a server: the rank of this tunnel, above all that both knew. */
  readonly rank: number;
  /** Whether the tunnel may forward beside others to the same switch. */
  readonly isParallelAllowed: boolean;
}

/** @returns undefined for a malformed field; it is then treated as absent */
export function parseSwitchField(text: string): SwitchField | undefined {
  if (text.length > MAX_FIELD_BYTES) return undefined;
  const parameters = new Map<string, string>();
  for (const parameter of text.split(';')) {
    const [name = '', value = ''] = parameter.split('=', 2);
    parameters.set(name.trim(), value.trim());
  }
  const instance = parameters.get('instance') ?? '';
  const rank = parameters.get('rank') ?? '';
  const tunnelId = parameters.get('tunnel');
  if (!ID.test(instance) || !RANK.test(rank)) return undefined;
  if (tunnelId !== undefined && !ID.test(tunnelId)) return undefined;
  return { instance, tunnelId, rank: Number(rank), isParallelAllowed: parameters.get('parallel') === 'allowed' };
}

export function formatSwitchField({ instance, tunnelId, rank, isParallelAllowed }: SwitchField): string {
  const parameters = [`instance=${instance}`];
  if (tunnelId !== undefined) parameters.push(`tunnel=${tunnelId}`);
  parameters.push(`rank=${rank}`);
  if (isParallelAllowed) parameters.push('parallel=allowed');
  return parameters.join('; ');
}
