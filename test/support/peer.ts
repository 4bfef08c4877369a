import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Host } from './namespaces.ts';
import type { Outcome, Process, ProcessOptions } from './process.ts';

// Debian's own Python, which alone has the modules of Debian's packages.
const PYTHON = '/usr/bin/python3';
// Relative to dist/test/support.
const SCRIPTS = new URL('../../../test/support/peers/', import.meta.url);

const MODULES = { websocket: 'python3-websocket', websockets: 'python3-websockets' } as const;

/** @returns why a test that needs these modules of Debian's Python must be skipped, or false */
export function missingModules(...modules: readonly (keyof typeof MODULES)[]): string | false {
  for (const name of modules) {
    if (spawnSync(PYTHON, ['-c', `import ${name}`]).status !== 0) return `needs ${name}: apt install ${MODULES[name]}`;
  }
  return false;
}

/** The far end of a tunnel by an independent implementation: one of the programs in peers/. */
export class Peer {
  readonly process: Process;

  private constructor(process: Process) {
    this.process = process;
  }

  /**
   * Starts `peers/SCRIPT ARGS` on a host.
   * @param first the text that it prints when it is ready
   */
  static async start(
    host: Host,
    script: string,
    args: readonly string[],
    first: RegExp = /^open$/m,
    options: ProcessOptions = {},
  ): Promise<Peer> {
    const command = [PYTHON, fileURLToPath(new URL(script, SCRIPTS)), ...args];
    const peer = new Peer(
      host.spawn(command, { isInteractive: true, env: { PYTHONDONTWRITEBYTECODE: '1' }, ...options }),
    );
    await peer.process.output(first);
    return peer;
  }

  /** Sends a frame, or with `raw_peer.py` any octets. */
  send(bytes: Uint8Array): void {
    this.process.write(`${Buffer.from(bytes).toString('hex')}\n`);
  }

  /** Resolves when this frame has arrived, equal in all octets. */
  async received(frame: Uint8Array): Promise<void> {
    await this.process.output(new RegExp(`^frame ${Buffer.from(frame).toString('hex')}$`, 'm'));
  }

  /** The frames that have arrived so far, in hex. */
  get frames(): string[] {
    return [...this.process.stdout.matchAll(/^frame (\w+)$/gm)].map(([, hex = '']) => hex);
  }

  /** The code with which the switch has closed the tunnel. */
  async closeCode(): Promise<number> {
    const [, code] = await this.process.output(/^closed (\d+)$/m);
    return Number(code);
  }

  /** Begins the closing handshake at this end. */
  close(): void {
    this.process.write('close\n');
  }

  kill(): Promise<Outcome> {
    this.process.signal('SIGKILL');
    return this.process.exited;
  }
}
