/** An assignment of a block of MAC addresses: MA-L has 24 bits, MA-M 28, MA-S 36. */
export interface OuiAssignment {
  readonly bits: number;
  /** the first `bits` bits of the addresses, as a number */
  readonly prefix: number;
  readonly vendor: string;
}

/** The lengths of prefixes that the IEEE assigns. */
export const PREFIX_BITS = [36, 28, 24] as const;

const MOST_VENDOR_CHARACTERS = 64;

/** `08-00-20   (hex)\t\tOracle Corporation`: oui.txt, mam.txt and oui36.txt of the IEEE. */
const IEEE = /^([0-9A-F]{2})-([0-9A-F]{2})-([0-9A-F]{2}) +\(hex\)\s+(\S.*)$/i;
/** `080020 Oracle`, also with 7 or 9 digits: nmap-mac-prefixes. */
const NMAP = /^([0-9A-F]{6}|[0-9A-F]{7}|[0-9A-F]{9}) (\S.*)$/i;
/** `08:00:20\tOracle\tOracle Corporation`, or `00:1B:C5:00:00:00/36\t…`: manuf of Wireshark; the name at the end is preferred. */
const MANUF = /^([0-9A-F]{2}(?:[:-][0-9A-F]{2}){2,5})(?:\/(\d\d))?\s*\t\s*([^\t]*\S)(?:\s*\t\s*([^\t]*\S))?\s*$/i;

/** Reads a line of a table of vendors in any of the three formats. @returns undefined for all other lines */
export function readOuiLine(line: string): OuiAssignment | undefined {
  const ieee = IEEE.exec(line);
  if (ieee !== null) return assignment(`${ieee[1]}${ieee[2]}${ieee[3]}`, 24, ieee[4] as string);
  const nmap = NMAP.exec(line);
  if (nmap !== null) return assignment(nmap[1] as string, (nmap[1] as string).length * 4, nmap[2] as string);
  const manuf = MANUF.exec(line);
  if (manuf === null) return undefined;
  const digits = (manuf[1] as string).replace(/[:-]/g, '');
  const bits = manuf[2] === undefined ? digits.length * 4 : Number(manuf[2]);
  return assignment(digits, bits, manuf[4] ?? (manuf[3] as string));
}

function assignment(digits: string, bits: number, vendor: string): OuiAssignment | undefined {
  if (!PREFIX_BITS.some((possible) => possible === bits) || digits.length * 4 < bits) return undefined;
  const name = vendor.trim().slice(0, MOST_VENDOR_CHARACTERS);
  return { bits, prefix: Number.parseInt(digits.slice(0, bits / 4), 16), vendor: name };
}
