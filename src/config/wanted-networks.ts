import { type Path, type Problem, problemAt } from '../schema/check.ts';
import { DEFAULT_NETWORK, type NetworkChange } from '../schema/network-options.ts';
import type { Written } from '../schema/written.ts';
import type { FileNetwork } from './file-schema.ts';

/** A network as a configuration file, or a call of the control API, wants it. */
export interface WantedNetwork {
  readonly name: string;
  /** absent ones have their defaults */
  readonly settings: NetworkChange;
  /** `file:line:column` */
  readonly place: string;
}

/** The networks of a file. */
export function wantedNetworks(networks: readonly FileNetwork[], written: Written): WantedNetwork[] {
  return networks.map(({ name, ...settings }, at) => ({
    name,
    settings,
    place: written.placeOf(['networks', at]) ?? '',
  }));
}

/** Networks that the file has twice, and ports of networks that it does not have. @param document as written */
export function networkProblems(document: unknown, written: Written): Problem[] {
  const { networks, ports } = (document ?? {}) as { readonly networks?: unknown; readonly ports?: unknown };
  const problems: Problem[] = [];
  const seen = new Map<unknown, Path>();
  for (const [at, network] of objectsIn(networks)) {
    const path: Path = ['networks', at, 'name'];
    const { name } = network;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, path);
    else if (typeof name === 'string') {
      const place = written.placeOf(first) ?? '';
      problems.push(problemAt(path, { sentence: `{name} {value} is that of the network at ${place}, too` }, name));
    }
  }
  for (const [at, { network }] of objectsIn(ports)) {
    if (typeof network !== 'string' || network === DEFAULT_NETWORK || seen.has(network)) continue;
    const hint = `There are ${[DEFAULT_NETWORK, ...[...seen.keys()].filter((name) => name !== DEFAULT_NETWORK)].join(', ')}`;
    const complaint = { sentence: '{name} {value} is no network of this file', hint };
    problems.push(problemAt(['ports', at, 'network'], complaint, network));
  }
  return problems;
}

function* objectsIn(list: unknown): Iterable<[number, Readonly<Record<string, unknown>>]> {
  for (const [at, item] of (Array.isArray(list) ? list : []).entries()) {
    if (typeof item === 'object' && item !== null) yield [at, item];
  }
}
