import { fileURLToPath } from 'node:url';
import type { DialTunnelOptions } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import type { Host } from './namespaces.ts';
import { LONGEST_MS, type Process } from './process.ts';
import { within } from './waits.ts';

const PROGRAM = fileURLToPath(new URL('../e2e/programs/crowd.js', import.meta.url));

/** Client ports in one program on a host, all to one URL, with reconnection. */
export class Crowd {
  readonly count: number;
  readonly process: Process;
  #up = 0;
  #waiting: { readonly isRight: (up: number) => boolean; readonly resolve: () => void }[] = [];

  constructor(
    host: Host,
    count: number,
    tunnel: Pick<DialTunnelOptions, 'url' | 'user' | 'passwd' | 'cacerts' | 'wire'>,
    waits: { readonly minMs: number; readonly maxMs: number },
    env: Readonly<Record<string, string>> = {},
  ) {
    this.count = count;
    const args = [String(count), JSON.stringify(tunnel), String(waits.minMs), String(waits.maxMs)];
    const command = [process.execPath, PROGRAM, ...args];
    this.process = host.spawn(command, { isInteractive: true, timeoutMs: LONGEST_MS, env });
    this.process.onLine((line) => {
      if (!line.startsWith('up ')) return;
      this.#up = Number(line.slice(3));
      this.#waiting = this.#waiting.filter(({ isRight, resolve }) => {
        if (!isRight(this.#up)) return true;
        resolve();
        return false;
      });
    });
  }

  /** The number of connected tunnels. */
  get up(): number {
    return this.#up;
  }

  /** Resolves when the number of connected tunnels is right. */
  async becomes(isRight: (up: number) => boolean, timeoutMs: number): Promise<void> {
    if (isRight(this.#up)) return;
    const reached = new Promise<void>((resolve) => this.#waiting.push({ isRight, resolve }));
    const what = (): string => `number of tunnels such as ${isRight}, but ${this.#up} of ${this.count},`;
    await within(reached, what, timeoutMs);
  }

  /** The times from each loss of a tunnel to the next attempt to dial, in milliseconds. */
  async firstWaits(): Promise<number[]> {
    this.process.write('tell\n');
    const [, json = '[]'] = await this.process.output(/^dials (\[.*\])$/m);
    return JSON.parse(json) as number[];
  }

  end(): Promise<void> {
    return this.process.end();
  }
}
