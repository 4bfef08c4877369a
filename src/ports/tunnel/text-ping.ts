/** Longest `ping:` text of the jor1k emulator; longer texts are ignored. */
const MAX_TEXT_PING = 256;

/** The answer to jor1k's `ping:X`; undefined: every other text is ignored, and is no error. */
export function textPongTo(text: string): string | undefined {
  return text.startsWith('ping:') && text.length <= MAX_TEXT_PING ? `pong:${text.slice(5)}` : undefined;
}
