declare const brand: unique symbol;

/**
 * A 48-bit MAC address as a number, first octet most significant. A safe
 * integer, so it compares and hashes as a plain number.
 */
export type MacAddress = number & { readonly [brand]: 'MacAddress' };

const HIGH_UNIT = 0x1_0000_0000;

/** The address in six octets at `offset`; the caller has checked that they are there. */
export function readMacAddress(bytes: Uint8Array, offset: number): MacAddress {
  const high = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
  const low =
    (((bytes[offset + 2] as number) << 24) |
      ((bytes[offset + 3] as number) << 16) |
      ((bytes[offset + 4] as number) << 8) |
      (bytes[offset + 5] as number)) >>>
    0;
  return (high * HIGH_UNIT + low) as MacAddress;
}

/** Whether the I/G bit is set: broadcast or multicast (IEEE 802-2014, 8.2). */
export function isGroupAddress(mac: MacAddress): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
}

/** `aa:bb:cc:dd:ee:ff`, in lower case. */
export function formatMacAddress(mac: MacAddress): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/(..)(?!$)/g, '$1:');
}

/**
 * Reads `aa:bb:cc:dd:ee:ff` or `aa-bb-cc-dd-ee-ff`, either case.
 * @throws RangeError when the text is anything else.
 */
export function parseMacAddress(text: string): MacAddress {
  if (!/^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i.test(text)) {
    throw new RangeError(`"${text}" is no MAC address; write it as aa:bb:cc:dd:ee:ff`);
  }
  return Number.parseInt(text.replace(/[:-]/g, ''), 16) as MacAddress;
}
