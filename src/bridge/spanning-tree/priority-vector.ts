import { addressOf, type BridgeId } from '../../wire/bpdu/bridge-id.ts';

/** A priority vector without the receiving port (IEEE 802.1D-2004, 17.5): the lower one is the better one. */
export interface PriorityVector {
  readonly rootId: BridgeId;
  readonly rootPathCost: number;
  readonly bridgeId: BridgeId;
  readonly portId: number;
}

/** @returns below 0 if `one` is better, 0 if both are the same (17.6) */
export function compareVectors(one: PriorityVector, other: PriorityVector): number {
  if (one.rootId !== other.rootId) return one.rootId < other.rootId ? -1 : 1;
  if (one.rootPathCost !== other.rootPathCost) return one.rootPathCost - other.rootPathCost;
  if (one.bridgeId !== other.bridgeId) return one.bridgeId < other.bridgeId ? -1 : 1;
  return one.portId - other.portId;
}

const PORT_NUMBER_MASK = 0xfff;

/**
 * Whether a message priority vector replaces a port priority vector (17.6): it is better, or it comes from the same
 * designated bridge and port, and differs.
 */
export function isSuperior(message: PriorityVector, port: PriorityVector): boolean {
  const order = compareVectors(message, port);
  if (order <= 0) return order < 0;
  return (
    addressOf(message.bridgeId) === addressOf(port.bridgeId) &&
    (message.portId & PORT_NUMBER_MASK) === (port.portId & PORT_NUMBER_MASK)
  );
}

/** The times that a configuration message carries, in seconds (17.18.4, 17.19.22). */
export interface Times {
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

export function areSameTimes(one: Times, other: Times): boolean {
  return (
    one.messageAge === other.messageAge &&
    one.maxAge === other.maxAge &&
    one.helloTime === other.helloTime &&
    one.forwardDelay === other.forwardDelay
  );
}
