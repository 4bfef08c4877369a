import { EtherwsError } from '../errors.ts';
import type { Method, MethodMap } from './json-rpc.ts';
import { METHOD_PREFIX, METHODS, type MethodName, type Methods, type SwitchControl } from './schema.ts';

/** The control API over `service`, by full method names. */
export function controlMethods(service: SwitchControl): MethodMap {
  const methods: Record<string, Method> = Object.create(null);

  function define<M extends MethodName>(
    name: M,
    handler: (params: Methods[M]['params']) => Methods[M]['entry'][] | Promise<Methods[M]['entry'][]>,
  ): void {
    const { params } = METHODS[name];
    methods[METHOD_PREFIX + name] = async (given) => ({ entries: await handler(params.read(given, '')) });
  }

  define('addPort', async (spec) => [await service.addPort(spec)]);
  define('setPort', ({ port, ...settings }) => [service.setPort(port, settings)]);
  define('delPort', async ({ port }) => [await service.delPort(port)]);
  define('listPort', () => service.listPorts());
  define('setInterface', ({ port, ...change }) => [service.setInterface(port, change)]);
  define('listInterface', () => service.listInterfaces());
  define('listFdb', () => service.listFdb());
  define('listDoor', () => service.listEndpoints());
  return Object.freeze(methods);
}

/**
 * The same methods, as one user may call them.
 * @param mayCall by the name without prefix; undefined: everybody may call all
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

function forbid(user: string | null, name: MethodName): never {
  throw new EtherwsError(
    'METHOD_FORBIDDEN',
    user === null ? `Without a name nobody may call ${name}` : `The user ${user} may not call ${name}`,
    {
      hint: 'Who runs the switch can allow it in its policy',
    },
  );
}
