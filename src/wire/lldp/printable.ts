/** Decodes as `Buffer.toString` does: a byte order mark stays, octets that are no UTF-8 become U+FFFD. */
const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The text in UTF-8, without the zeros at its end that some senders add. Control characters and line ends become
 * U+FFFD: the text is shown on terminals and pages.
 */
export function printable(octets: Uint8Array): string {
  return UTF_8.decode(octets)
    .replace(/\0+$/, '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
