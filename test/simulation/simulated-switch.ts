import { IngressPolicy, type IngressRules, SourceClaims } from '../../src/bridge/ingress-policy.ts';
import type { Port, TunnelPeer } from '../../src/bridge/port.ts';
import { Switch } from '../../src/networks/switch.ts';
import { ClientPort } from '../../src/ports/tunnel/dial/client-port.ts';
import {
  createResumeToken,
  type ResumableTunnel,
  ResumableTunnels,
} from '../../src/ports/tunnel/resume/resumable-tunnels.ts';
import { ResumeTicket } from '../../src/ports/tunnel/resume/resume-ticket.ts';
import { ServerPort } from '../../src/ports/tunnel/resume/server-port.ts';
import { TunnelPlaces } from '../../src/ports/tunnel/resume/tunnel-places.ts';
import { SwitchInstance } from '../../src/ports/tunnel/switch-instance.ts';
import { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import type { BridgePortValues } from '../../src/schema/bridge-port-options.ts';
import type { NetworkChange } from '../../src/schema/network-options.ts';
import { formatResumeField, parseResumeField } from '../../src/wire/tunnel/resume-header.ts';
import { formatSwitchField, parseSwitchField } from '../../src/wire/tunnel/switch-header.ts';
import type { Random } from '../support/random.ts';
import type { Line } from './line.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const GRACE_MS = 10_000;
const LIMITS = { pingIntervalMs: 5000, pongTimeoutMs: 5000, silenceMs: 15_000 };
const RECONNECTION = { minMs: 500, maxMs: 4000 };

/** What a switch knows of the users of its tunnels: the part of the policy file that matters here. */
export interface UserRules {
  readonly ingress?: IngressRules;
  readonly values: BridgePortValues;
}

export interface Setting {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** @param at the name of the switch that accepts the user's tunnel */
  readonly rulesOf: (user: string, network: string, at: string) => UserRules;
  /** Numbers for the ids of tunnels, which are random in the product. */
  readonly nextTunnel: () => number;
}

/** The request of an opening handshake, as TunnelServer reads it from HTTP. */
export interface Request {
  readonly user: string;
  readonly network: string;
  readonly resume: string;
  readonly says: string | undefined;
  readonly line: Line;
}

export interface Response {
  readonly resume: string;
  readonly says: string | undefined;
}

/** A switch of the product on the virtual clock, with both ends of tunnels as the daemon joins them, without HTTP. */
export class SimulatedSwitch {
  readonly name: string;
  readonly etherSwitch: Switch;
  readonly instance: SwitchInstance;
  readonly resumables = new ResumableTunnels();
  /** The last token of each user, which a liar may have got hold of. */
  readonly tokens = new Map<string, string>();
  /** The port of each accepted line. */
  readonly accepted = new Map<Line, number>();
  readonly #setting: Setting;
  readonly #places = new TunnelPlaces({ maxConnections: 1000, maxPerAddress: 1000, maxPerUser: 1000 });
  readonly #numbers = new WeakMap<ResumableTunnel, number>();
  readonly #claims = new Map<string, SourceClaims>();
  #isClosed = false;

  /** @param life raised by each restart: the identity of a switch is new then, and its addresses are the same */
  constructor(name: string, life: number, setting: Setting) {
    this.name = name;
    this.#setting = setting;
    this.etherSwitch = new Switch({ addressSeed: name });
    this.instance = new SwitchInstance(`instance-${name}-${life}`.padEnd(22, '-'), `secret-${name}-${life}`);
  }

  addNetwork(name: string, settings: NetworkChange): void {
    if (name === 'default') this.etherSwitch.network(name).configure(settings);
    else this.etherSwitch.addNetwork(name, settings);
  }

  /** The places of tunnels that are taken. */
  get tunnels(): number {
    return this.#places.taken;
  }

  /**
   * Adds a tunnel that is dialled again and again.
   * @param reach the line to the peer and the peer at this moment; undefined: it cannot be reached
   */
  dial(
    target: string,
    { user, network, values }: { user: string; network: string; values: BridgePortValues },
    reach: () => { line: Line; peer: SimulatedSwitch } | undefined,
  ): number {
    const ticket = new ResumeTicket();
    const connect = async (): Promise<TunnelPort> => {
      const reached = reach();
      if (reached === undefined) throw new Error(`${target} does not answer`);
      const { line, peer } = reached;
      const tunnelId = Buffer.from(String(this.#setting.nextTunnel()).padStart(16, '0')).toString('base64url');
      const own = this.instance.of(network);
      const { rank = 0 } = parseSwitchField(own.offer(false).field) ?? {};
      const says = formatSwitchField({ instance: own.id, tunnelId, rank, isParallelAllowed: false });
      const response = peer.accept({ user, network, resume: ticket.field, says, line });
      ticket.renew(response.resume);
      const answer = response.says === undefined ? undefined : parseSwitchField(response.says);
      const known = own.accepted({ field: says, tunnelId, isParallelAllowed: false }, answer);
      return this.#tunnel('client', target, line, known && { ...known, isDialled: true, user: null });
    };
    const port = new ClientPort({ target, connect, reconnection: RECONNECTION });
    return this.etherSwitch.attach(port, { network, values });
  }

  /** Answers an opening handshake, as TunnelServer does behind its checks. */
  accept({ user, network, resume, says, line }: Request): Response {
    if (this.#isClosed) throw new Error(`${this.name} is closed`);
    if (!this.etherSwitch.hasNetwork(network)) throw new Error(`404 no network ${network}`);
    const presented = parseResumeField(resume)?.token;
    const resumed = presented === undefined ? undefined : this.resumables.find(presented, user, network);
    const known = this.instance.of(network).accept(says === undefined ? undefined : parseSwitchField(says));
    const token = createResumeToken();
    this.tokens.set(user, token);
    const peer = known && { ...known.acquaintance, isDialled: false, user };
    // The client has its answer before anything of the tunnel.
    this.#setting.clock.after(0, () => this.#open({ user, network, line, resumed, token, presented, peer }));
    return { resume: formatResumeField(token), says: known?.answer };
  }

  #open(joined: {
    user: string;
    network: string;
    line: Line;
    resumed: ResumableTunnel | undefined;
    token: string;
    presented: string | undefined;
    peer: TunnelPeer | undefined;
  }): void {
    const { user, network, line, resumed, token, presented, peer } = joined;
    if (this.#isClosed || resumed?.port.isOver === true || !this.etherSwitch.hasNetwork(network)) {
      line.cut();
      return;
    }
    const place = this.#places.enter('192.0.2.1');
    if (typeof place === 'string') throw new Error(`no place: ${place}`);
    const tunnel = this.#tunnel('server', user, line, peer);
    if (resumed !== undefined) {
      resumed.place.leave();
      resumed.place = place;
      this.resumables.enrol(resumed, token, presented);
      resumed.port.resume(tunnel);
      this.accepted.set(line, this.#numbers.get(resumed) as number);
      return;
    }
    const onGone = (): void => {
      this.resumables.remove(resumable);
      resumable.place.leave();
    };
    const resumable: ResumableTunnel = {
      port: new ServerPort({ tunnel, graceMs: GRACE_MS, onGone }),
      user,
      network,
      place,
    };
    this.resumables.enrol(resumable, token);
    const number = this.#attach(resumable.port, user, network);
    this.#numbers.set(resumable, number);
    this.accepted.set(line, number);
  }

  #attach(port: Port, user: string, network: string): number {
    const { ingress, values } = this.#setting.rulesOf(user, network, this.name);
    const claims = this.#claims.get(network) ?? new SourceClaims();
    this.#claims.set(network, claims);
    return this.etherSwitch.attach(port, {
      ...{ network, user, values },
      attached: (bridgePort) => {
        if (ingress !== undefined) bridgePort.policy = new IngressPolicy(ingress, claims, performance.now());
      },
    });
  }

  #tunnel(type: 'client' | 'server', target: string, line: Line, peer: TunnelPeer | undefined): TunnelPort {
    const transport = line.ends[type === 'client' ? 0 : 1];
    return new TunnelPort({ type, target, transport, wire: 'batched', limits: LIMITS, ...(peer && { peer }) });
  }

  async close(reason: 'shutdown' | 'restart'): Promise<void> {
    this.#isClosed = true;
    await this.etherSwitch.close(reason);
  }
}
