import type { PortVariables } from './variables.ts';

/** The Port State Transition state machine (IEEE 802.1D-2004, 17.30). Its states are the values of learning and forwarding. */

export function beginPortStateTransition(port: PortVariables): void {
  port.learning = port.forwarding = false;
  port.bridge.actions.changed(port);
}

/** @returns whether it has changed its state */
export function portStateTransition(port: PortVariables): boolean {
  if (port.forwarding ? !port.forward : port.learning && !port.learn) {
    // DISCARDING
    port.learning = port.forwarding = false;
  } else if (!port.learning && port.learn) {
    // LEARNING
    port.learning = true;
  } else if (port.learning && port.forward && !port.forwarding) {
    // FORWARDING
    port.forwarding = true;
  } else return false;
  port.bridge.actions.changed(port);
  return true;
}
