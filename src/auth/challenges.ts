/**
 * The authentication schemes in `WWW-Authenticate` or `Proxy-Authenticate` (RFC 9110,
 * 11.6.1), as written there, without duplicates.
 * @param field the value of the field; several fields are joined by commas
 */
export function schemesOf(field: string | undefined): string[] {
  // Commas separate challenges as well as their parameters; a parameter has `=` behind its name.
  const parts = (field ?? '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').split(',');
  const schemes = parts.map((part) => /^\s*([A-Za-z][\w!#$%&'*+.^`|~-]*)(?=\s*$|\s+[^\s=])/.exec(part)?.[1]);
  return [...new Set(schemes.filter((scheme) => scheme !== undefined))];
}

/**
 * The offered schemes, if all of them are unknown.
 * @param known the supported schemes, in lower case
 * @returns text such as `NTLM and Negotiate`; undefined if one is known, or none is offered
 */
export function onlyForeignSchemes(field: string | undefined, known: readonly string[]): string | undefined {
  const schemes = schemesOf(field);
  if (schemes.length === 0 || schemes.some((scheme) => known.includes(scheme.toLowerCase()))) return undefined;
  return schemes.map((scheme) => scheme.slice(0, 30)).join(' and ');
}
