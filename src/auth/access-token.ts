/**
 * The bearer token in the query of a request's target (RFC 6750, 2.3). Browsers must
 * put it there: they cannot set header fields on a WebSocket.
 * @param target as in the request line: `/path?access_token=...`
 * @returns undefined without a token, and for more than one
 */
export function accessTokenOf(target: string): string | undefined {
  const query = target.indexOf('?');
  if (query < 0) return undefined;
  const tokens = new URLSearchParams(target.slice(query + 1)).getAll('access_token');
  return tokens.length === 1 ? tokens[0] : undefined;
}
