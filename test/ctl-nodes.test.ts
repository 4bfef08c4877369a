import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommandLine } from '../src/cli/program.ts';
import { MemoryHub, MemoryStore } from '../src/cluster/memory-store.ts';
import { readPolicy } from '../src/config/policy-file.ts';
import type { ClusterControl } from '../src/control/cluster-entries.ts';
import { ClusterCalls } from '../src/control/nodes/cluster-calls.ts';
import { runHere } from '../src/control/nodes/run-here.ts';
import { SharedControl } from '../src/control/nodes/shared-control.ts';
import { rightsBy } from '../src/daemon/shared-policy.ts';
import { EtherwsError } from '../src/errors.ts';
import { SILENT } from '../src/observability/logger.ts';
import { FakeSwitch, startFakeControl } from './support/fake-switch.ts';
import { RecordingTerminal } from './support/recording-terminal.ts';

/** `etherws ctl --cluster` against the control API of a node, whose others are in the same process. */

class FakeNode extends FakeSwitch {
  cluster: ClusterControl | undefined;
}

interface Cluster {
  readonly nodes: ReadonlyMap<string, FakeNode>;
  readonly stores: ReadonlyMap<string, MemoryStore>;
  ctl(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }>;
}

async function begin(t: TestContext, ...names: string[]): Promise<Cluster> {
  const hub = new MemoryHub();
  const nodes = new Map<string, FakeNode>();
  const stores = new Map<string, MemoryStore>();
  for (const node of names) {
    const service = new FakeNode();
    const store = new MemoryStore(hub);
    const calls = new ClusterCalls({
      ...{ store, node, nodes: () => names, run: runHere(service), logger: SILENT, patienceMs: 100 },
      rights: { mayCall: () => true, networksOf: () => undefined },
    });
    t.after(() => calls.close());
    const checkPolicy = async (file: string, text: string): Promise<void> => void readPolicy(file, text);
    const shared = new SharedControl({ store, checkNetwork: () => undefined, checkPolicy, rightsBy });
    const refuse = (): never => {
      throw new EtherwsError('REQUEST_REFUSED', 'This process has one node only');
    };
    service.cluster = Object.assign(shared, { call: calls.call.bind(calls), capture: refuse, subscribe: refuse });
    nodes.set(node, service);
    stores.set(node, store);
  }
  const control = await startFakeControl({ fake: nodes.get('r1') as FakeNode, service: nodes.get('r1') as FakeNode });
  t.after(() => control.close());
  const ctl = async (...words: string[]) => {
    const terminal = new RecordingTerminal({ ETHERWS_CTLURL: control.url });
    const status = await runCommandLine(['ctl', ...words], terminal);
    return { status, stdout: terminal.stdout, stderr: terminal.stderr };
  };
  return { nodes, stores, ctl };
}

const lines = (text: string): string[] => text.trimEnd().split('\n');

test('lists have a column with the node, and JSON a member', async (t) => {
  const { nodes, ctl } = await begin(t, 'r1', 'r2');
  await nodes.get('r2')?.addPort({ type: 'tap', target: 'tap7', name: 'uplink' });
  const { status, stdout, stderr } = await ctl('--cluster', 'listport');
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(lines(stdout), [
    '  Node  Port  Type  State  RX  TX  Target',
    '  r2       1  tap   up      0   0  tap7',
  ]);
  await nodes.get('r1')?.addPort({ type: 'tap', target: 'tap1' });
  const json = await ctl('listport', '--cluster', '--json', '--sort', '-node');
  const { entries, errors } = JSON.parse(json.stdout) as { entries: { node: string; target: string }[]; errors: [] };
  assert.deepEqual(
    [entries.map(({ node, target }) => [node, target]), errors],
    [
      [
        ['r2', 'tap7'],
        ['r1', 'tap1'],
      ],
      [],
    ],
  );
  const filtered = await ctl('--cluster', 'listport', '--long', '--filter', 'node=r1');
  assert.match(filtered.stdout, /Node .* Description/);
  assert.equal(lines(filtered.stdout).length, 2);
  assert.match((await ctl('--cluster', 'listdoor')).stdout, /^Node r1\n.*Service[\s\S]*\nNode r2\n/);
});

test('a node that does not answer is said, the others are printed, and the status is 1', async (t) => {
  const { stores, ctl } = await begin(t, 'r1', 'r2', 'r3');
  stores.get('r2')?.setConnected(false);
  const { status, stdout, stderr } = await ctl('--cluster', 'status');
  assert.equal(status, 1);
  assert.match(stderr, /^ {2}node r2: CLUSTER_[A-Z]+: [^\n]+\n$/);
  assert.deepEqual(
    lines(stdout).map((line) => line.trim().split(/\s+/)[0]),
    ['Node', 'r1', 'r3', 'all'],
  );
});

test('a port of another node is NODE/PORT', async (t) => {
  const { nodes, ctl } = await begin(t, 'r1', 'r2');
  await nodes.get('r2')?.addPort({ type: 'tap', target: 'tap7', name: 'uplink' });
  assert.match((await ctl('show', 'r2/uplink')).stdout, /^Node r2\nport 1 \(uplink\): tap tap7/);
  assert.match((await ctl('setport', 'r2/1', '--shut', '1')).stdout, /r2 +1 +tap +shut/);
  assert.equal(nodes.get('r2')?.listPorts()[0]?.shut, true);
  assert.equal((await ctl('delport', 'r2/uplink')).status, 0);
  assert.deepEqual(nodes.get('r2')?.listPorts(), []);
  const gone = await ctl('show', 'r2/uplink');
  assert.deepEqual([gone.status, gone.stdout], [1, '']);
  assert.match(gone.stderr, /node r2: PORT_NOT_FOUND: There is no port uplink\. listport shows/);
  const nowhere = await ctl('show', 'r9/uplink');
  assert.match(nowhere.stderr, /node r9: CLUSTER_/);
});

test('top shows the ports of all nodes, and the sums of each', async (t) => {
  const { nodes, stores, ctl } = await begin(t, 'r1', 'r2');
  for (const node of nodes.values()) await node.addPort({ type: 'tap', target: 'tap7' });
  await nodes.get('r2')?.addPort({ type: 'tap', target: 'tap8' });
  const { status, stdout } = await ctl('--cluster', 'top', '--once', '--interval', '0.2', '--sort', 'node');
  assert.equal(status, 0);
  const words = lines(stdout).map((line) => line.trim().split(/\s+/).slice(0, 3).join(' '));
  assert.deepEqual(words, [
    'Node Port Name',
    'r1 1 -',
    'r2 1 -',
    'r2 2 -',
    '',
    'Node Ports Up',
    'r1 1 1',
    'r2 2 2',
    'all 3 3',
  ]);
  stores.get('r2')?.setConnected(false);
  const half = await ctl('--cluster', 'top', '--once', '--interval', '0.2');
  assert.equal(half.status, 1);
  assert.match(half.stdout, /r1 +1/);
  assert.match(half.stderr, /node r2: CLUSTER_/);
});

test('what is about one switch refuses --cluster', async (t) => {
  const { ctl } = await begin(t, 'r1');
  for (const [words, message] of [
    ['setport 1 --shut 1', /setport is about a port of one node\nName the node, too: setport NODE\/PORT/],
    ['addport tap x', /tap is about one switch/],
    ['reload', /about one switch/],
  ] as const) {
    const { status, stderr } = await ctl('--cluster', ...words.split(' '));
    assert.equal(status, 2, words);
    assert.match(stderr, message);
  }
  assert.match((await ctl('history')).stderr, /Say so: etherws ctl --cluster history/);
  assert.match((await ctl('setnet', 'lab', '--revision', '3')).stderr, /Give --cluster, too/);
});

test('a switch that is no node says so', async (t) => {
  const { nodes, ctl } = await begin(t, 'r1');
  (nodes.get('r1') as FakeNode).cluster = undefined;
  const { status, stderr } = await ctl('--cluster', 'listport');
  assert.equal(status, 1);
  assert.match(stderr, /This switch is no node of a cluster/);
});

test('networks of all nodes are added, changed, removed, listed and rolled back', async (t) => {
  const { ctl } = await begin(t, 'r1', 'r2');
  assert.match((await ctl('--cluster', 'addnet', 'lab', '--ageout', '60')).stdout, /lab +1 +- +20\S+Z +ageout=60/);
  await ctl('--cluster', 'setnet', 'lab', '--ageout', '5');
  const late = await ctl('--cluster', 'setnet', 'lab', '--ageout', '7', '--revision', '1');
  assert.equal(late.status, 1);
  assert.match(late.stderr, /CLUSTER_CONFLICT: Another change of network\.lab came first/);
  assert.match((await ctl('--cluster', 'delnet', 'lab')).stdout, /lab +3 .*removed/);
  assert.equal((await ctl('--cluster', 'rollback', 'network.lab', '2')).status, 0);
  const { stdout } = await ctl('--cluster', 'history', 'network.lab');
  assert.deepEqual(
    lines(stdout).map((line) =>
      line
        .trim()
        .split(/\s+/)
        .filter((_, at) => at === 1 || at > 3),
    ),
    [
      ['Revision', 'Current', 'Value'],
      ['4', 'yes', 'ageout=5'],
      ['3', 'no', 'removed'],
      ['2', 'no', 'ageout=5'],
      ['1', 'no', 'ageout=60'],
    ],
  );
});

test('the policy of all nodes is checked, set and shown', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-nodes-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const good = join(directory, 'good.yaml');
  const bad = join(directory, 'bad.yaml');
  const text = 'users:\n  ann:\n    tunnels: {max-ports: 2}\n';
  writeFileSync(good, text);
  writeFileSync(bad, 'users:\n  ann:\n    tunnels: {max-ports: none}\n');
  const { ctl } = await begin(t, 'r1', 'r2');
  const refused = await ctl('--cluster', 'policy', 'set', bad);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /bad\.yaml:3:15: users\.ann\.tunnels\.max-ports must be a whole number/);
  assert.match((await ctl('--cluster', 'policy', 'check', good)).stdout, /is a policy/);
  assert.match((await ctl('--cluster', 'policy', 'show')).stdout, /has no policy/);
  assert.match((await ctl('--cluster', 'policy', 'set', good)).stdout, /revision 1/);
  assert.equal((await ctl('--cluster', 'policy', 'show')).stdout, text);
  assert.match((await ctl('--cluster', 'policy', 'set', join(directory, 'none'))).stderr, /none/);
});
