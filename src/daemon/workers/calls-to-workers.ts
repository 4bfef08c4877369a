import type { CaptureReader, CaptureSpec, SwitchCapture } from '../../control/capture-entries.ts';
import type { Lister } from '../../control/live/listed.ts';
import type { TableName } from '../../control/live/table-keys.ts';
import type { OpenNodeStream } from '../../control/nodes/node-stream.ts';
import type { ProcessCalls } from '../../control/process-calls.ts';
import type {
  EndpointEntry,
  Entries,
  MethodName,
  PortReference,
  StatusEntry,
  SwitchControl,
} from '../../control/schema.ts';
import { codeOf, describeError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { captureOfProcesses } from './capture-of-processes.ts';
import { type AnyEntry, doorsOf, isOutside, mdbOf, networksOf, statusOf, summed, vlansOf } from './merged-entries.ts';
import { tableOfProcesses } from './tables-of-workers.ts';

/**
 * Port numbers of worker 2 begin behind this number, those of worker 3 behind twice of it: they are unique in the service. Numbers are
 * not reused, and a service may have a new tunnel several times a second for years; those of 8 workers fit into 32 bits.
 */
export const NUMBERS_OF_EACH = 500_000_000;

const FIRST = 1;
/** What a process says of a port or an address that another one has. */
const NOT_HERE: readonly string[] = ['PORT_NOT_FOUND', 'ADDRESS_UNKNOWN'];

export interface CallsToWorkersOptions {
  /** the numbers of the workers that answer */
  readonly workers: () => readonly number[];
  /** Has a worker run a method. @throws EtherwsError that of the worker; CLUSTER_TIMEOUT or CLUSTER_UNAVAILABLE when it ends */
  readonly ask: (worker: number, method: MethodName, params: object) => Promise<readonly unknown[]>;
  /** ports and captures of this process */
  readonly own: Pick<SwitchControl, 'capture' | 'networkOf' | 'eachPort'>;
  readonly open: OpenNodeStream;
  readonly logger: Logger;
}

/** The lists that are those of all processes, one behind the other. */
const LISTS: ReadonlySet<MethodName> = new Set(['listPort', 'listFdb', 'listStation', 'listNeighbor', 'listRate']);
/** What is about one port, which is in one process. */
const OF_PORT: ReadonlySet<MethodName> = new Set(['getPort', 'setPort', 'delPort', 'addFdb', 'addMdb', 'delMdb']);
/** What is the same in all processes. */
const EVERYWHERE: ReadonlySet<MethodName> = new Set(['addNet', 'setNet', 'delNet']);

/** Lets callers of the first process see and command the ports of its workers as its own. */
export class CallsToWorkers implements ProcessCalls {
  readonly #options: CallsToWorkersOptions;

  constructor(options: CallsToWorkersOptions) {
    this.#options = options;
  }

  async call<M extends MethodName>(
    method: M,
    params: object,
    own: () => Entries[M][] | Promise<Entries[M][]>,
  ): Promise<Entries[M][]> {
    return (await this.#call(method, params, own as () => unknown as () => AnyEntry[])) as Entries[M][];
  }

  async networkOf(port: PortReference): Promise<string | undefined> {
    const number = await this.#processOf(port);
    if (number === FIRST) return this.#options.own.networkOf(port);
    const [page] = (await this.#options.ask(number, 'getPort', { port })) as readonly { readonly network: string }[];
    return page?.network;
  }

  capture(spec: Omit<CaptureSpec, 'duration'>, reader: CaptureReader): Promise<SwitchCapture> {
    return captureOfProcesses({ ...this.#options, processOf: (port) => this.#processOf(port) }, spec, reader);
  }

  table(name: TableName, own: Lister): Lister {
    return tableOfProcesses(this.#options, name, own);
  }

  /** A number tells the process; a name is looked for. The first one also for a port that there is not. */
  async #processOf(port: PortReference): Promise<number> {
    const workers = this.#options.workers();
    if (typeof port === 'number') {
      const number = Math.floor((port - 1) / NUMBERS_OF_EACH) + 1;
      return workers.includes(number) ? number : FIRST;
    }
    if (this.#options.own.networkOf(port) !== undefined) return FIRST;
    const pages = await this.#askAll('getPort', { port });
    return workers[pages.findIndex((page) => page.length > 0)] ?? FIRST;
  }

  async #call(
    method: MethodName,
    params: { readonly port?: unknown },
    own: () => AnyEntry[] | Promise<AnyEntry[]>,
  ): Promise<readonly unknown[]> {
    if (LISTS.has(method)) return (await this.#all(method, params, own)).filter(isOutside);
    if (OF_PORT.has(method)) return this.#atPort(method, params, own);
    if (EVERYWHERE.has(method)) {
      const entries = await own();
      // A worker that has just made or removed the network by itself is no failure of the call.
      await this.#askAll(method, params);
      return entries;
    }
    switch (method) {
      case 'listNet':
        return networksOf(await this.#all(method, params, own), await this.#ports());
      case 'listMdb':
        return mdbOf(await this.#all(method, params, own), await this.#ports());
      case 'listVlan':
        return vlansOf(await this.#all(method, params, own), await this.#ports());
      case 'delFdb':
        return this.#first([own, ...this.#askers(method, params)], 'ADDRESS_UNKNOWN');
      case 'flushFdb':
        return params.port === undefined
          ? [summed([...(await own()), ...(await this.#askAll(method, params)).flat()])]
          : this.#atPort(method, params, own);
      case 'trace':
        return this.#trace(params, own);
      case 'ping':
        return Promise.all((await own()).map((entry) => this.#placed(entry, params)));
      case 'listDoor':
        return doorsOf([await own(), ...(await this.#askAll(method, params))] as unknown as EndpointEntry[][]);
      case 'getStatus':
        return [
          statusOf([...(await own()), ...(await this.#askAll(method, params)).flat()] as unknown as StatusEntry[]),
        ];
      default:
        return own();
    }
  }

  async #all(
    method: MethodName,
    params: object,
    own: () => AnyEntry[] | Promise<AnyEntry[]>,
  ): Promise<readonly AnyEntry[]> {
    return [await own(), ...(await this.#askAll(method, params))].flat();
  }

  /** The ports of all processes, those of the mesh between them, too. */
  async #ports(): Promise<readonly AnyEntry[]> {
    return this.#all('listPort', {}, () => [...this.#options.own.eachPort()] as unknown as AnyEntry[]);
  }

  /** A number tells the process; a name is looked for. */
  async #atPort(
    method: MethodName,
    params: { readonly port?: unknown },
    own: () => AnyEntry[] | Promise<AnyEntry[]>,
  ): Promise<readonly unknown[]> {
    const { port } = params;
    if (typeof port !== 'number') return this.#first([own, ...this.#askers(method, params)], 'PORT_NOT_FOUND');
    const number = await this.#processOf(port);
    return number === FIRST ? own() : this.#options.ask(number, method, params);
  }

  #askers(method: MethodName, params: object): (() => Promise<readonly unknown[]>)[] {
    return this.#options.workers().map((worker) => () => this.#options.ask(worker, method, params));
  }

  /** The result of the first one that does not fail with `code`. @throws the error of the first one, or another error */
  async #first(
    tries: readonly (() => readonly unknown[] | Promise<readonly unknown[]>)[],
    code: string,
  ): Promise<readonly unknown[]> {
    let failure: unknown;
    for (const attempt of tries) {
      try {
        return await attempt();
      } catch (error) {
        failure ??= error;
        if (codeOf(error) !== code) throw error;
      }
    }
    throw failure;
  }

  /** The ports of all processes, or only those that the address is known at. @throws ADDRESS_UNKNOWN if no process knows it */
  async #trace(params: object, own: () => AnyEntry[] | Promise<AnyEntry[]>): Promise<readonly AnyEntry[]> {
    let failure: unknown;
    const first = await Promise.resolve()
      .then(own)
      .catch((error: unknown) => {
        if (codeOf(error) !== 'ADDRESS_UNKNOWN') throw error;
        failure = error;
        return [];
      });
    const all = [first, ...(await this.#askAll('trace', params))].flat().filter(isOutside);
    const known = all.filter((entry) => entry['decision'] === 'forward');
    if (failure !== undefined && known.length === 0) throw failure;
    return known.length > 0 ? known : all;
  }

  /** An answer to a ping with the port of the process that the station is at. */
  async #placed(entry: AnyEntry, params: object): Promise<AnyEntry> {
    const { meshNode, ...rest } = entry;
    if (meshNode === undefined) return entry;
    const [place] = await this.#trace({ ...params, target: entry['mac'], wait: undefined }, () => []);
    return place === undefined ? rest : { ...rest, port: place['port'], portName: place['portName'] };
  }

  /** The results of the workers; one that cannot answer is left out. */
  async #askAll(method: MethodName, params: object): Promise<AnyEntry[][]> {
    const asked = this.#options.workers().map(async (worker) => {
      try {
        return (await this.#options.ask(worker, method, params)) as AnyEntry[];
      } catch (error) {
        if (NOT_HERE.includes(codeOf(error))) return [];
        this.#options.logger.warn({ worker, method, reason: describeError(error) }, 'a worker did not answer');
        return [];
      }
    });
    return Promise.all(asked);
  }
}
