/** The end that sends by a traffic secret. */
export type SecretOwner = 'client' | 'server';

export interface TrafficSecret {
  readonly owner: SecretOwner;
  /** A new buffer. The caller owns it and overwrites it after use. */
  readonly secret: Buffer;
}

const LABELS: readonly (readonly [label: Buffer, owner: SecretOwner])[] = [
  [Buffer.from('CLIENT_TRAFFIC_SECRET_0 '), 'client'],
  [Buffer.from('SERVER_TRAFFIC_SECRET_0 '), 'server'],
];
const SPACE = 0x20;
const LINE_END = 0x0a;

const { NODE_OPTIONS = '' } = process.env;
/** With --tls-keylog Node writes the same buffer to a file later, so it must not be overwritten. */
const IS_LOGGED_BY_NODE = /--tls-keylog\b/.test([...process.execArgv, NODE_OPTIONS].join(' '));

/**
 * Decodes the secret in a line of Node's `keylog` event (`LABEL CLIENT-RANDOM SECRET`, the latter two in hexadecimal),
 * and overwrites the line. No string is made of it, since V8 strings cannot be overwritten.
 * @returns undefined for a line with another label
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
    if (!IS_LOGGED_BY_NODE) line.fill(0);
  }
}

function decode(line: Buffer, from: number): Buffer | undefined {
  const lineEnd = line.indexOf(LINE_END, from);
  const end = lineEnd < 0 ? line.length : lineEnd;
  if (from === 0 || end <= from || (end - from) % 2 !== 0) return undefined;
  // Memory outside of V8's heap: the garbage collector would leave a copy of a short buffer each time it moves it.
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
