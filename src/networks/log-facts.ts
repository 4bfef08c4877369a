import type { BridgeTrace } from '../bridge/bridge-trace.ts';
import type { LinkState } from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { AttachedPort } from './attached-port.ts';

/** The network as a fact of a line of the log; lines about the default network are as in 1.x. */
export function networkFact(network: string): { readonly network?: string } {
  return network === DEFAULT_NETWORK ? {} : { network };
}

/** The facts in each line about a port: the port, its network, its peer, and the user of its credentials. */
export function factsOf({ bridgePort, network, name, user }: AttachedPort): object {
  const { number, port } = bridgePort;
  return {
    port: number,
    ...(name === undefined ? {} : { portName: name }),
    ...networkFact(network.name),
    target: port.target,
    ...(user === undefined || user === null ? {} : { user }),
  };
}

/**
 * Logs that the link of a port is in another state; to be called before the bridge has it. A mesh port dials for as long as its
 * node is a member: of its changes only those between up and not up are for operators.
 */
export function logLink(logger: Logger, attached: AttachedPort, state: LinkState, reason: string | undefined): void {
  const { meshNode, link } = attached.bridgePort;
  const facts = { ...factsOf(attached), state, reason };
  const isAttempt = meshNode !== undefined && (link === 'up') === (state === 'up');
  if (isAttempt) logger.debug(facts, 'link changed');
  else logger.info(facts, 'link changed');
}

/** The same log, with the facts of a network in each line. The log itself for the default network. */
export function loggerOf(logger: Logger, network: string): Logger {
  return network === DEFAULT_NETWORK ? logger : new NetworkLogger(logger, network);
}

class NetworkLogger implements Logger {
  readonly #logger: Logger;
  readonly #network: string;

  constructor(logger: Logger, network: string) {
    this.#logger = logger;
    this.#network = network;
  }

  debug(facts: object, message: string): void {
    this.#logger.debug({ ...facts, network: this.#network }, message);
  }

  info(facts: object, message: string): void {
    this.#logger.info({ ...facts, network: this.#network }, message);
  }

  warn(facts: object, message: string): void {
    this.#logger.warn({ ...facts, network: this.#network }, message);
  }

  error(facts: object, message: string): void {
    this.#logger.error({ ...facts, network: this.#network }, message);
  }

  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean {
    return this.#logger.isLevelEnabled(level);
  }
}

/** Logs each decision of a network's bridge. */
export function traceTo(logger: Logger): BridgeTrace {
  return {
    learned: ({ vid, mac, port, from }) =>
      logger.debug({ vid, mac: formatMacAddress(mac), port, from }, from === undefined ? 'learned' : 'moved'),
    aged: ({ vid, mac, port }) => logger.debug({ vid, mac: formatMacAddress(mac), port: port.number }, 'aged out'),
    forwarded: (from, to, length) => logger.debug({ from, to, length }, 'forwarded'),
  };
}
