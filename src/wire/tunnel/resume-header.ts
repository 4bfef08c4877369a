/**
 * The header field of the opening handshake by which a client comes back to the
 * port that its last tunnel led to (docs/reference/protocol.md, Resumption): `1` says that
 * one knows it, `1 TOKEN` presents a token, or hands one out.
 */
export const RESUME_HEADER = 'Etherws-Resume';

const VERSION = '1';
/** 128 bits cannot be guessed; the upper bound keeps a client from holding whatever a server sends. */
const FIELD: RegExp = /^1(?: ([A-Za-z0-9_-]{22,128}))?$/;

/** A field that was understood. */
export interface ResumeField {
  readonly token: string | undefined;
}

/** @returns undefined for a field of another version, or one that makes no sense: it counts as not sent */
export function parseResumeField(text: string): ResumeField | undefined {
  const match = FIELD.exec(text);
  return match === null ? undefined : { token: match[1] };
}

/** @param token 22 to 128 characters of base64url */
export function formatResumeField(token?: string): string {
  return token === undefined ? VERSION : `${VERSION} ${token}`;
}
