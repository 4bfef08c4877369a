import type * as v from 'valibot';
import type { PortSpec } from '../control/schema.ts';
import { SET_INTERFACE, SET_PORT } from '../control/schema.ts';
import {
  BRIDGE_PORT_OPTIONS,
  bridgePortValues,
  changedValues,
  withoutBridgePortValues,
} from '../schema/bridge-port-options.ts';
import { check, dottedNames } from '../schema/check.ts';
import { portSpec } from '../schema/port-spec.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { anyText, integer, listOf, tableOf } from '../schema/types.ts';
import type { PortChange, RunningPort } from './port-plan.ts';
import { idOf, type PortSettings, type WantedPort } from './wanted-ports.ts';

/** The section `ports` of the file of `--state`. */

const SETTINGS = {
  shut: SET_PORT.shut,
  addresses: SET_INTERFACE.addresses,
  mtu: SET_INTERFACE.mtu,
  ...BRIDGE_PORT_OPTIONS,
} as const satisfies Table;

/** Limit of port numbers: far above what a switch reaches, and far below 2^53, above which numbers are not exact. */
export const MOST_PORT_NUMBER: number = 2 ** 48;

const number = { type: integer(1, MOST_PORT_NUMBER), required: true, help: 'number of the port' } as const;

const keptPorts = objectOf({
  lastNumber: { type: integer(0, MOST_PORT_NUMBER), required: true, help: 'the highest number that a port had' },
  file: {
    type: tableOf(
      objectOf({
        number,
        changes: {
          type: objectOf({ name: SET_PORT.name, description: SET_PORT.description, ...SETTINGS }),
          required: true,
          help: 'what calls have changed',
        },
      }),
    ),
    required: true,
    help: 'the ports of the configuration file, by their names or kinds and targets in it',
  },
  removed: { type: listOf(anyText), required: true, help: 'those of them that calls have removed' },
  added: {
    type: listOf(
      objectOf({
        number,
        spec: { type: portSpec, required: true, help: 'how it is opened' },
        settings: { type: objectOf(SETTINGS), required: true, help: 'what is set once it is open' },
      }),
    ),
    required: true,
    help: 'ports that calls have added',
  },
} as const satisfies Table);

export type KeptPorts = v.InferOutput<typeof keptPorts>;
export type AddedPort = KeptPorts['added'][number];

const NOTHING: KeptPorts = { lastNumber: 0, file: {}, removed: [], added: [] };

/** @throws EtherwsError if the section does not have the form of `keptOf` */
export function readKeptPorts(section: unknown): KeptPorts {
  return section === undefined ? NOTHING : check(keptPorts, section, dottedNames('ports'));
}

/** A port to open at the start. */
export interface PortToOpen {
  /** the port as the file or the call wants it */
  readonly port: WantedPort;
  readonly origin: 'file' | 'ctl';
  readonly number: number | undefined;
  /** the changes by calls */
  readonly changes: PortChange;
}

/**
 * The ports to open at a start: those of the file, with the changes by calls; then those that calls have added, unless
 * the file has them now. Ports that had a number come first, in the order of the numbers.
 */
export function portsToOpen(wanted: readonly WantedPort[], kept: KeptPorts): PortToOpen[] {
  const added = kept.added.map(({ number, spec, settings }) => ({ number, port: wantedOf(spec, settings) }));
  const taken = new Map<WantedPort, number>();
  for (const { number, port } of added) {
    const same = wanted.find((one) => one.id === port.id || isSameTarget(one, port));
    if (same !== undefined) taken.set(same, number);
  }
  const fromFile = wanted
    .filter((port) => taken.has(port) || !kept.removed.includes(port.id))
    .map((port): PortToOpen => {
      const { number = taken.get(port), changes = {} } = kept.file[port.id] ?? {};
      return { port, origin: 'file', number, changes };
    });
  const others = added
    .filter(({ number }) => ![...taken.values()].includes(number))
    .map(({ number, port }): PortToOpen => ({ port, origin: 'ctl', number, changes: {} }));
  const rank = ({ number = Number.POSITIVE_INFINITY }: PortToOpen): number => number;
  return [...fromFile, ...others].sort((one, other) =>
    rank(one) < rank(other) ? -1 : Number(rank(one) > rank(other)),
  );
}

/** The port of a call in the form of a port of a file. */
export function wantedOf(spec: PortSpec, settings: PortSettings = {}): WantedPort {
  const bare = withoutBridgePortValues(spec) as PortSpec;
  return {
    id: idOf(spec),
    spec: bare,
    secretFiles: {},
    settings: { ...bridgePortValues(spec), ...settings },
    place: '',
  };
}

/** The call that would add a running port. It dials in the background, since a start does not wait for other hosts. */
export function addedPortOf(port: RunningPort): AddedPort {
  const { number, opened, name, description, shut, addresses, mtu, values } = port;
  const { type, target, network, options } = opened.spec;
  const given = type === 'client' ? { ...options, wait: false } : options;
  return {
    number,
    spec: {
      type,
      target,
      ...(given === undefined ? {} : { options: given }),
      ...(name === '' ? {} : { name }),
      ...(description === '' ? {} : { description }),
      ...(network === undefined ? {} : { network }),
    } as PortSpec,
    settings: {
      ...(shut ? { shut } : {}),
      ...(addresses.length === 0 ? {} : { addresses: [...addresses] }),
      ...(mtu === undefined ? {} : { mtu }),
      ...values,
    },
  };
}

/** The changes of calls to a port of the file, in the form in which they can be repeated. */
export function changesOf(now: RunningPort): KeptPorts['file'][string]['changes'] {
  const { spec, settings } = now.opened;
  const addresses = settings.addresses ?? [];
  const isSame = addresses.length === now.addresses.length && addresses.every((one) => now.addresses.includes(one));
  return {
    ...(now.name === (spec.name ?? '') ? {} : { name: now.name }),
    ...(now.description === (spec.description ?? '') ? {} : { description: now.description }),
    ...(now.shut === (settings.shut ?? false) ? {} : { shut: now.shut }),
    ...(isSame ? {} : { addresses: [...now.addresses] }),
    ...(now.mtu === undefined || now.mtu === settings.mtu ? {} : { mtu: now.mtu }),
    ...changedValues(bridgePortValues(settings), now.values),
  };
}

function isSameTarget({ spec: one }: WantedPort, { spec: other }: WantedPort): boolean {
  return one.type === other.type && one.target === other.target && one.type !== 'client';
}
