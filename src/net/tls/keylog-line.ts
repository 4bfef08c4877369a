/** Whose traffic secret it is. */
export type SecretOwner = 'client' | 'server';

export interface TrafficSecret {
  readonly owner: SecretOwner;
  /** in memory of its own, which the caller overwrites when done */
  readonly secret: Buffer;
}

const LABELS: readonly (readonly [label: Buffer, owner: SecretOwner])[] = [
  [Buffer.from('CLIENT_TRAFFIC_SECRET_0 '), 'client'],
  [Buffer.from('SERVER_TRAFFIC_SECRET_0 '), 'server'],
];
const SPACE = 0x20;
const LINE_END = 0x0a;

const { NODE_OPTIONS = '' } = process.env;
/** With --tls-keylog Node writes the same line to a file, later. */
const IS_KEPT = /--tls-keylog\b/.test([...process.execArgv, NODE_OPTIONS].join(' '));

/**
 * Takes a secret out of a line that Node says in `keylog` (`LABEL CLIENT-RANDOM SECRET`, the latter two in hexadecimal),
 * and overwrites the line, whatever stood there. No text is made of it: V8 would keep that as long as it likes.
 * @returns undefined for a line of another label
 */
export function takeTrafficSecret(line: Buffer): TrafficSecret | undefined {
  try {
    for (const [label, owner] of LABELS) {
      if (line.length <= label.length || line.compare(label, 0, label.length, 0, label.length) !== 0) continue;
      const secret = decode(line, line.indexOf(SPACE, label.length) + 1);
      return secret === undefined ? undefined : { owner, secret };
    }
    return undefined;
  } finally {
    if (!IS_KEPT) line.fill(0);
  }
}

function decode(line: Buffer, from: number): Buffer | undefined {
  const lineEnd = line.indexOf(LINE_END, from);
  const end = lineEnd < 0 ? line.length : lineEnd;
  if (from === 0 || end <= from || (end - from) % 2 !== 0) return undefined;
  // An ArrayBuffer of its own stands outside of V8's heap, where a short buffer would leave a copy whenever it is moved.
  const secret = Buffer.from(new ArrayBuffer((end - from) / 2));
  for (let index = 0; index < secret.length; index++) {
    const high = digit(line[from + 2 * index] ?? 0);
    const low = digit(line[from + 2 * index + 1] ?? 0);
    if (high < 0 || low < 0) {
      secret.fill(0);
      return undefined;
    }
    secret[index] = (high << 4) | low;
  }
  return secret;
}

/** @returns the value of a hexadecimal digit, negative for another octet */
function digit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
