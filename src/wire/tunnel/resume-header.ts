/**
 * The header field of the opening handshake by which a client returns to the
 * port of its last tunnel (docs/reference/protocol.md, Resumption). `1` says that the
 * sender supports resumption. `1 TOKEN` presents a token in a request, and issues one
 * in a response.
 */
export const RESUME_HEADER = 'Etherws-Resume';

const VERSION = '1';
/** At least 128 bits, which cannot be guessed; the upper bound limits what a client stores for a server. */
const FIELD: RegExp = /^1(?: ([A-Za-z0-9_-]{22,128}))?$/;

/** The contents of a valid field. */
export interface ResumeField {
  readonly token: string | undefined;
}

/** @returns undefined for a malformed field or one of another version; it is then treated as absent */
export function parseResumeField(text: string): ResumeField | undefined {
  const match = FIELD.exec(text);
  return match === null ? undefined : { token: match[1] };
}

/** @param token 22 to 128 characters of base64url */
export function formatResumeField(token?: string): string {
  return token === undefined ? VERSION : `${VERSION} ${token}`;
}
