/** The scheme of URLs of Unix sockets: `ws+unix:@NAME` for an abstract name, which is no file, and `ws+unix:/PATH`. */
const SCHEME = 'ws+unix:';

/** @param socket a path, or `@NAME` for an abstract name */
export function unixUrl(socket: string): string {
  return `${SCHEME}${socket}`;
}

/** @returns the path, or `@NAME`; undefined for a URL of another scheme */
export function unixSocketOf(url: string): string | undefined {
  return url.startsWith(SCHEME) ? url.slice(SCHEME.length) : undefined;
}

/** The path as the kernel takes it: `@` at its beginning stands for the octet 0 of an abstract name. */
export function unixPath(socket: string): string {
  return socket.replace(/^@/, '\0');
}
