import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import type { WantedNetwork } from '../config/wanted-networks.ts';
import type { ClusterControl } from '../control/cluster-entries.ts';
import { Switch } from '../networks/switch.ts';
import { RunningSwitch } from '../networks/switch-control.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { StateFile } from '../runtime/state-file.ts';
import type { NetworkChange } from '../schema/network-options.ts';
import { ConfiguredSwitch } from './configured-switch.ts';
import { IngressPolicies } from './ingress-policies.ts';
import { NO_POLICY, SharedPolicySource } from './shared-policy.ts';
import { SharedService } from './shared-service.ts';

/** Nodes of a cluster in one process: what is set at one is in force at all. */

interface Node {
  readonly store: MemoryStore;
  readonly shared: SharedService;
  readonly control: ClusterControl;
  readonly configured: ConfiguredSwitch;
  readonly target: Switch;
  readonly policies: IngressPolicies;
  readonly evicted: BridgePort[];
  close(): Promise<void>;
}

const NO_STREAMS: Pick<ConstructorParameters<typeof SharedService>[0], 'isOneService' | 'onChange' | 'streams'> = {
  isOneService: false,
  onChange: () => () => undefined,
  streams: { serveStreams: () => undefined, openStream: () => Promise.reject(new Error('no other node')) },
};

interface NodeOptions {
  readonly store?: MemoryStore;
  readonly statePath?: string;
  readonly file?: readonly WantedNetwork[];
}

async function node(t: TestContext, hub: MemoryHub, name: string, options: NodeOptions = {}): Promise<Node> {
  const target = new Switch();
  t.after(() => target.close());
  const state = options.statePath === undefined ? undefined : await StateFile.open(options.statePath, { soonMs: 1 });
  const configured = new ConfiguredSwitch({
    running: new RunningSwitch(target, async () => new MemoryPort()),
    ...{ logger: SILENT, state, logLevels: undefined },
    hasFile: options.file !== undefined,
  });
  configured.openNetworks(options.file ?? [], []);
  await configured.open([]);
  const source = new SharedPolicySource();
  const evicted: BridgePort[] = [];
  const policies = IngressPolicies.of(source, NO_POLICY, SILENT, (port) => evicted.push(port));
  const store = options.store ?? new MemoryStore(hub);
  const nodes = (): string[] => [name];
  const parts = { store, node: name, nodes, configured, policies, source, state };
  const shared = new SharedService({ ...parts, ...NO_STREAMS, logger: SILENT });
  t.after(() => shared.close());
  await shared.ready(500);
  const close = async (): Promise<void> => {
    shared.close();
    await state?.close();
  };
  return { store, shared, control: shared.control, configured, target, policies, evicted, close };
}

const networkAt = ({ configured }: Node, name: string) =>
  configured.networks.list().find(({ network }) => network === name);

const settingsAt = (at: Node, name: string): NetworkChange => networkAt(at, name)?.settings ?? {};

test('a network that is added at one node is at all, and may not be changed at one alone', async (t) => {
  const hub = new MemoryHub();
  const [one, two] = [await node(t, hub, 'r1'), await node(t, hub, 'r2')];
  await one.control.addNetwork('lab', { ageout: 60 }, null);
  await until(() => networkAt(two, 'lab') !== undefined);
  assert.equal(settingsAt(two, 'lab').ageout, 60);
  assert.equal(networkAt(two, 'lab')?.config, 'cluster');
  await two.control.setNetwork('lab', { fdbSize: 9 }, null);
  await until(() => settingsAt(one, 'lab').fdbSize === 9);
  await assert.rejects(one.configured.networks.set('lab', { ageout: 1 }), /ctl --cluster setnet lab|all nodes/);
  await assert.rejects(one.configured.networks.remove('lab', true), /all nodes/);
  await one.control.addNetwork('default', { lldp: 'on' }, null);
  await until(() => settingsAt(two, 'default').lldp === 'on');
  await one.control.removeNetwork('default', null);
  await until(() => settingsAt(two, 'default').lldp === 'off');
});

test('a network that is removed takes its ports along at each node', async (t) => {
  const hub = new MemoryHub();
  const [one, two] = [await node(t, hub, 'r1'), await node(t, hub, 'r2')];
  await one.control.addNetwork('lab', {}, null);
  await until(() => networkAt(two, 'lab') !== undefined);
  two.target.attach(new MemoryPort(), { network: 'lab' });
  two.target.attach(new MemoryPort());
  await one.control.removeNetwork('lab', null);
  await until(() => networkAt(two, 'lab') === undefined);
  assert.deepEqual([...two.target.ports.keys()], [2], 'ports of other networks stay');
});

test('a network of the file is as the cluster has it, and as the file has it again afterwards', async (t) => {
  const hub = new MemoryHub();
  const one = await node(t, hub, 'r1');
  const { revision } = await one.control.addNetwork('lab', { ageout: 60 }, null);
  const file = [{ name: 'lab', settings: { ageout: 7, fdbSize: 3 }, place: '' }];
  const two = await node(t, hub, 'r2', { file });
  assert.deepEqual([settingsAt(two, 'lab').ageout, settingsAt(two, 'lab').fdbSize], [60, 0]);
  assert.deepEqual(two.configured.deviations(), [], 'a reload does not take it back');
  assert.equal(two.shared.state.revision, revision);
  const saved = two.configured.networks.toSave().find(({ name }) => name === 'lab');
  assert.deepEqual([saved?.settings.ageout, saved?.settings.fdbSize], [7, 3], 'a saved file has its own settings');
  assert.ok(one.configured.networks.toSave().every(({ name }) => name !== 'lab'));
  await one.control.removeNetwork('lab', null);
  await until(() => settingsAt(two, 'lab').ageout === 7);
  assert.equal(networkAt(two, 'lab')?.config, 'file');
});

test('a policy that is set at one node is in force at all, and a caller cannot lock itself out', async (t) => {
  const hub = new MemoryHub();
  const [one, two] = [await node(t, hub, 'r1'), await node(t, hub, 'r2')];
  const number = two.target.attach(new MemoryPort());
  const port = two.target.ports.get(number);
  assert.ok(port !== undefined);
  two.policies.apply(port, 'eve', 'default');
  const rules = 'users:\n  eve: {tunnels: {allowed: false}}\n';
  const locked = `${rules}default: {control: {methods: all}}\n`;
  await assert.rejects(one.control.setPolicy({ text: locked }, 'ann'), { code: 'REQUEST_REFUSED' });
  await assert.rejects(one.control.setPolicy({ text: 'users: 7' }, 'ann'), /^EtherwsError: policy:1:/);
  await one.control.setPolicy({ text: rules }, 'ann');
  await until(() => two.evicted.includes(port));
  assert.equal(two.policies.allowanceOf('eve'), 0);
  assert.equal(two.policies.allowanceOf('bob'), Number.POSITIVE_INFINITY);
});

test('a node that starts without the store has the networks and the policy that it kept', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-shared-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const statePath = join(directory, 'state');
  const hub = new MemoryHub();
  const first = await node(t, hub, 'r1', { statePath });
  await first.control.addNetwork('lab', { ageout: 60 }, null);
  await first.control.setPolicy({ text: 'users:\n  eve: {tunnels: {max-ports: 1}}\n' }, null);
  await until(() => first.policies.allowanceOf('eve') === 1);
  await first.close();

  const store = new MemoryStore(hub);
  store.setConnected(false);
  const again = await node(t, hub, 'r1', { statePath, store });
  assert.equal(settingsAt(again, 'lab').ageout, 60);
  assert.equal(again.policies.allowanceOf('eve'), 1);
  assert.ok(again.shared.state.withoutStoreSince !== null && again.shared.state.revision > 0);
  await assert.rejects(again.control.setNetwork('lab', { ageout: 1 }, null), { code: 'CLUSTER_UNAVAILABLE' });
  await assert.rejects(again.control.addNetwork('yard', {}, null), { code: 'CLUSTER_UNAVAILABLE' });

  const other = await node(t, hub, 'r2');
  await other.control.setNetwork('lab', { ageout: 5 }, null);
  store.setConnected(true);
  await until(() => settingsAt(again, 'lab').ageout === 5);
  assert.equal(again.shared.state.withoutStoreSince, null);
});

test('a node that knows nothing does not start without the store, and one with two policies not at all', async (t) => {
  const hub = new MemoryHub();
  const store = new MemoryStore(hub);
  store.setConnected(false);
  await assert.rejects(node(t, hub, 'r1', { store }), { code: 'CLUSTER_UNAVAILABLE' });

  const { control, configured, target: _ } = await node(t, hub, 'r2');
  await control.setPolicy({ text: '' }, null);
  const options = { node: 'r3', nodes: () => ['r3'], state: undefined, logger: SILENT };
  const own = { store: new MemoryStore(hub), configured, policies: undefined, source: undefined };
  const third = new SharedService({ ...options, ...own, ...NO_STREAMS });
  t.after(() => third.close());
  await assert.rejects(third.ready(500), { code: 'CONFIG_INVALID', message: /has one of its own/ });
});
