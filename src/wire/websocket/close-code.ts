/** The close codes that etherws sends (RFC 6455, 7.4.1). */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_PROTOCOL_ERROR = 1002;
export const CLOSE_INVALID_PAYLOAD = 1007;
export const CLOSE_POLICY_VIOLATION = 1008;
export const CLOSE_TOO_BIG = 1009;
/** Service Restart, registered at IANA: the client may dial again soon. */
export const CLOSE_SERVICE_RESTART = 1012;
/** Stands for a received close message without a code; never sent (RFC 6455, 7.4.1). */
export const CLOSE_NO_CODE = 1005;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1000, 'normal closure'],
  [1001, 'going away'],
  [1002, 'protocol error'],
  [1003, 'unsupported data'],
  [1005, 'no code given'],
  [1007, 'invalid payload'],
  [1008, 'policy violation'],
  [1009, 'message too big'],
  [1010, 'extension missing'],
  [1011, 'internal error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [1014, 'bad gateway'],
]);

/** Whether a peer may send this code: a registered one, or one for libraries and applications (RFC 6455, 7.4.2). */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** `1001 going away`, followed by the reason in parentheses if the peer gave one. */
export function describeClose(code: number, reason: string): string {
  const name = NAMES.get(code);
  const words = name === undefined ? `${code}` : `${code} ${name}`;
  return reason === '' ? words : `${words} (${reason})`;
}

/** The payload of a close message (RFC 6455, 5.5.1). */
export function closePayload(code: number, words: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(words));
  payload.writeUInt16BE(code);
  payload.write(words, 2);
  return payload;
}
