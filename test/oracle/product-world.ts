import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { Switch } from '../../src/networks/switch.ts';
import { NetdevPort } from '../../src/ports/device/netdev-port.ts';
import { until } from '../support/waits.ts';
import { LineProgram } from './line-program.ts';
import { setUp } from './netlink.ts';
import { heardAt, type Outcome, octetsOf, type Script, type Step, sortedOutcome, type World } from './script.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/oracle/programs/kernel_bridge.py', import.meta.url));
const MOST_PORTS = 6;
type Heard = readonly (readonly [tap: number, frame: string])[];

/** The time for a frame to pass the switch. */
const FORWARDED_MS = 10_000;

/**
 * The library's Switch with its data path in C and `netdev` ports, in this process's network namespace, which must be its
 * own. The far ends of the devices are those of kernel_bridge.py.
 */
export class ProductWorld implements World {
  readonly name = 'etherws with netdev ports';
  readonly #program = new LineProgram(['python3', PROGRAM]);

  private constructor() {}

  static async open(): Promise<ProductWorld> {
    // The kernel would send frames of its own.
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    const world = new ProductWorld();
    const indexes = await world.#ask(Array.from({ length: MOST_PORTS }, (_, at) => ['tap', deviceOf(at + 1)]));
    await world.#ask(indexes.map((index) => ['netlink', setUp(index as number, true)]));
    return world;
  }

  close(): Promise<void> {
    return this.#program.close();
  }

  async play({ ports, steps }: Script): Promise<Outcome> {
    const product = new Switch();
    try {
      const attached = new Map<number, BridgePort>();
      for (let port = 1; port <= ports; port++) attached.set(port, await attach(product, port));
      const outcome: (readonly string[])[] = [];
      for (const step of steps) outcome.push(await this.#play(product, attached, step));
      return outcome;
    } finally {
      await product.close();
    }
  }

  async #play(product: Switch, attached: Map<number, BridgePort>, step: Step): Promise<readonly string[]> {
    if (!('port' in step)) throw new Error(`the product plays no "${step.do}"`);
    const { port } = step;
    const bridgePort = attached.get(port);
    if (step.do === 'attach' && bridgePort === undefined) attached.set(port, await attach(product, port));
    if (bridgePort === undefined) return [];
    if (step.do === 'detach') {
      attached.delete(port);
      await product.detach(bridgePort.number);
    } else if (step.do === 'set' && step.name === 'state') {
      product.administration.setShut(bridgePort.number, step.value === 0);
    } else if (step.do === 'frame') {
      const seen = seenBy(bridgePort);
      // Some may have come out before the answer.
      const [sent] = (await this.#ask([['frame', port - 1, octetsOf(step).toString('hex')]])) as [[number, Heard]];
      await until(() => seenBy(bridgePort) > seen, FORWARDED_MS);
      const [rest] = (await this.#ask([['heard']])) as [Heard];
      return sortedOutcome([...sent[1], ...rest].map(([tap, frame]) => heardAt(tap + 1, frame)));
    }
    return [];
  }

  async #ask(operations: readonly (readonly unknown[])[]): Promise<unknown[]> {
    return JSON.parse(await this.#program.ask(JSON.stringify(operations))) as unknown[];
  }
}

const deviceOf = (port: number): string => `far${port}`;

async function attach(product: Switch, port: number): Promise<BridgePort> {
  const number = product.attach(await NetdevPort.open(deviceOf(port)));
  return product.port(number);
}

/** The frames that a port has brought, also those that were discarded. */
function seenBy({ rx }: BridgePort): number {
  return Object.values(rx.discards).reduce((sum, discards) => sum + discards, rx.frames);
}
