import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, CommandError, run } from './command.ts';
import { processesInNamespace } from './process-table.ts';

/** The client dials, the server listens; a flow `up` goes from client to server. */
export type Side = 'client' | 'server';
export const SIDES: readonly Side[] = ['client', 'server'];
/** The host on which a program runs: a side, or the relay between the sides, if the lab has one. */
export type Place = Side | 'relay';

/** The addresses on the veth pair between the two sides. */
export const UNDERLAY: Readonly<Record<Side, string>> = { client: '10.99.0.1', server: '10.99.0.2' };
/** The relay's addresses on the veth pairs to each side. */
export const RELAY_UNDERLAY: Readonly<Record<Side, string>> = { client: '10.99.0.3', server: '10.99.1.3' };
/** The server's address in a lab with a relay: the two pairs are two networks. */
const SERVER_BEHIND_RELAY = '10.99.1.2';
/** The addresses inside the tunnel. */
export const OVERLAY: Readonly<Record<Side, string>> = { client: '10.77.0.1', server: '10.77.0.2' };
export const OVERLAY_NETMASK = '255.255.255.0';
export const PREFIX_LENGTH = 24;
/** The name of a contestant's TAP device, if it can be chosen. */
export const TUNNEL_DEVICE = 'bench0';

const UNDERLAY_DEVICE = 'wire0';
const STOP_TIMEOUT_MS = 5_000;
/** The sysctl of TCP's congestion control. */
const CONGESTION_SETTING = 'net.ipv4.tcp_congestion_control';
const BOTTLENECK = ['tbf', 'rate', '100mbit', 'burst', '64kb', 'latency', '20ms'];

/**
 * Two hosts and a link: two network namespaces with a veth pair between them, and a
 * directory for files. With a relay there is a third host, and a link from each
 * side to it instead. Each contestant has its own lab, so that contestants do not
 * influence each other's figures.
 */
export class Lab {
  /** A temporary directory, which is removed with the lab. */
  readonly directory: string;
  readonly #name: string;
  readonly #places: readonly Place[];

  private constructor(name: string, directory: string, places: readonly Place[]) {
    this.#name = name;
    this.directory = directory;
    this.#places = places;
  }

  /**
   * @param name unique among the open labs
   * @param congestion TCP's congestion control; default: that of this machine
   * @param hasRelay whether there is a third host; the sides then have no direct link
   */
  static async open(name: string, congestion?: string, hasRelay = false): Promise<Lab> {
    const places: readonly Place[] = hasRelay ? [...SIDES, 'relay'] : SIDES;
    const lab = new Lab(name, mkdtempSync(join(tmpdir(), 'etherws-bench-')), places);
    for (const place of places) await lab.#addHost(place, congestion);
    if (hasRelay) {
      await lab.#join(['client', UNDERLAY_DEVICE, UNDERLAY.client], ['relay', 'wire0', RELAY_UNDERLAY.client]);
      await lab.#join(['server', UNDERLAY_DEVICE, SERVER_BEHIND_RELAY], ['relay', 'wire1', RELAY_UNDERLAY.server]);
    } else {
      await lab.#join(['client', UNDERLAY_DEVICE, UNDERLAY.client], ['server', UNDERLAY_DEVICE, UNDERLAY.server]);
    }
    return lab;
  }

  async #addHost(place: Place, congestion?: string): Promise<void> {
    await run(['ip', 'netns', 'add', this.#namespace(place)]);
    await this.run(place, [
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv6.conf.default.disable_ipv6=1',
      ...(congestion === undefined ? [] : [`${CONGESTION_SETTING}=${congestion}`]),
    ]);
    await this.run(place, ['ip', 'link', 'set', 'lo', 'up']);
  }

  /** Creates a link between two hosts. Each end is a host, the name of its device, and the address. */
  async #join(here: readonly [Place, string, string], there: readonly [Place, string, string]): Promise<void> {
    const pair = ['type', 'veth', 'peer', 'name', there[1], 'netns', this.#namespace(there[0])];
    await run(['ip', '-netns', this.#namespace(here[0]), 'link', 'add', here[1], ...pair]);
    for (const end of [here, there]) await this.addAddress(...end);
  }

  /** Starts a program on a host; closing the lab ends it. */
  start(place: Place, argv: readonly string[]): Command {
    return new Command(['ip', 'netns', 'exec', this.#namespace(place), ...argv]);
  }

  /** Runs a program on a host to its end. */
  run(place: Place, argv: readonly string[], timeoutMs?: number): Promise<string> {
    return run(['ip', 'netns', 'exec', this.#namespace(place), ...argv], timeoutMs);
  }

  /** Sets the address of a device, and sets it up. */
  async addAddress(place: Place, device: string, address: string): Promise<void> {
    await this.run(place, ['ip', 'address', 'add', `${address}/${PREFIX_LENGTH}`, 'dev', device]);
    await this.run(place, ['ip', 'link', 'set', device, 'mtu', '1500', 'up']);
  }

  /** Waits for the devices that a contestant creates, and sets the overlay addresses. */
  async addressTunnel(devices: Readonly<Record<Side, string>>): Promise<void> {
    for (const side of SIDES) {
      await retry(`device ${devices[side]}`, () => this.run(side, ['ip', 'link', 'show', devices[side]]));
      await this.addAddress(side, devices[side], OVERLAY[side]);
    }
  }

  /** Waits until an address answers pings of a side. @throws CommandError if it does not */
  async reach(side: Side, address: string): Promise<void> {
    await retry(`an answer of ${address}`, () => this.run(side, ['ping', '-c', '1', '-W', '1', '-n', address]));
  }

  /** The process ids of the programs on a host. */
  processes(place: Place): number[] {
    return processesInNamespace(statSync(`/run/netns/${this.#namespace(place)}`).ino);
  }

  /** Limits both ends of the link to 100 Mbit/s with a queue of 20 ms, or removes the limit. */
  async setBottleneck(isOn: boolean): Promise<void> {
    for (const side of SIDES) {
      const command = isOn
        ? ['replace', 'dev', UNDERLAY_DEVICE, 'root', ...BOTTLENECK]
        : ['del', 'dev', UNDERLAY_DEVICE, 'root'];
      await this.run(side, ['tc', 'qdisc', ...command]);
    }
  }

  /** Ends all programs of the lab, and removes it. */
  async close(): Promise<void> {
    await this.endPrograms();
    for (const place of this.#places) await run(['ip', 'netns', 'delete', this.#namespace(place)]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Ends all programs of the lab except the spared ones. */
  async endPrograms(spared: readonly number[] = []): Promise<void> {
    const running = (): number[] =>
      this.#places.flatMap((place) => this.processes(place)).filter((pid) => !spared.includes(pid));
    signal(running(), 'SIGTERM');
    const end = Date.now() + STOP_TIMEOUT_MS;
    while (running().length > 0 && Date.now() < end) await delay(20);
    for (let left = running(); left.length > 0; left = running()) {
      signal(left, 'SIGKILL');
      await delay(20);
    }
  }

  #namespace(place: Place): string {
    return `${this.#name}-${place}`;
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // The process has ended by itself.
    }
  }
}

/** Repeats an attempt until it succeeds. @throws CommandError with the last failure after `timeoutMs` */
export async function retry<T>(what: string, attempt: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= end) throw new CommandError(`${what}: none within ${timeoutMs / 1000} s: ${String(error)}`);
      await delay(100);
    }
  }
}
