/*
 *    west ── proxy ── wss, batched ──► relay ── ws, raw ──► east
 *                                        ▲                   │
 *                                        └── wss, four client ports of the library
 *
 * Each host has a TAP device. The load goes from west to east, through
 * both tunnels; the four clients receive flooded frames.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '../test/support/certificates.ts';
import { Crowd } from '../test/support/crowd.ts';
import { htpasswdLine, PASSWORD, USER } from '../test/support/lan.ts';
import type { Host, Lab } from '../test/support/namespaces.ts';
import { PingStream } from '../test/support/ping-stream.ts';
import { LONGEST_MS, type Process } from '../test/support/process.ts';
import { Load } from './load.ts';
import { Site, type SitePlan } from './site.ts';
import type { Verdict } from './verdict.ts';

/** The addresses on the two links; the relay has one on each. */
const UNDERLAY = { relayToWest: '10.1.0.1', west: '10.1.0.2', relayToEast: '10.2.0.1', east: '10.2.0.2' } as const;
const PROXY_PORT = '3128';
const PROXY = fileURLToPath(new URL('../test/e2e/programs/proxy.js', import.meta.url));
/** Short waits before dialling again, so that a run has many faults. */
const WAITS = { minMs: 500, maxMs: 2000 };
const CTL_WAITS = ['--reconnect-min', String(WAITS.minMs / 1000), '--reconnect-max', String(WAITS.maxMs / 1000)];
const CLIENTS_OF_EACH_WIRE = 2;

/** The ports of the relay in the normal state: its TAP device, and the tunnels of east, west and the clients. */
export const PORTS_OF_RELAY: number = 3 + 2 * CLIENTS_OF_EACH_WIRE;

/** One end of a link. */
export interface CableEnd {
  readonly site: Site;
  readonly device: string;
}

interface Parts {
  readonly sites: readonly [relay: Site, west: Site, east: Site];
  readonly proxy: Process;
  readonly load: Load;
  readonly pings: PingStream;
  readonly crowds: readonly Crowd[];
  readonly renewCertificate: () => Promise<void>;
}

export class World {
  readonly relay: Site;
  readonly west: Site;
  readonly east: Site;
  readonly sites: readonly Site[];
  readonly cableEnds: readonly CableEnd[];
  readonly load: Load;
  readonly pings: PingStream;
  readonly crowds: readonly Crowd[];
  /** Replaces the relay's certificate by another one of the same authority. */
  readonly renewCertificate: () => Promise<void>;
  #proxy: Process;

  private constructor({ sites, proxy, load, pings, crowds, renewCertificate }: Parts) {
    const [relay, west, east] = sites;
    this.sites = sites;
    this.relay = relay;
    this.west = west;
    this.east = east;
    this.cableEnds = [
      { site: relay, device: 'west0' },
      { site: west, device: 'eth0' },
      { site: relay, device: 'east0' },
      { site: east, device: 'eth0' },
    ];
    this.load = load;
    this.pings = pings;
    this.crowds = crowds;
    this.renewCertificate = renewCertificate;
    this.#proxy = proxy;
  }

  /** Creates the links and starts all programs. The tunnels are established afterwards (`recovered`). */
  static async open(lab: Lab, verdict: Verdict): Promise<World> {
    const hosts = await layCables(lab);
    const secrets = await createSecrets(lab.directory);
    const east = await Site.open(hosts.east, EAST, verdict);
    await east.start();
    const relay = await Site.open(hosts.relay, relayPlan(secrets), verdict);
    await relay.start();
    const west = await Site.open(hosts.west, westPlan(secrets), verdict);
    const proxy = await startProxy(west);
    await west.start();
    const tunnel = {
      url: `wss://${UNDERLAY.relayToEast}:8443/`,
      user: USER,
      passwd: PASSWORD,
      cacerts: readFileSync(secrets.authority, 'utf8'),
    };
    return new World({
      sites: [relay, west, east],
      proxy,
      crowds: (['raw', 'auto'] as const).map(
        (wire) => new Crowd(hosts.east, CLIENTS_OF_EACH_WIRE, { ...tunnel, wire }, WAITS),
      ),
      load: new Load(west, east, verdict),
      pings: new PingStream(hosts.west, east.address),
      renewCertificate: secrets.renewCertificate,
    });
  }

  async killProxy(): Promise<void> {
    await this.#proxy.end();
  }

  async startProxy(): Promise<void> {
    this.#proxy = await startProxy(this.west);
  }

  /** Resolves when a ping has crossed both tunnels and all clients are up. @throws Error after `boundMs` */
  async recovered(boundMs: number): Promise<void> {
    const clients = this.crowds.map((crowd) => crowd.becomes((up) => up === crowd.count, boundMs));
    await Promise.all([this.pings.answered(boundMs), ...clients]);
  }
}

type Hosts = Readonly<Record<'relay' | 'west' | 'east', Host>>;

async function layCables(lab: Lab): Promise<Hosts> {
  const hosts = { relay: await lab.host('relay'), west: await lab.host('west'), east: await lab.host('east') };
  for (const [name, near, far] of [
    ['west', UNDERLAY.relayToWest, UNDERLAY.west],
    ['east', UNDERLAY.relayToEast, UNDERLAY.east],
  ] as const) {
    await lab.link(
      { host: hosts.relay, device: `${name}0`, addresses: [`${near}/24`] },
      { host: hosts[name], device: 'eth0', addresses: [`${far}/24`] },
    );
  }
  return hosts;
}

/** The paths of files with keys, certificates and passwords. */
interface Secrets {
  readonly authority: string;
  readonly key: string;
  readonly certificate: string;
  readonly users: string;
  readonly password: string;
  readonly renewCertificate: () => Promise<void>;
}

async function createSecrets(directory: string): Promise<Secrets> {
  const authority = await createAuthority(directory);
  const issue = (): Promise<{ key: string; certificate: string }> =>
    authority.issue('relay', [UNDERLAY.relayToWest, UNDERLAY.relayToEast]);
  const [users, password] = [join(directory, 'users'), join(directory, 'password')];
  writeFileSync(users, await htpasswdLine('-B', USER, PASSWORD));
  writeFileSync(password, `${PASSWORD}\n`, { mode: 0o600 });
  return {
    ...(await issue()),
    authority: authority.certificate,
    users,
    password,
    renewCertificate: async () => void (await issue()),
  };
}

const EAST: SitePlan = {
  name: 'east',
  tap: { mac: '02:00:00:00:00:03', address: '192.0.2.3' },
  sw: ['--port', '8000'],
  ctl: [],
};

function relayPlan({ key, certificate, users }: Secrets): SitePlan {
  return {
    name: 'relay',
    tap: { mac: '02:00:00:00:00:01', address: '192.0.2.1' },
    sw: ['--port', '8443', '--sslkey', key, '--sslcert', certificate, '--htpasswd', users],
    ctl: [['addport', 'client', `ws://${UNDERLAY.east}:8000/`, '--wire', 'raw', ...CTL_WAITS]],
  };
}

function westPlan({ authority, password }: Secrets): SitePlan {
  const login = ['--cacerts', authority, '--user', USER, '--passwd-file', password];
  const way = ['--proxy', `http://127.0.0.1:${PROXY_PORT}`];
  const url = `wss://${UNDERLAY.relayToWest}:8443/`;
  return {
    name: 'west',
    tap: { mac: '02:00:00:00:00:02', address: '192.0.2.2' },
    sw: ['--port', '8000'],
    ctl: [['addport', 'client', url, '--no-wait', ...login, ...way, ...CTL_WAITS]],
  };
}

async function startProxy(west: Site): Promise<Process> {
  const proxy = west.host.spawn([process.execPath, PROXY, 'http', PROXY_PORT], { timeoutMs: LONGEST_MS });
  await proxy.output(/listening/);
  return proxy;
}
