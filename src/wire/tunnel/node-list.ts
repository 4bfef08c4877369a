/**
 * The control message by which a node of a cluster tells its client the other nodes that would take it
 * (docs/reference/protocol.md, Roaming): one octet of type, and URLs that are separated by line feeds. Each message replaces the
 * one before.
 */
const TYPE_NODES = 0x80;
/** URLs of a list. */
export const MOST_NODES = 8;
/** Octets of a URL. */
export const MOST_NODE_URL_BYTES = 512;
const MOST_BYTES = 1 + MOST_NODES * (MOST_NODE_URL_BYTES + 1);

/** @param urls longer ones, and those beyond `MOST_NODES`, are left out @returns the whole message */
export function formatNodeList(urls: readonly string[]): Buffer {
  const fitting = urls.filter((url) => Buffer.byteLength(url) <= MOST_NODE_URL_BYTES && !url.includes('\n'));
  return Buffer.concat([Buffer.of(TYPE_NODES), Buffer.from(fitting.slice(0, MOST_NODES).join('\n'))]);
}

/** Whether a message of the batched wire is a list of nodes. One that is too long is none: it is ignored as unknown messages are. */
export function isNodeList(bytes: Buffer, start: number, length: number): boolean {
  return length > 0 && length <= MOST_BYTES && bytes[start] === TYPE_NODES;
}

/** @param message as `isNodeList` has found it @returns texts of which nothing is known, at most `MOST_NODES` */
export function parseNodeList(message: Buffer): readonly string[] {
  const lines = message.toString('utf8', 1).split('\n', MOST_NODES);
  return lines.filter((line) => line !== '' && Buffer.byteLength(line) <= MOST_NODE_URL_BYTES);
}
