/**
 * The bearer token in the query of a request's target, where browsers must put
 * it: they cannot set headers on a WebSocket (RFC 6750, 2.3). A token that stands
 * there twice is none.
 * @param target as in the request line: `/path?access_token=...`
 */
export function accessTokenOf(target: string): string | undefined {
  const query = target.indexOf('?');
  if (query < 0) return undefined;
  const tokens = new URLSearchParams(target.slice(query + 1)).getAll('access_token');
  return tokens.length === 1 ? tokens[0] : undefined;
}
