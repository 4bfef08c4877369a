import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { PriorityVector, Times } from '../../src/bridge/spanning-tree/priority-vector.ts';
import { type BridgeVariables, type OtherNodes, PortVariables } from '../../src/bridge/spanning-tree/variables.ts';
import type { Bpdu } from '../../src/wire/bpdu/bpdu.ts';
import { type BridgeId, bridgeIdOf } from '../../src/wire/bpdu/bridge-id.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';

export const ADDRESS = 0x0200_0000_5000 as MacAddress;
export const BRIDGE_ID: BridgeId = bridgeIdOf(0x8000, ADDRESS);
/** The default times of a bridge (IEEE 802.1D-2004, table 17-1). */
export const TIMES: Times = { messageAge: 0, maxAge: 20, helloTime: 2, forwardDelay: 15 };

/** Bridge `number`, the better the lower; 8 is the bridge under test. */
export function idOf(number: number): BridgeId {
  return number === 8 ? BRIDGE_ID : bridgeIdOf(number * 0x1000, (0x0200_0000_0000 + number) as MacAddress);
}

export function vectorOf(root: number, rootPathCost: number, bridge: number, portId = 0x8001): PriorityVector {
  return { rootId: idOf(root), rootPathCost, bridgeId: idOf(bridge), portId };
}

/** Variables of a port, by name. */
export type Values = Partial<Omit<PortVariables, 'bridge' | 'number' | 'askReselect'>>;

/** A bridge with ports whose variables a test sets, so that each state machine runs alone. */
export class MachineBench {
  readonly bridge: BridgeVariables;
  readonly ports = new Map<number, PortVariables>();
  /** What the machines did outside of themselves. */
  readonly done: string[] = [];
  readonly transmitted: Bpdu[] = [];

  constructor(bridge: Partial<BridgeVariables> = {}) {
    this.bridge = {
      ports: this.ports,
      bridgeId: BRIDGE_ID,
      address: ADDRESS,
      bridgeTimes: TIMES,
      rootPriority: vectorOf(8, 0, 8, 0),
      rootTimes: TIMES,
      rootPort: undefined,
      remoteRoot: undefined,
      localRoot: undefined,
      others: undefined,
      txHoldCount: 6,
      rstpVersion: true,
      pending: new Set(),
      dependents: new Set(),
      topologyChanges: 0,
      actions: {
        transmit: ({ number }, bpdu) => {
          this.done.push(`transmit ${number}`);
          this.transmitted.push(bpdu);
        },
        changed: ({ number, role, state }) => void this.done.push(`changed ${number}: ${role} ${state}`),
        flush: ({ number }) => void this.done.push(`flush ${number}`),
        topologyChange: ({ number }, isDetected) =>
          void this.done.push(`topology change ${number}: ${isDetected ? 'detected' : 'heard'}`),
      },
      ...bridge,
    };
  }

  /** Adds a port with the next number. */
  addPort(values: Values): PortVariables {
    const number = this.ports.size + 1;
    const port = new PortVariables(this.bridge, number, number);
    port.portId = 0x8000 + number;
    Object.assign(port, values);
    this.ports.set(number, port);
    return port;
  }
}

/** The variables of a port that differ from those before. */
export function changesBetween(before: Values, after: PortVariables): Record<string, unknown> {
  const changed = Object.entries(after).filter(
    ([name, value]) => name !== 'bridge' && !isDeepStrictEqual(value, before[name as keyof Values]),
  );
  return Object.fromEntries(changed);
}

/** A transition of a state machine, or that there is none. */
export interface Transition {
  /** its name, with the states or the condition of the standard */
  readonly name: string;
  /** variables that differ from the settled port of the table */
  readonly given: Values;
  /** variables of port 2 that differ from those of a settled port; present: there is one */
  readonly other?: Values;
  readonly bridge?: Partial<BridgeVariables>;
  /** Variables after one step that differ from those before it; undefined: the machine does nothing. */
  readonly changes: Values | undefined;
  /** the same of port 2; default: nothing changes */
  readonly otherChanges?: Values;
  readonly done?: readonly string[];
}

/**
 * Runs one step of a machine for each row of a table, and compares all variables of all ports: what a transition must set,
 * and what it must leave.
 * @param settled the variables of the ports before; a row differs from them
 */
export function playTransitions(
  machine: (port: PortVariables) => boolean,
  settled: { readonly port: Values; readonly other: Values },
  rows: readonly Transition[],
): void {
  for (const { name, given, other, bridge = {}, changes, otherChanges = {}, done = [] } of rows) {
    const bench = new MachineBench(bridge);
    const port = bench.addPort({ ...settled.port, ...given });
    const second = other && bench.addPort({ ...settled.other, ...other });
    const [before, secondBefore] = [{ ...port }, { ...second }];
    bench.bridge.pending.clear();
    assert.equal(machine(port), changes !== undefined, `${name}: whether the state changes`);
    assert.deepEqual(changesBetween(before as Values, port), changes ?? {}, name);
    if (second !== undefined) {
      assert.deepEqual(changesBetween(secondBefore as Values, second), otherChanges, `${name}: port 2`);
      const isPending = Object.keys(otherChanges).length > 0;
      assert.equal(bench.bridge.pending.has(second), isPending, `${name}: whether the machines of port 2 run`);
    }
    assert.deepEqual(bench.done, done, name);
  }
}

/** Other nodes of a shared bridge, with given answers. */
export function otherNodes(answers: Partial<OtherNodes>, demands: string[] = []): OtherNodes {
  return {
    node: 'one',
    roots: () => [],
    areSynced: () => true,
    areReRooted: () => true,
    demandSync: () => void demands.push('sync'),
    demandReRoot: () => void demands.push('reRoot'),
    topologyChanged: () => void demands.push('topology change'),
    ...answers,
  };
}
