import { EtherwsError } from '../errors.ts';
import { check } from '../schema/check.ts';
import type { AnyCaptureEntry, CaptureEntry, ClusterCaptureEntry } from './capture-entries.ts';
import type { ClusterCaller, ClusterControl } from './cluster-entries.ts';
import type { DrainControl } from './drain-entries.ts';
import type { HealthControl } from './finding-entries.ts';
import type { Method, MethodMap } from './json-rpc.ts';
import type { LogLevels } from './log-level-entries.ts';
import type { LoginEntry } from './login-entries.ts';
import { type AllowedNetworks, METHOD_REACH, requireReach, visibleEntries, withoutOthers } from './method-reach.ts';
import type { EndedObservationEntry, ObservationEntry } from './observe-entries.ts';
import {
  type ConfigurationControl,
  type Entries,
  METHOD_PREFIX,
  METHODS,
  type MethodName,
  type ParamsOf,
  type PortReference,
  type SubscriptionEntry,
  type SwitchControl,
} from './schema.ts';

/** The methods that depend on the caller, or need a connection that stays open. */
export interface ConnectionMethods {
  /** Makes a one-time login for the caller. */
  createLogin(): LoginEntry;
  /** Subscribes the connection, instead of its last subscription. */
  subscribe(params: ParamsOf<'subscribe'>): SubscriptionEntry;
  /** Observes tables by the connection, instead of those before. */
  observe(params: ParamsOf<'observe'>): ObservationEntry;
  unobserve(): EndedObservationEntry;
  /** Subscribes the connection to events of all nodes, instead of its last subscription. @throws EtherwsError METHOD_FORBIDDEN */
  subscribeCluster(params: ParamsOf<'subscribeCluster'>, caller: ClusterCaller): SubscriptionEntry;
  capture(params: ParamsOf<'capture'>): Promise<CaptureEntry[]>;
  /** @throws EtherwsError METHOD_FORBIDDEN */
  captureCluster(params: ParamsOf<'captureCluster'>, caller: ClusterCaller): Promise<ClusterCaptureEntry[]>;
  endCapture(): AnyCaptureEntry[];
}

/** The caller of a method. */
export interface MethodCaller {
  /** null if no credentials are required */
  readonly user: string | null;
  /** @param method without prefix */
  mayCall(method: string): boolean;
}

/** A method of the control API. @param allowed the networks that its caller may reach */
type ControlMethod = (params: unknown, allowed?: AllowedNetworks, caller?: MethodCaller) => unknown;

const ANY_CALLER: MethodCaller = { user: null, mayCall: () => true };

/** The methods by their full names; it has no prototype. As a MethodMap they reach all networks. */
export type ControlMethods = Readonly<Record<string, ControlMethod>>;

/** The rights of users. Absent functions allow everything. */
export interface UserRights {
  /** @param method without prefix. @param user null if no credentials are required */
  readonly mayCall?: ((user: string | null, method: MethodName) => boolean) | undefined;
  /** The networks that a user may reach; undefined: all, and the switch itself. */
  readonly networksOf?: ((user: string | null) => AllowedNetworks) | undefined;
}

/** The same, none forgotten. */
export type AllRights = { readonly [K in keyof UserRights]-?: UserRights[K] | undefined };

/**
 * The methods of the control API, implemented by `service`.
 * @param connection default: refuses, since a connection that ends with the response carries no notifications
 */
export function controlMethods(service: SwitchControl, connection: ConnectionMethods = NO_STREAM): ControlMethods {
  const methods: Record<string, ControlMethod> = Object.create(null);

  function define<M extends MethodName>(
    name: M,
    handler: (
      params: ParamsOf<M>,
      caller: MethodCaller,
      allowed: AllowedNetworks,
    ) => Entries[M][] | Promise<Entries[M][]>,
  ): void {
    const { params } = METHODS[name];
    methods[METHOD_PREFIX + name] = async (given, allowed, caller = ANY_CALLER) => {
      const checked = check(params, given) as ParamsOf<M>;
      const own = (): Entries[M][] | Promise<Entries[M][]> => handler(checked, caller, allowed);
      const run = (): Entries[M][] | Promise<Entries[M][]> => service.processes?.call(name, checked, own) ?? own();
      if (allowed === undefined) return { entries: await run() };
      const ports = await portsOf(service, checked);
      requireReach(name, checked, allowed, ports);
      try {
        return { entries: visibleEntries(name, await run(), allowed, ports) };
      } catch (error) {
        throw withoutOthers(error, checked, allowed);
      }
    };
  }

  define('addPort', async (spec) => [await service.addPort(spec)]);
  define('setPort', async ({ port, ...settings }) => [await service.setPort(port, settings)]);
  define('delPort', async ({ port }) => [await service.delPort(port)]);
  define('listPort', ({ network }) => service.listPorts(network));
  define('setInterface', async ({ port, ...change }) => [await service.setInterface(port, change)]);
  define('listInterface', () => service.listInterfaces());
  define('listFdb', ({ network }) => service.listFdb(network));
  define('addFdb', async (spec) => [await service.addFdb(spec)]);
  define('delFdb', async (spec) => [await service.delFdb(spec)]);
  define('flushFdb', (spec) => [service.flushFdb(spec)]);
  define('listStation', ({ network }) => service.listStations(network));
  define('listMdb', ({ network }) => service.listMdb(network));
  define('addMdb', async (spec) => [await service.addMdb(spec)]);
  define('delMdb', async (spec) => [await service.delMdb(spec)]);
  define('listDoor', () => service.listEndpoints());
  define('getPort', ({ port }) => [service.getPort(port)]);
  define('getStatus', () => [service.getStatus()]);
  define('listFinding', () => healthOf(service).findings());
  const { networks } = service;
  define('addNet', async ({ network, ...settings }) => [await networks.add(network, settings)]);
  define('setNet', async ({ network, ...settings }) => [await networks.set(network, settings)]);
  define('delNet', async ({ network, force = false }) => [await networks.remove(network, force)]);
  define('listNet', () => networks.list());
  define('listStp', ({ network }) => service.listStp(network));
  define('planReload', () => configurationOf(service).plan());
  define('reload', () => configurationOf(service).reload());
  define('getConfig', async () => [await configurationOf(service).save()]);
  define('listVlan', ({ network }) => service.listVlans(network));
  define('listNeighbor', ({ network }) => service.listNeighbors(network));
  define('listRate', ({ ports }) => service.listRates(ports));
  define('ping', async (spec) => [await service.reach.ping(spec)]);
  define('trace', (spec) => service.reach.trace(spec));
  define('listLogLevel', () => logLevelsOf(service).levels());
  define('setLogLevel', ({ level, room }) => {
    const log = logLevelsOf(service);
    log.setLevel(level, room);
    return log.levels();
  });
  define('createLogin', () => [connection.createLogin()]);
  define('callCluster', (call, { user, mayCall }, allowed) =>
    clusterOf(service).call(call, { user, mayCall, allowed }),
  );
  define('addClusterNet', async ({ network, ...settings }, { user }) => [
    await clusterOf(service).addNetwork(network, settings, user),
  ]);
  define('setClusterNet', async ({ network, revision, ...settings }, { user }) => [
    await clusterOf(service).setNetwork(network, settings, user, revision),
  ]);
  define('delClusterNet', async ({ network, revision }, { user }) => [
    await clusterOf(service).removeNetwork(network, user, revision),
  ]);
  define('getClusterPolicy', () => clusterOf(service).policy());
  define('setClusterPolicy', async (change, { user }) => [await clusterOf(service).setPolicy(change, user)]);
  define('listClusterHistory', ({ key }) => clusterOf(service).history(key));
  define('rollbackCluster', async ({ key, revision }, { user }) => [
    await clusterOf(service).rollback(key, revision, user),
  ]);
  define('drain', async ({ off = false }) => {
    const draining = drainingOf(service);
    return [await (off ? draining.end() : draining.drain())];
  });
  define('subscribe', (params) => [connection.subscribe(params)]);
  define('subscribeCluster', (params, { user, mayCall }, allowed) => [
    connection.subscribeCluster(params, { user, mayCall, allowed }),
  ]);
  define('observe', (params) => [connection.observe(params)]);
  define('unobserve', () => [connection.unobserve()]);
  define('capture', (params) => connection.capture(params));
  define('captureCluster', (params, { user, mayCall }, allowed) =>
    connection.captureCluster(params, { user, mayCall, allowed }),
  );
  define('endCapture', () => connection.endCapture());
  return Object.freeze(methods);
}

/**
 * The same methods for one user; those that the user may not call fail with METHOD_FORBIDDEN, and others reach the
 * user's networks only. The rights are those at the time of each call: a batch may take hours.
 * @param before called before each call; one that throws or rejects refuses it
 */
export function methodsOf(
  all: ControlMethods,
  user: string | null,
  { mayCall, networksOf }: UserRights,
  before: () => Promise<void> | undefined = () => undefined,
): MethodMap {
  const methods: Record<string, Method> = Object.create(null);
  const caller: MethodCaller = { user, mayCall: (method) => mayCall?.(user, method as MethodName) ?? true };
  for (const name of Object.keys(METHODS) as MethodName[]) {
    const fullName = METHOD_PREFIX + name;
    const method = all[fullName] as ControlMethod;
    const run: Method = (params) => {
      const allowed = networksOf?.(user);
      return (mayCall?.(user, name) ?? true) ? method(params, allowed, caller) : forbid(user, name, allowed);
    };
    methods[fullName] = (params) => {
      const checked = before();
      return checked === undefined ? run(params) : checked.then(() => run(params));
    };
  }
  return methods;
}

/** The networks of ports, with those of other processes that a call names. */
async function portsOf(service: SwitchControl, params: object): Promise<Pick<SwitchControl, 'networkOf'>> {
  const { processes } = service;
  if (processes === undefined) return service;
  const { port, ports = [] } = params as { readonly port?: PortReference; readonly ports?: readonly PortReference[] };
  const others = new Map<PortReference, string>();
  for (const reference of port === undefined ? ports : [port]) {
    const found = service.networkOf(reference) ?? (await processes.networkOf(reference));
    if (found !== undefined) others.set(reference, found);
  }
  return { networkOf: (reference) => service.networkOf(reference) ?? others.get(reference) };
}

function configurationOf({ configuration }: SwitchControl): ConfigurationControl {
  if (configuration !== undefined) return configuration;
  throw new EtherwsError('CONFIG_INVALID', 'This switch is part of another program, and has no configuration', {
    hint: 'The program that it is part of configures it',
  });
}

function logLevelsOf({ logLevels }: SwitchControl): LogLevels {
  if (logLevels !== undefined) return logLevels;
  throw new EtherwsError('REQUEST_REFUSED', 'This switch is part of another program, and has no log of its own', {
    hint: 'The program that it is part of sets the level',
  });
}

function healthOf({ health }: SwitchControl): HealthControl {
  if (health !== undefined) return health;
  throw new EtherwsError('REQUEST_REFUSED', 'This switch is part of another program, which examines itself', {
    hint: 'getStatus tells how the switch is',
  });
}

function drainingOf({ draining }: SwitchControl): DrainControl {
  if (draining !== undefined) return draining;
  throw new EtherwsError('REQUEST_REFUSED', 'This switch is no node of a cluster', {
    hint: 'Start it with --cluster; without one no other node takes its clients',
  });
}

/** @throws EtherwsError REQUEST_REFUSED for a switch that is no node */
export function clusterOf({ cluster }: SwitchControl): ClusterControl {
  if (cluster !== undefined) return cluster;
  throw new EtherwsError('REQUEST_REFUSED', 'This switch is no node of a cluster', {
    hint: 'Start it with --cluster, or call without --cluster',
  });
}

/** Those of a request of its own, which has no console. */
export const NO_STREAM: ConnectionMethods = {
  createLogin: () => refuseLogin(),
  subscribe: () => refuseStream('Events come', 'subscribe there, as etherws ctl watch does'),
  observe: () => refuseStream('Tables and their differences come', 'observe there'),
  unobserve: () => refuseStream('Tables and their differences come', 'unobserve where observe was called'),
  subscribeCluster: () => refuseStream('Events come', 'subscribeCluster there, as etherws ctl --cluster watch does'),
  capture: () => refuseStream('Captures come', 'capture there, as etherws ctl capture does'),
  captureCluster: () => refuseStream('Captures come', 'captureCluster there, as etherws ctl --cluster capture does'),
  endCapture: () => refuseStream('Captures come', 'endCapture where capture was called'),
};

/** @throws EtherwsError CONSOLE_UNAVAILABLE */
export function refuseLogin(): never {
  throw new EtherwsError('CONSOLE_UNAVAILABLE', 'This switch serves no console', {
    hint: 'It is part of the control API over TCP: start the switch without --no-console and --no-ctl-tcp',
  });
}

function refuseStream(what: string, how: string): never {
  throw new EtherwsError('REQUEST_REFUSED', `${what} by WebSocket, and this is a request of its own`, {
    hint: `Open a WebSocket to the control API and call ${how}`,
  });
}

function forbid(user: string | null, name: MethodName, allowed: AllowedNetworks): never {
  const isBeyond = allowed !== undefined && METHOD_REACH[name] === 'switch';
  throw new EtherwsError(
    'METHOD_FORBIDDEN',
    user === null ? `A caller without credentials may not call ${name}` : `The user ${user} may not call ${name}`,
    {
      hint: isBeyond
        ? `It is about the whole switch, and the policy limits this user to the networks ${allowed.join(', ')}`
        : 'The operator of the switch can allow it in its policy',
    },
  );
}
