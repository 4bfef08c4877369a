/** C0 and DEL. Basic credentials must not contain them (RFC 7617, 2), and in logs they could drive a terminal. */
export function holdsControlCharacters(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  return /[\u0000-\u001F\u007F]/.test(text);
}
