import type { LinkState } from '../../bridge/port.ts';
import type { Link } from '../../native/links.ts';

/** The state of a port on this link: `up` when it can carry frames. */
export function stateOf(link: Link): LinkState {
  return link.isUp && link.isRunning ? 'up' : 'down';
}

/** Why the port is down; undefined: it is up. @param netns the device's network namespace; undefined: this process's */
export function reasonOf(link: Link, netns: string | undefined): string | undefined {
  const where = netns === undefined ? '' : ` in network namespace ${netns}`;
  if (!link.isUp) return `${link.name} is set down${where}`;
  return link.isRunning ? undefined : `${link.name} has no carrier${where}`;
}
