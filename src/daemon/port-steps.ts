import type { PortAction, PortChange } from '../config/port-plan.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import { describeError, EtherwsError } from '../errors.ts';
import { shownUrl } from '../net/shown-url.ts';

/** Ports of a configuration and steps of a plan as text, for logs, callers and errors. */

export function nameOf({ spec: { type, target, name } }: WantedPort): string {
  return `${type} ${shownUrl(target)}${name === undefined ? '' : ` (${name})`}`;
}

/** A step as text: `change port 2, tap lab0 (lab): shut false`. */
export function describeAction(action: PortAction): string {
  if (action.do === 'add') return `add ${nameOf(action.port)}`;
  const change = action.do === 'change' ? `: ${describeChange(action.change)}` : '';
  return `${action.do} port ${action.number}, ${nameOf(action.port)}${change}`;
}

export function describeChange({ withoutAddresses, ...change }: PortChange): string {
  const words = Object.entries(change).map(([key, value]) =>
    Array.isArray(value) ? `${key} ${value.join(',')}` : `${key} ${value === '' ? "''" : String(value)}`,
  );
  return [...words, ...(withoutAddresses === undefined ? [] : [`without ${withoutAddresses.join(',')}`])].join(', ');
}

/** The error of a port, with the place of the port in its file. */
export function placed({ place }: WantedPort, error: unknown): EtherwsError {
  const prefix = place === '' ? '' : `${place}: `;
  if (!(error instanceof EtherwsError)) return new EtherwsError('CONFIG_INVALID', prefix + describeError(error));
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EtherwsError(error.code, prefix + error.message, { cause: error, ...hint });
}
