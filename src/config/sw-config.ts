import { availableParallelism } from 'node:os';
import { domainToASCII } from 'node:url';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import { type Network, parseNetwork } from '../net/trusted-proxies.ts';
import type { LogFormat } from '../observability/logger.ts';
import type { AesChoice } from '../ports/stream/tls/aes.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';
import { examine, type Problem, problemAt } from '../schema/check.ts';
import { TUNNEL_OPTIONS } from '../schema/service-options.ts';
import { DAEMON_OPTIONS, HOOK_OPTIONS, SWITCH_OPTIONS, type SwValues } from '../schema/sw-options.ts';
import { type ListenAddress, parseListenAddress, parseWorkers } from '../schema/sw-values.ts';
import type { Written } from '../schema/written.ts';
import { parseReservedSet, type ReservedSet } from '../wire/ethernet/reserved-address.ts';
import { clusterSection } from './cluster-section.ts';
import { type EndpointLimits, endpointLimits, limitsOfEach } from './endpoint-limits.ts';
import { configurationFile, type FileValues } from './file-schema.ts';
import { type LocalControl, localControl } from './local-control.ts';
import { NamedFiles, valueAt } from './named-files.ts';
import {
  consoleProblems,
  controlService,
  type ServiceConfig,
  sharedProblems,
  tunnelService,
} from './service-config.ts';
import { networkProblems, type WantedNetwork, wantedNetworks } from './wanted-networks.ts';
import { portProblems, type WantedPort, wantedPorts } from './wanted-ports.ts';

export interface SwConfig {
  readonly isDebug: boolean;
  readonly isForeground: boolean;
  /** How many processes accept tunnels: this one, and those that it starts. */
  readonly workers: number;
  readonly ageingTimeMs: number;
  readonly fdbCapacity: number;
  /** The reserved group addresses that are forwarded nevertheless. */
  readonly forwardReserved: ReservedSet;
  /** The table of vendors of MAC addresses; undefined: one of the usual places. */
  readonly ouiFile: string | undefined;
  /** The most networks that tunnels make; 0: none. */
  readonly mostAutoNetworks: number;
  /** The most mesh tunnels of such networks. */
  readonly mostAutoMesh: number;
  readonly tunnels: ServiceConfig;
  /** What ports of accepted tunnels have from the start, in all networks. */
  readonly tunnelSettings: BridgePortValues;
  readonly control: ServiceConfig;
  /** Whether both services share one listener. */
  readonly isShared: boolean;
  /** Names in `Host` by which the control API may be addressed, beside addresses and `localhost`. */
  readonly controlNames: readonly string[];
  /** Whether the pages for browsers are served beside the control API. */
  readonly hasConsole: boolean;
  /** How users of this host reach the control API. */
  readonly local: LocalControl;
  /** Web origins whose pages may open tunnels, beside the service's own origin. */
  readonly origins: readonly string[];
  readonly limits: EndpointLimits;
  /** the user that the process becomes once its sockets are open */
  readonly runAs: { readonly user: string; readonly group: string | undefined } | undefined;
  /** proxies whose X-Forwarded-For and PROXY headers are believed */
  readonly trustedProxies: readonly Network[];
  /** the file with the rights of users */
  readonly policyFile: string | undefined;
  /** The wire format of tunnels, accepted and dialled ones. */
  readonly wire: 'auto' | 'raw';
  /** The congestion control of TCP on tunnels: auto, system, or one of the kernel's algorithms. */
  readonly congestion: string;
  /** The library for AES-GCM of tunnels under TLS. */
  readonly aes: AesChoice;
  /** The address where metrics are served without credentials; undefined: none. */
  readonly metricsListen: ListenAddress | undefined;
  /** Programs that are run on events, as `EVENT=PROGRAM`. */
  readonly hooks: readonly string[];
  readonly hookTimeoutMs: number;
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  readonly pidFile: string | undefined;
  /** the file that keeps changes by `etherws ctl` across restarts */
  readonly stateFile: string | undefined;
  /** the options as given, for comparison and for a configuration file; paths are absolute */
  readonly options: SwValues;
  /** the cluster that the switch is a node of */
  readonly cluster: ClusterConfig | undefined;
  /** the networks of the configuration file */
  readonly networks: readonly WantedNetwork[];
  /** the ports of the configuration file */
  readonly ports: readonly WantedPort[];
}

/**
 * Validates all options together, before anything is opened.
 * @param document sections and options as in a configuration file, by the names of the table's rows
 * @throws the error that `written` makes of the problems
 */
export function readConfig(document: unknown, written: Written): SwConfig {
  const { values, problems } = examine(configurationFile, document);
  const files = new NamedFiles(document, written);
  const ports = portProblems(valueAt(document, ['ports']), written);
  const networks = networkProblems(document, written);
  refuse([...problems, ...files.problems, ...networks, ...ports], written);
  const config = configOf(values as FileValues, files, written);
  const { tunnels, control, isShared } = config;
  if (isShared) refuse(sharedProblems(tunnels, control), written);
  if (config.cluster !== undefined && config.workers > 1) refuse([WORKERS_IN_A_CLUSTER], written);
  if (isShared && config.workers > 1) refuse([WORKERS_BEHIND_ONE_PORT], written);
  if (config.hasConsole && config.local.hasTcp) refuse(consoleProblems(tunnels, control, isShared), written);
  return config;
}

/** All workers would have one address, by which other nodes could not reach each of them. */
const WORKERS_IN_A_CLUSTER = problemAt([], {
  sentence: '{.workers} is more than 1, and this switch is a node of a cluster',
  hint: 'Start one node for each processor, each with a port of its own',
});

/** A connection is handed to a worker before a request was read, so it cannot depend on the path of the request. */
const WORKERS_BEHIND_ONE_PORT = problemAt([], {
  sentence: '{.workers} is more than 1, and tunnels and the control API share host and port',
  hint: 'Give {.control.port} another port: the workers accept tunnels only',
});

function refuse([first, ...others]: readonly Problem[], written: Written): void {
  if (first !== undefined) throw written.errorOf([first, ...others]);
}

function configOf(values: FileValues, files: NamedFiles, written: Written): SwConfig {
  const { tunnels: tunnelValues = {}, control: controlValues = {}, daemon = {}, limits = {} } = values;
  const { wire, congestion, aes } = TUNNEL_OPTIONS;
  const [tunnels, control] = [tunnelService(values, files), controlService(values, files)];
  // For port 0 the kernel chooses a free port, so two services with port 0 have different ones.
  const isSamePort = tunnels.listenPort === control.listenPort && control.listenPort !== 0;
  return {
    isDebug: values.debug === true,
    isForeground: values.foreground === true,
    workers: workersOf(values),
    ageingTimeMs: (values.ageout ?? SWITCH_OPTIONS.ageout.default) * 1000,
    fdbCapacity: values.fdbSize ?? SWITCH_OPTIONS.fdbSize.default,
    ouiFile: files.at('oui'),
    forwardReserved: values.forwardReserved === undefined ? 0 : parseReservedSet(values.forwardReserved),
    mostAutoNetworks: values.autoNet ?? 0,
    mostAutoMesh: values.autoNetMesh ?? SWITCH_OPTIONS.autoNetMesh.default,
    tunnels,
    tunnelSettings: tunnelValues.settings ?? {},
    control,
    isShared: tunnels.host === control.host && isSamePort,
    controlNames: (controlValues.names ?? []).map((name) => domainToASCII(name) || name.toLowerCase()),
    hasConsole: controlValues.console ?? true,
    local: localControl(values, files),
    origins: tunnelValues.origins ?? [],
    limits: limitsOfEach(endpointLimits(values), workersOf(values)),
    runAs: daemon.user === undefined ? undefined : { user: daemon.user, group: daemon.group },
    trustedProxies: (limits.trustedProxies ?? []).flatMap((text) => parseNetwork(text) ?? []),
    policyFile: files.at('policy'),
    wire: tunnelValues.wire ?? wire.default,
    congestion: tunnelValues.congestion ?? congestion.default,
    aes: tunnelValues.aes ?? aes.default,
    metricsListen: values.metrics?.listen === undefined ? undefined : parseListenAddress(values.metrics.listen),
    hooks: values.hooks ?? [],
    hookTimeoutMs: (values.hookTimeout ?? HOOK_OPTIONS.hookTimeout.default) * 1000,
    logFormat: daemon.logformat ?? DAEMON_OPTIONS.logformat.default,
    logFile: files.at('daemon', 'logfile'),
    pidFile: files.at('daemon', 'pidfile'),
    stateFile: files.at('daemon', 'state'),
    options: files.withPaths(optionsOf(values)),
    cluster: clusterSection(values, files),
    networks: wantedNetworks(values.networks ?? [], written),
    ports: wantedPorts(values.ports ?? [], written),
  };
}

function workersOf({ workers }: FileValues): number {
  return workers === undefined ? 1 : (parseWorkers(workers, availableParallelism()) ?? 1);
}

function optionsOf({ include: _include, networks: _networks, ports: _ports, ...options }: FileValues): SwValues {
  return options;
}
