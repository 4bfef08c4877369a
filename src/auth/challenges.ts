/**
 * The schemes that `WWW-Authenticate` or `Proxy-Authenticate` offers (RFC 9110,
 * 11.6.1), as they are written there, each once.
 * @param field the value of the field; several fields with commas between them
 */
export function schemesOf(field: string | undefined): string[] {
  // Commas separate challenges and their parameters alike; a parameter is known by its `=`.
  const parts = (field ?? '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').split(',');
  const schemes = parts.map((part) => /^\s*([A-Za-z][\w!#$%&'*+.^`|~-]*)(?=\s*$|\s+[^\s=])/.exec(part)?.[1]);
  return [...new Set(schemes.filter((scheme) => scheme !== undefined))];
}

/**
 * What is offered, where none of it is a scheme that is known here.
 * @param known in lower case
 * @returns `NTLM and Negotiate`; undefined where one is known, or nothing is offered
 */
export function onlyForeignSchemes(field: string | undefined, known: readonly string[]): string | undefined {
  const schemes = schemesOf(field);
  if (schemes.length === 0 || schemes.some((scheme) => known.includes(scheme.toLowerCase()))) return undefined;
  return schemes.map((scheme) => scheme.slice(0, 30)).join(' and ');
}
