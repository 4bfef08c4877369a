import type { TestContext } from 'node:test';
import type { EndpointEntry, PortEntry } from '../../src/control/schema.ts';
import type { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import { ETHERWS } from './etherws.ts';
import { call } from './http.ts';
import { Process } from './process.ts';

/**
 * `etherws sw` as a process, on free ports of the loopback, with the log level
 * debug. For tests in namespaces there is `EtherwsSwitch`.
 */
export class SwitchProcess {
  readonly process: Process;
  readonly tunnelPort: number;
  readonly controlPort: number;
  /** the credentials for its control API, and the certificate authority of that */
  readonly #access: { readonly headers: Readonly<Record<string, string>>; readonly ca?: Buffer };

  private constructor(process: Process, headers: Readonly<Record<string, string>>, ca: Buffer | undefined) {
    this.process = process;
    this.#access = ca === undefined ? { headers } : { headers, ca };
    this.tunnelPort = portOf(process.stderr, 'tunnels');
    this.controlPort = portOf(process.stderr, 'control');
  }

  /**
   * Starts a switch with these options, and ends it after the test.
   * @param headers the credentials of `call`
   * @param ca the certificate authority of its control API, for TLS
   */
  static async start(
    t: TestContext,
    options: readonly string[] = [],
    headers: Readonly<Record<string, string>> = {},
    ca?: Buffer,
  ): Promise<SwitchProcess> {
    const loopback = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
    const command = [...ETHERWS, 'sw', '--foreground', '--debug', '--logformat', 'json', ...loopback, ...options];
    const process = new Process(command, { timeoutMs: 600_000 });
    t.after(() => process.end());
    await process.output(/"msg":"ready"/);
    return new SwitchProcess(process, headers, ca);
  }

  /** Its whole log. */
  get log(): string {
    return this.process.stderr + this.process.stdout;
  }

  /** Calls a method of the control API, named without prefix. @throws Error with the response if the call fails */
  async call<Result>(method: string, params: object = {}): Promise<Result> {
    const { body } = await call({ port: this.controlPort, ...this.#access }, method, params);
    const { result } = JSON.parse(body) as { result?: Result };
    if (result === undefined) throw new Error(`${method}: ${body}`);
    return result;
  }

  async ports(): Promise<PortEntry[]> {
    return (await this.call<{ entries: PortEntry[] }>('listPort')).entries;
  }

  async endpointCounters(
    service: EndpointEntry['service'],
  ): Promise<Readonly<Partial<Record<keyof EndpointCounters, number>>>> {
    const { entries } = await this.call<{ entries: EndpointEntry[] }>('listDoor');
    return entries.find((entry) => entry.service === service)?.counters ?? {};
  }
}

function portOf(log: string, service: string): number {
  for (const line of log.split('\n')) {
    if (!line.includes('"listening"')) continue;
    const record = JSON.parse(line) as { service?: string; port?: number };
    if (record.service === service) return record.port ?? 0;
  }
  throw new Error(`no port of ${service} in ${log}`);
}
