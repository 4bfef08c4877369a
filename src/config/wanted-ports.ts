import { resolve } from 'node:path';
import type { InterfaceSpec, PortSpec } from '../control/schema.ts';
import { type BridgePortValues, bridgePortValues } from '../schema/bridge-port-options.ts';
import { type Path, type Problem, problemAt } from '../schema/check.ts';
import type { Row, Table } from '../schema/table.ts';
import type { Written } from '../schema/written.ts';
import { FILE_DIAL_OPTIONS, type FilePort } from './file-schema.ts';
import { readabilityProblem } from './named-files.ts';

/** A port as a configuration file, or a call of the control API, wants it. */
export interface WantedPort {
  /** identifies the port across versions of the file: its name, else its kind and target */
  readonly id: string;
  /** how it is opened; a client port dials in the background unless the file says `wait: true` */
  readonly spec: PortSpec;
  /** files whose first lines are secrets of the port, by option */
  readonly secretFiles: { readonly passwd?: string; readonly token?: string };
  readonly settings: PortSettings;
  /** `file:line:column` */
  readonly place: string;
}

/** Settings that are applied when the port is open. */
export interface PortSettings extends Pick<InterfaceSpec, 'addresses' | 'mtu'>, BridgePortValues {
  readonly shut?: boolean;
}

/** The ports of a file, with absolute paths. */
export function wantedPorts(ports: readonly FilePort[], written: Written): WantedPort[] {
  return ports.map((port, at) => wantedPort(port, ['ports', at], written));
}

export function idOf({ type, target, name }: { type: string; target: string; name?: string | undefined }): string {
  return name === undefined || name === '' ? `${type} ${target}` : `name ${name}`;
}

/** Unreadable files, and duplicate ports. @param ports as written */
export function portProblems(ports: unknown, written: Written): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, Path>();
  for (const [at, port] of (Array.isArray(ports) ? ports : []).entries()) {
    if (typeof port !== 'object' || port === null) continue;
    const path: Path = ['ports', at];
    problems.push(...fileProblems(port.options, [...path, 'options'], written));
    const isClient = port.type === 'client';
    // Several tunnels may have the same URL; a device can be a port only once.
    const keys = [
      ...(typeof port.name === 'string' ? ['name'] : []),
      ...(isClient && port.name !== undefined ? [] : ['target']),
    ];
    for (const key of keys) {
      const value: unknown = port[key];
      const id = `${key === 'name' ? key : port.type} ${String(value)}`;
      const first = seen.get(id);
      if (first === undefined) seen.set(id, [...path, key]);
      else if (typeof value === 'string' && value !== '')
        problems.push(duplicate([...path, key], first, value, written));
    }
  }
  return problems;
}

function duplicate(path: Path, first: Path, value: string, written: Written): Problem {
  const place = written.placeOf(first) ?? '';
  return problemAt(path, { sentence: `{name} {value} is that of the port at ${place}, too` }, value);
}

function wantedPort(port: FilePort, path: Path, written: Written): WantedPort {
  const { type, target, name, description, network, shut } = port;
  const { addresses, mtu } = port.type === 'client' ? {} : port;
  const { passwdFile, tokenFile, ...options } = withAbsolutePaths(port.options ?? {}, [...path, 'options'], written);
  const given = type === 'client' ? { wait: false, ...options } : options;
  return {
    id: idOf({ type, target, name }),
    spec: {
      type,
      target,
      ...(Object.keys(given).length === 0 ? {} : { options: given }),
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(network === undefined ? {} : { network }),
    } as PortSpec,
    secretFiles: {
      ...(passwdFile === undefined ? {} : { passwd: String(passwdFile) }),
      ...(tokenFile === undefined ? {} : { token: String(tokenFile) }),
    },
    settings: {
      ...(shut === undefined ? {} : { shut }),
      ...(addresses === undefined ? {} : { addresses }),
      ...(mtu === undefined ? {} : { mtu }),
      ...bridgePortValues(port),
    },
    place: written.placeOf(path) ?? '',
  };
}

const FILE_KEYS = Object.entries<Row>(FILE_DIAL_OPTIONS satisfies Table).flatMap(([key, { file }]) =>
  file === undefined ? [] : [key],
);

function withAbsolutePaths(options: object, path: Path, written: Written): Record<string, unknown> {
  const result: Record<string, unknown> = { ...options };
  for (const key of FILE_KEYS) {
    const file = result[key];
    if (typeof file === 'string') result[key] = resolve(written.directoryOf([...path, key]), file);
  }
  return result;
}

function fileProblems(options: unknown, path: Path, written: Written): Problem[] {
  if (typeof options !== 'object' || options === null) return [];
  return FILE_KEYS.flatMap((key) => {
    const file = (options as Record<string, unknown>)[key];
    const problem =
      typeof file === 'string' && file !== '' ? readabilityProblem([...path, key], file, written) : undefined;
    return problem ?? [];
  });
}
