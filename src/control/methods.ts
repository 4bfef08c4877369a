import { EtherwsError } from '../errors.ts';
import { check } from '../schema/check.ts';
import type { CaptureEntry } from './capture-entries.ts';
import type { Method, MethodMap } from './json-rpc.ts';
import type { LogLevels } from './log-level-entries.ts';
import {
  type ConfigurationControl,
  type Entries,
  METHOD_PREFIX,
  METHODS,
  type MethodName,
  type ParamsOf,
  type SubscriptionEntry,
  type SwitchControl,
} from './schema.ts';

/** The methods that need a connection that stays open. */
export interface StreamMethods {
  /** Subscribes the connection, instead of its last subscription. */
  subscribe(params: ParamsOf<'subscribe'>): SubscriptionEntry;
  capture(params: ParamsOf<'capture'>): CaptureEntry[];
  endCapture(): CaptureEntry[];
}

/**
 * The methods of the control API, implemented by `service`.
 * @param stream default: refuses, since a connection that ends with the response carries no notifications
 */
export function controlMethods(service: SwitchControl, stream: StreamMethods = NO_STREAM): MethodMap {
  const methods: Record<string, Method> = Object.create(null);

  function define<M extends MethodName>(
    name: M,
    handler: (params: ParamsOf<M>) => Entries[M][] | Promise<Entries[M][]>,
  ): void {
    const { params } = METHODS[name];
    methods[METHOD_PREFIX + name] = async (given) => ({ entries: await handler(check(params, given) as ParamsOf<M>) });
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
  define('listMdb', ({ network }) => service.listMdb(network));
  define('listDoor', () => service.listEndpoints());
  define('getPort', ({ port }) => [service.getPort(port)]);
  define('getStatus', () => [service.getStatus()]);
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
  define('ping', async (spec) => [await service.reach.ping(spec)]);
  define('trace', (spec) => service.reach.trace(spec));
  define('listLogLevel', () => logLevelsOf(service).levels());
  define('setLogLevel', ({ level, room }) => {
    const log = logLevelsOf(service);
    log.setLevel(level, room);
    return log.levels();
  });
  define('subscribe', (params) => [stream.subscribe(params)]);
  define('capture', (params) => stream.capture(params));
  define('endCapture', () => stream.endCapture());
  return Object.freeze(methods);
}

/**
 * The same methods for one user; those that the user may not call fail with METHOD_FORBIDDEN.
 * @param mayCall called with the name without prefix; undefined: all are allowed
 */
export function methodsOf(
  all: MethodMap,
  user: string | null,
  mayCall: ((user: string | null, method: MethodName) => boolean) | undefined,
): MethodMap {
  if (mayCall === undefined) return all;
  const methods: Record<string, Method> = Object.create(null);
  for (const name of Object.keys(METHODS) as MethodName[]) {
    const fullName = METHOD_PREFIX + name;
    methods[fullName] = mayCall(user, name) ? (all[fullName] as Method) : () => forbid(user, name);
  }
  return methods;
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

const NO_STREAM: StreamMethods = {
  subscribe: () => refuseStream('Events come', 'subscribe there, as etherws ctl watch does'),
  capture: () => refuseStream('Captures come', 'capture there, as etherws ctl capture does'),
  endCapture: () => refuseStream('Captures come', 'endCapture where capture was called'),
};

function refuseStream(what: string, how: string): never {
  throw new EtherwsError('REQUEST_REFUSED', `${what} by WebSocket, and this is a request of its own`, {
    hint: `Open a WebSocket to the control API and call ${how}`,
  });
}

function forbid(user: string | null, name: MethodName): never {
  throw new EtherwsError(
    'METHOD_FORBIDDEN',
    user === null ? `A caller without credentials may not call ${name}` : `The user ${user} may not call ${name}`,
    {
      hint: 'The operator of the switch can allow it in its policy',
    },
  );
}
