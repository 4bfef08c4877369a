import { readFileSync } from 'node:fs';
import type { Port } from '../../../../src/bridge/port.ts';
import type { PortEntry } from '../../../../src/control/schema.ts';
import { dialTunnel } from '../../../../src/index.ts';
import { batchOf } from '../../../../src/wire/ethernet/frame-batch.ts';
import { ETHERWS } from '../../../support/etherws.ts';
import { Process } from '../../../support/process.ts';
import { macOf } from '../sim-node.ts';

const MOST_RUN_MS = 900_000;

/** `etherws sw --cluster …` on the loopback, and a tunnel to it by which frames of its stations come. */
export class NodeProcess {
  readonly name: string;
  readonly tunnelPort: number;
  readonly process: Process;
  readonly #controlPort: number;
  #stations: Port | undefined;

  constructor(
    name: string,
    [tunnelPort, controlPort]: readonly [number, number],
    store: string,
    more: readonly string[],
  ) {
    this.name = name;
    this.tunnelPort = tunnelPort;
    this.#controlPort = controlPort;
    this.process = new Process(
      [
        ...[
          ...ETHERWS,
          'sw',
          '--foreground',
          '--logformat',
          'text',
          '--host',
          '127.0.0.1',
          '--port',
          String(tunnelPort),
        ],
        ...['--ctlport', String(controlPort), '--cluster', store, '--cluster-name', 'sizes', '--node', name],
        ...['--advertise', this.url, '--cluster-redirect', 'off', ...more],
      ],
      { timeoutMs: MOST_RUN_MS },
    );
  }

  get url(): string {
    return `ws://127.0.0.1:${this.tunnelPort}/`;
  }

  get residentBytes(): number {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8')) ?? [];
    return 1024 * Number(kilobytes);
  }

  async call<Result>(method: string, params: object = {}): Promise<Result> {
    const response = await fetch(`http://127.0.0.1:${this.#controlPort}/ctl`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: `etherws.control.${method}`, params }),
      signal: AbortSignal.timeout(60_000),
    });
    const { result, error } = (await response.json()) as { result?: Result; error?: unknown };
    if (result === undefined) throw new Error(`${method} at ${this.name}: ${JSON.stringify(error)}`);
    return result;
  }

  async meshPorts(): Promise<PortEntry[]> {
    const { entries } = await this.call<{ entries: PortEntry[] }>('listPort');
    return entries.filter(({ type }) => type === 'mesh');
  }

  /** Dials the tunnel of its stations. */
  async dial(): Promise<void> {
    this.#stations = await dialTunnel({ url: this.url, redirect: false });
    this.#stations.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
  }

  /** A frame of a station comes to the node: to the station itself, so that it goes nowhere. */
  arrive(station: number): void {
    const frame = Buffer.alloc(60);
    frame.writeUIntBE(macOf(station), 0, 6);
    frame.writeUIntBE(macOf(station), 6, 6);
    frame.writeUInt16BE(0x0800, 12);
    this.#stations?.send(batchOf(frame), 0);
    this.#stations?.flush(true);
  }

  async end(): Promise<void> {
    await this.#stations?.close();
    await this.process.end();
  }
}
