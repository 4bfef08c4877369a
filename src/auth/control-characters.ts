/** C0 and DEL: they cannot stand in Basic credentials (RFC 7617, 2), and in logs they can do harm. */
export function holdsControlCharacters(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u001F\u007F]/.test(text);
}
