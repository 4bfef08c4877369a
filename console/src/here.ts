/** A URL below the directory of the page, which a proxy may have put anywhere. */
export function here(path: string): URL {
  return new URL(path, document.baseURI);
}

/** The WebSocket at `path`, as `here`. */
export function socketHere(path: string): URL {
  const url = here(path);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url;
}
