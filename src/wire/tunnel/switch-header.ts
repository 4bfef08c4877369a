/**
 * The header field of the opening handshake in which both ends say which switch
 * they are (docs/reference/protocol.md, Which switch): parameters `NAME=VALUE`, separated by
 * semicolons. Names that are not known are ignored, so that more may follow.
 */
export const SWITCH_HEADER = 'Etherws-Switch';

const MAX_FIELD_BYTES = 1024;
/** 128 random bits and more; the upper bound keeps a peer from making us hold whatever it sends. */
const ID: RegExp = /^[A-Za-z0-9_-]{22,64}$/;
const RANK: RegExp = /^\d{1,15}$/;

/** What one end says in the opening handshake. */
export interface SwitchField {
  /** Which switch it is; another one each time it starts. */
  readonly instance: string;
  /** Names the tunnel; known to its two ends only. Chosen by the client, so absent in an answer. */
  readonly tunnelId: string | undefined;
  /** Of a client: the highest rank that it knows. Of a server: the rank of this tunnel, above all that both knew. */
  readonly rank: number;
  /** Whether the tunnel may forward beside others to the same switch. */
  readonly isParallelAllowed: boolean;
}

/** @returns undefined for a field that makes no sense: it counts as not sent */
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
