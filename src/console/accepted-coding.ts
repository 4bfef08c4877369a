/**
 * The content coding of a response (RFC 9110, 12.5.3).
 * @param field the value of `Accept-Encoding`; undefined: any coding may be sent, and `identity` is chosen
 * @param offered the codings that exist beside `identity`, the best first
 */
export function preferredCoding<Coding extends string>(
  field: string | undefined,
  offered: readonly Coding[],
): Coding | 'identity' {
  const weights = new Map<string, number>();
  for (const part of (field ?? '').split(',')) {
    const [, name, weight] = /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(part) ?? [];
    if (name !== undefined) weights.set(name.toLowerCase(), weight === undefined ? 1 : Number(weight));
  }
  return offered.find((coding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0) ?? 'identity';
}
