import * as v from 'valibot';
import { BRIDGE_PORT_OPTIONS } from './bridge-port-options.ts';
import { messageOf } from './check.ts';
import { dialOptions } from './dial-options.ts';
import { DEFAULT_NETWORK, networkName } from './network-options.ts';
import { NO_OBJECT, objectOf, type Table, withoutLists } from './table.ts';
import { netdevOptions, tapOptions } from './tap-options.ts';
import type { Schema } from './types.ts';
import { deviceName, portDescription, portName, tapName, tunnelUrl } from './values.ts';

/** The parameters of `addPort`: kind, target and options. */

/** The name and description, which ports of all kinds have. */
export const PORT_LABELS = {
  name: {
    type: portName,
    flag: '--name',
    metavar: 'PORTNAME',
    help: 'name by which commands find it, beside its number',
  },
  description: { type: portDescription, flag: '--description', metavar: 'TEXT', help: 'what it is for' },
} as const satisfies Table;

/** The network of a port, which ports of all kinds have. */
export const PORT_NETWORK = {
  network: {
    type: networkName,
    default: DEFAULT_NETWORK,
    flag: '--net',
    metavar: 'NAME',
    help: 'network that it belongs to',
  },
} as const satisfies Table;

/** The object that asks for a port of one kind. @param more further rows of it */
export function specOf<
  const K extends string,
  T extends Schema<string>,
  O extends Schema,
  const M extends Table = Record<never, never>,
>(kind: K, target: T, options: O, more: M = {} as M) {
  return objectOf({
    type: { type: v.literal(kind), required: true, help: 'kind of the port' },
    target: { type: target, required: true, help: 'device or URL' },
    options: { type: options, help: 'how it is opened' },
    ...PORT_LABELS,
    ...PORT_NETWORK,
    ...BRIDGE_PORT_OPTIONS,
    ...more,
  } as const);
}

/** The kinds of ports that can be added, by `type`. */
export const PORT_SPECS = {
  tap: specOf('tap', tapName, tapOptions),
  netdev: specOf('netdev', deviceName, netdevOptions),
  client: specOf('client', tunnelUrl, dialOptions),
} as const;

/** The message for a `type` that no kind has, and for what is no object. */
export function noSuchKind({ path, input }: { readonly path?: unknown; readonly input: unknown }): string {
  if (path === undefined) return NO_OBJECT;
  const known = `There are ${Object.keys(PORT_SPECS).join(', ')}`;
  const hint = input === 'server' ? 'A server port comes up when a tunnel is accepted' : known;
  return messageOf({ code: 'PORT_TYPE_UNSUPPORTED', sentence: 'No port of type {value} can be added', hint });
}

const anySpec = v.variant('type', [PORT_SPECS.tap, PORT_SPECS.netdev, PORT_SPECS.client], noSuchKind);

export const portSpec = withoutLists(anySpec);

/** Files and devices in it are on the switch's host. */
export type PortSpec = v.InferOutput<typeof anySpec>;
