import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TPID_C_TAG, TPID_S_TAG } from '../../src/wire/ethernet/tag.ts';
import { eventually } from '../support/etherws.ts';
import { until } from '../support/waits.ts';
import { OvsMirrors } from './ovs-mirrors.ts';
import { OvsProcess } from './ovs-process.ts';
import {
  AGEING_MS,
  heardAt,
  type Outcome,
  octetsOf,
  type PortSetting,
  type Script,
  type Step,
  sortedOutcome,
  type VlanStep,
  WAIT_MS,
  type World,
} from './script.ts';

const MOST_PORTS = 6;
const BRIDGE = 'br0';
const TRANSPARENT = { do: 'vlan', mode: 'transparent', pvid: 1, vlans: [], tpid: TPID_C_TAG } as const;
const WATCH = 'watch';
/** The port of frames that go to `watch` only. */
const MARK = 'mark';
const MARKER = `ffffffffffff0200000000fe88b5${'00'.repeat(46)}`;
const FORWARDED_MS = 10_000;
/** The least ageing time of Open vSwitch is 15 s, so its clock runs faster than that of a script. */
const FASTER = 1000;

/** A bridge of Open vSwitch in its user-space datapath, on a virtual clock. */
export class OvsWorld implements World {
  readonly name = 'Open vSwitch';
  readonly ovs: OvsProcess;
  readonly #sockets: Socket[] = [];
  #heard: string[] = [];
  #watched = 0;
  /** The UUIDs of its ports in the database, by name. */
  #ids = new Map<string, string>();
  readonly #mirrors = new OvsMirrors(BRIDGE);
  readonly #vlans = new Map<number, VlanStep>();
  readonly #isolated = new Set<number>();
  readonly #shut = new Set<number>();
  readonly #floodless = new Set<number>();

  private constructor(ovs: OvsProcess) {
    this.ovs = ovs;
  }

  static async open(): Promise<OvsWorld> {
    const world = new OvsWorld(await OvsProcess.start());
    try {
      await world.#build();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.ovs.close();
  }

  async play({ ports, steps }: Script): Promise<Outcome> {
    await this.#reset();
    const outcome: (readonly string[])[] = [];
    for (const step of steps) {
      this.#heard = [];
      await this.#play(step, ports);
      // The ports beyond those of the script are there as well.
      outcome.push(sortedOutcome(this.#heard.filter((line) => Number.parseInt(line, 10) <= ports)));
    }
    return outcome;
  }

  async #play(step: Step, ports: number): Promise<void> {
    const { ovs } = this;
    switch (step.do) {
      case 'frame':
        // A port that is shut receives nothing.
        if (step.port > ports || this.#shut.has(step.port)) return;
        await this.#send(step.port, octetsOf(step));
        break;
      case 'vlan':
        this.#vlans.set(step.port, step);
        await ovs.transact([this.#portOperation(step.port)]);
        break;
      case 'set':
        await this.#set(step.port, step.name, step.value);
        break;
      case 'mirror':
        this.#mirrors.set(step);
        await this.#changeMirrors();
        break;
      case 'mirrorAll':
        this.#mirrors.setAll(step.to);
        await this.#changeMirrors();
        break;
      case 'link':
        await ovs.appctl('netdev-dummy/set-admin-state', nameOf(step.port), step.isUp ? 'up' : 'down');
        break;
      case 'wait':
        await ovs.appctl('time/warp', String(step.units * WAIT_MS * FASTER));
        // Entries expire in the next turn of its loop.
        for (let turns = 0; turns < 3; turns++) await ovs.appctl('version');
        break;
      default:
        throw new Error(`Open vSwitch has no "${step.do}" here`);
    }
  }

  /**
   * Sends a frame and waits until it has been forwarded. An OpenFlow rule sends a copy of each frame that is received to the
   * port `watch`, also of one that the bridge drops. ovs-vswitchd writes to the sockets of all ports in one go, in the order in which
   * they were made, and that of `watch` is the last. Of a port that is reserved for copies it takes no frame, so another
   * one follows for `watch`.
   */
  async #send(port: number, frame: Buffer): Promise<void> {
    this.#watched = 0;
    await this.ovs.appctl('netdev-dummy/receive', nameOf(port), frame.toString('hex'));
    if (this.#mirrors.isOutput(port)) await this.ovs.appctl('netdev-dummy/receive', MARK, MARKER);
    await until(() => this.#watched > 0, FORWARDED_MS);
    // What is in a socket's buffer is read in the next turn of our own loop.
    await turn();
    await turn();
  }

  async #listen(name: string, receive: (frame: Buffer) => void): Promise<void> {
    const socket = await this.ovs.farEnd(`${name}.sock`);
    this.#sockets.push(socket);
    readFrames(socket, receive);
  }

  /** Sends a broadcast frame. @returns how many other ports got it, `watch` included: a socket may not be accepted yet */
  async #reached(port: number): Promise<number> {
    this.#heard = [];
    this.#watched = 0;
    await this.ovs.appctl('netdev-dummy/receive', nameOf(port), `ffffffffffff0200000000ff88b5${'00'.repeat(46)}`);
    await this.ovs.appctl('version');
    await this.ovs.appctl('version');
    await turn();
    return new Set(this.#heard).size + Math.min(1, this.#watched);
  }

  async #reset(): Promise<void> {
    for (const port of [...this.#shut]) await this.#set(port, 'state', 3);
    for (const port of [...this.#floodless]) await this.#set(port, 'floods', 1);
    if (this.#mirrors.clear() || this.#vlans.size > 0 || this.#isolated.size > 0) {
      this.#vlans.clear();
      this.#isolated.clear();
      await this.#changeMirrors();
    }
    for (let port = 1; port <= MOST_PORTS; port++) {
      await this.ovs.appctl('netdev-dummy/set-admin-state', nameOf(port), 'up');
    }
    await this.ovs.appctl('fdb/flush', BRIDGE);
  }

  async #set(port: number, name: PortSetting, value: number): Promise<void> {
    const { ovs } = this;
    if (name === 'isolated') {
      change(this.#isolated, port, value === 1);
      await ovs.transact([this.#portOperation(port)]);
    } else if (name === 'state') {
      // What it receives is not sent to it: a port that receives nothing would end the flow to `watch`.
      change(this.#shut, port, value === 0);
      await this.#configure(port, value === 0 ? 'no-forward' : 'forward');
    } else if (name === 'floods') {
      change(this.#floodless, port, value === 0);
      await this.#configure(port, value === 0 ? 'no-flood' : 'flood');
    } else {
      throw new Error(`Open vSwitch has no "${name}" here`);
    }
  }

  async #configure(port: number, flag: string): Promise<void> {
    await this.ovs.ofctl('mod-port', BRIDGE, nameOf(port), flag);
    await this.#settle();
  }

  /** Frames are forwarded before changes are applied in a turn of its main loop, so a change holds after the next one. */
  async #settle(): Promise<void> {
    for (let turns = 0; turns < 2; turns++) await this.ovs.appctl('version');
  }

  async #changeMirrors(): Promise<void> {
    const ports = Array.from({ length: MOST_PORTS }, (_, at) => this.#portOperation(at + 1));
    const mirrors = this.#mirrors.operations((port) => this.#ids.get(nameOf(port)) as string);
    await this.ovs.transact([...ports, ...mirrors]);
    // It does so itself in its next turn, unless all is as before.
    await this.#settle();
    await this.ovs.appctl('fdb/flush', BRIDGE);
  }

  /** The settings of a port in the database. By design (by-design.ts): they do not change copies. */
  #portOperation(port: number): object {
    const isOutput = this.#mirrors.isOutput(port);
    const vlans = isOutput ? undefined : this.#vlans.get(port);
    return portOperation(vlans ?? { ...TRANSPARENT, port }, !isOutput && this.#isolated.has(port));
  }

  async #build(): Promise<void> {
    const { ovs } = this;
    const args = ['add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=dummy'];
    args.push(`other_config:mac-aging-time=${(AGEING_MS * FASTER) / 1000}`);
    // Without flows in the datapath each frame is decided anew, and no decision outlives what it is made of.
    args.push('--', 'set', 'Open_vSwitch', '.', 'other_config:flow-limit=0', 'other_config:vlan-limit=2');
    for (let port = 1; port <= MOST_PORTS; port++) {
      const name = nameOf(port);
      args.push('--', 'add-port', BRIDGE, name, '--', 'set', 'Interface', name, 'type=dummy');
      args.push(`options:pstream=punix:${ovs.directory}/${name}.sock`, `ofport_request=${port}`);
    }
    await ovs.vsctl(...args);
    const watch = ['add-port', BRIDGE, WATCH, '--', 'set', 'Interface', WATCH, 'type=dummy'];
    await ovs.vsctl(
      ...watch,
      `options:pstream=punix:${ovs.directory}/${WATCH}.sock`,
      `ofport_request=${MOST_PORTS + 1}`,
    );
    await ovs.vsctl(
      ...['add-port', BRIDGE, MARK, '--', 'set', 'Interface', MARK, 'type=dummy', `ofport_request=${MOST_PORTS + 2}`],
    );
    for (const name of [WATCH, MARK]) await ovs.ofctl('mod-port', BRIDGE, name, 'no-flood');
    await ovs.ofctl('add-flow', BRIDGE, `priority=100,actions=normal,output:${MOST_PORTS + 1}`);
    const marked = `priority=200,in_port=${MOST_PORTS + 2},actions=output:${MOST_PORTS + 1}`;
    await ovs.ofctl('add-flow', BRIDGE, marked);
    this.#ids = await ovs.idsOf('Port');
    await ovs.appctl('upcall/set-flow-limit', '0');
    await ovs.appctl('time/stop');
    for (let port = 1; port <= MOST_PORTS; port++) {
      await this.#listen(nameOf(port), (frame) => {
        const hex = frame.toString('hex');
        // A mirror of all ports copies it.
        if (hex !== MARKER) this.#heard.push(heardAt(port, hex));
      });
    }
    await this.#listen(WATCH, () => this.#watched++);
    for (const port of [1, 2])
      await eventually(
        () => this.#reached(port),
        (reached) => reached === MOST_PORTS,
      );
  }
}

function change(ports: Set<number>, port: number, isIn: boolean): void {
  if (isIn) ports.add(port);
  else ports.delete(port);
}

const nameOf = (port: number): string => `port${port}`;

/** Frames on a stream of a dummy device: the length in two octets, and the frame. */
export function readFrames(socket: Socket, receive: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (octets: Buffer) => {
    rest = Buffer.concat([rest, octets]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      receive(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  });
}

/** Our modes in the terms of Open vSwitch. A provider's access port, which takes frames with any C-TAG, is a tunnel there. */
function portOperation(step: VlanStep, isProtected: boolean): object {
  const none = ['set', []];
  const isProvider = step.tpid === TPID_S_TAG;
  const modes = {
    transparent: none,
    access: isProvider ? 'dot1q-tunnel' : 'access',
    trunk: 'trunk',
    native: 'native-untagged',
  };
  const row = {
    vlan_mode: modes[step.mode],
    tag: step.mode === 'access' || step.mode === 'native' ? step.pvid : none,
    trunks: ['set', step.mode === 'trunk' || step.mode === 'native' ? step.vlans : []],
    other_config: ['map', isProvider ? [['qinq-ethtype', '802.1ad']] : []],
    protected: isProtected,
  };
  return { op: 'update', table: 'Port', where: [['name', '==', nameOf(step.port)]], row };
}
