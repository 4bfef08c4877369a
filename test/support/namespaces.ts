import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Outcome, onlyChildOf, Process, type ProcessOptions } from './process.ts';
import { missingTools } from './tools.ts';
import { within } from './waits.ts';

/*
 * A laboratory of hosts that are network namespaces, for root and for other users.
 *
 * 1. The anchor: a bash that is process 1 of new user, mount and process
 *    namespaces and waits for the end of its standard input. Root in them has all
 *    rights over networks of the user namespace.
 * 2. A host: another such bash, in a network namespace of its own.
 * 3. Programs enter a host with nsenter.
 *
 * Everything is cleaned up: when the anchor's input ends (also because the test
 * process died), it exits, and the kernel kills all processes of its process
 * namespace, daemons included; with the last of them the network namespaces and
 * their devices are removed.
 */

// bash, since as process 1 it reaps orphaned processes such as daemons.
const HOLD = ['bash', '-c', 'echo ready; read -r'] as const;
const OWN_USER = ['--user', '--map-root-user'] as const;

/** One end of a link: the addresses as `ADDRESS/LENGTH`. */
export interface LinkEnd {
  readonly host: Host;
  readonly device: string;
  readonly addresses: readonly string[];
}

/** This machine cannot have a laboratory; the message says why, in one line. */
export class LabUnavailable extends Error {}

export class Lab {
  /** For files of the test; removed by `close`. */
  readonly directory: string;
  readonly #anchor: Holder;
  readonly #hosts: Host[] = [];

  private constructor(anchor: Holder) {
    this.#anchor = anchor;
    this.directory = mkdtempSync(join(tmpdir(), 'etherws-lab-'));
  }

  /** @throws LabUnavailable */
  static async open(): Promise<Lab> {
    const missing = missingTools('unshare', 'nsenter', 'bash', 'ip');
    if (missing !== false) throw new LabUnavailable(missing);
    const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...HOLD];
    const anchor =
      (await Holder.start(['unshare', ...OWN_USER, ...unshare], ['--user'])) ??
      // Without user namespaces, root needs none.
      (process.getuid?.() === 0 ? await Holder.start(['unshare', ...unshare], []) : undefined);
    if (anchor === undefined) {
      throw new LabUnavailable('needs user namespaces, or root: sysctl kernel.unprivileged_userns_clone=1');
    }
    return new Lab(anchor);
  }

  /** A new host: loopback up, no other device, IPv6 addresses usable at once. */
  async host(name: string): Promise<Host> {
    const holder = await this.#anchor.startInside(['unshare', '--net', ...HOLD]);
    if (holder === undefined) throw new LabUnavailable('needs network namespaces, which this kernel refuses');
    const host = new Host(name, holder);
    this.#hosts.push(host);
    await host.check(['ip', 'link', 'set', 'lo', 'up']);
    // Duplicate address detection would delay each new address by a second.
    await host.check(['bash', '-c', 'for f in /proc/sys/net/ipv6/conf/{all,default}/accept_dad; do echo 0 > $f; done']);
    return host;
  }

  /** A cable between two hosts: a pair of veth devices, up and addressed. */
  async link(a: LinkEnd, b: LinkEnd): Promise<void> {
    const [from, to] = [String(a.host.pid), String(b.host.pid)];
    const pair = ['ip', 'link', 'add', a.device, 'netns', from, 'type', 'veth', 'peer', 'name', b.device, 'netns', to];
    await a.host.checkFromOutside(pair);
    for (const { host, device, addresses } of [a, b]) {
      for (const address of addresses) await host.check(['ip', 'address', 'add', address, 'dev', device]);
      await host.check(['ip', 'link', 'set', device, 'up']);
    }
  }

  /** Makes these names resolve on all hosts, by an /etc/hosts in the laboratory's mount namespace. */
  async nameHosts(addresses: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries({ localhost: '127.0.0.1', ...addresses }).map(
      ([name, address]) => `${address} ${name}`,
    );
    await this.#replace('/etc/hosts', `${lines.join('\n')}\n`);
  }

  /** Sets the name server of all hosts, by an /etc/resolv.conf in the laboratory's mount namespace. */
  async useNameServer(address: string): Promise<void> {
    await this.#replace('/etc/resolv.conf', `nameserver ${address}\n`);
  }

  async #replace(path: string, text: string): Promise<void> {
    const file = join(this.directory, basename(path));
    writeFileSync(file, text);
    await succeeded(new Process([...this.#anchor.enter('--mount'), 'mount', '--bind', file, path]));
  }

  /** Ends all programs in the laboratory and removes it. Idempotent. */
  async close(): Promise<void> {
    const anchorGone = this.#anchor.close();
    // A process namespace ends when its last process is reaped; processes that entered it are reaped by their parents.
    await Promise.all(this.#hosts.map((host) => host.close()));
    await anchorGone;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Host {
  readonly name: string;
  readonly #holder: Holder;
  readonly #running = new Set<Process>();

  constructor(name: string, holder: Holder) {
    this.name = name;
    this.#holder = holder;
  }

  /** The outer pid of a process that lives as long as the host: /proc/PID/ns/net is the host's network. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** Starts a program in this host. */
  spawn(command: readonly string[], options: ProcessOptions = {}): Process {
    const enter = this.#holder.enter('--mount', '--pid', '--net');
    // After entering a mount namespace the directory is its root.
    const { cwd = '/', ...others } = options;
    const process = new Process([...enter, 'env', `--chdir=${cwd}`, ...command], others, true);
    this.#running.add(process);
    void process.exited.then(() => this.#running.delete(process));
    return process;
  }

  /** Runs a program in this host to its end. */
  run(command: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
    return this.spawn(command, options).exited;
  }

  /** Runs a program that must succeed. @returns its standard output */
  async check(command: readonly string[], options: ProcessOptions = {}): Promise<string> {
    return succeeded(this.spawn(command, options));
  }

  /** As `check`, but in the outer process namespace, since `ip … netns PID` needs outer process ids. */
  async checkFromOutside(command: readonly string[]): Promise<string> {
    return succeeded(new Process([...this.#holder.enter('--net'), ...command]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((process) => process.end()));
    await this.#holder.close();
  }
}

/** A process that keeps namespaces alive until its standard input ends. */
class Holder {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #userNamespace: readonly string[];
  readonly #gone: Promise<unknown>;

  private constructor(child: ChildProcess, pid: number, userNamespace: readonly string[]) {
    this.#child = child;
    this.pid = pid;
    this.#userNamespace = userNamespace;
    this.#gone = once(child, 'close');
  }

  /**
   * @param command forks once, says `ready` and waits for the end of its input
   * @param userNamespace the options of nsenter for its user namespace; empty for the current one
   */
  static async start(command: readonly string[], userNamespace: readonly string[]): Promise<Holder | undefined> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin?.on('error', () => undefined);
    const ready = new Promise<boolean>((resolve) => {
      child.stdout?.once('data', () => resolve(true));
      child.once('close', () => resolve(false)).once('error', () => resolve(false));
    });
    const isReady = await within(ready, `answer of ${command.join(' ')}`);
    const pid = isReady && child.pid !== undefined ? onlyChildOf(child.pid) : undefined;
    if (pid !== undefined) return new Holder(child, pid, userNamespace);
    child.kill('SIGKILL');
    return undefined;
  }

  startInside(command: readonly string[]): Promise<Holder | undefined> {
    return Holder.start([...this.enter('--mount', '--pid'), ...command], this.#userNamespace);
  }

  /** The prefix of a command that runs in these namespaces of the holder, as root in them. */
  enter(...namespaces: readonly string[]): string[] {
    const target = ['--target', String(this.pid), ...this.#userNamespace, ...namespaces];
    return ['nsenter', ...target, '--preserve-credentials', '--'];
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#gone;
  }
}

async function succeeded(process: Process): Promise<string> {
  const { status } = await process.exited;
  if (status !== 0) throw new Error(`status ${status}: ${process}`);
  return process.stdout;
}
