/** The longest `ping:` text of the jor1k emulator, in octets; longer texts are ignored. */
const MAX_TEXT_PING = 256;

/** The answer to jor1k's `ping:X`; undefined for other texts, which are ignored and are no error. */
export function textPongTo(text: string): string | undefined {
  return text.startsWith('ping:') && text.length <= MAX_TEXT_PING ? `pong:${text.slice(5)}` : undefined;
}
