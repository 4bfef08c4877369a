/** Lets the browser save octets as a file. */
export function saveFile(name: string, type: string, parts: readonly Uint8Array[]): void {
  const url = URL.createObjectURL(new Blob(parts as unknown as BlobPart[], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the octets when it has begun to save them.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
