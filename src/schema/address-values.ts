import * as v from 'valibot';
import { EtherwsError } from '../errors.ts';
import { formatPrefix, parseHostAddress, parsePrefix, prefixLengthOfNetmask } from '../wire/ethernet/ip-address.ts';
import { complaintOf } from './check.ts';
import { anyText, rule } from './types.ts';

/** The addresses of an interface. */

/** The longest IPv6 address with a prefix length has 49 characters. */
const ADDRESS_CHARACTERS = 64;

/** An IPv4 address that can be assigned to an interface. */
export const ipv4Address = address((value) => {
  if (value.includes('/') || value.includes(':')) {
    const hint = 'An address with a prefix length, and every IPv6 address, is written ADDRESS/LENGTH in addresses';
    throw new EtherwsError('ADDRESS_INVALID', `"${value}" is no IPv4 address`, { hint });
  }
  return parseHostAddress(value).address;
});

/** A dotted IPv4 netmask with contiguous ones. */
export const ipv4Netmask = address((value) => {
  prefixLengthOfNetmask(value);
  return value;
});

/** `ADDRESS/LENGTH`, IPv4 or IPv6; the output is canonical text. */
export const addressWithLength = address((value) => formatPrefix(parsePrefix(value)));

/** @param canonical returns the canonical text or throws ADDRESS_INVALID; called only with texts of up to 64 characters */
function address(canonical: (value: string) => string) {
  const tooLong = `{name} {value} is longer than ${ADDRESS_CHARACTERS} characters`;
  return v.pipe(
    anyText,
    rule((value: string) => (value.length > ADDRESS_CHARACTERS ? { sentence: tooLong } : undefined)),
    rule((value: string) => complaintOf(() => canonical(value))),
    v.transform(canonical),
  );
}
