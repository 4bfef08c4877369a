import type { JSX } from 'preact';
import type { LiveStpEntry, LiveStpPortEntry } from '../../../../src/control/stp-entries.ts';
import { useTable } from '../../live/live.ts';
import type { Column } from '../../parts/columns.ts';
import { Empty } from '../../parts/empty.tsx';
import { Table } from '../../parts/table.tsx';
import { count, counted } from '../../parts/units.ts';
import { go, hashOf } from '../../router.ts';

const COLUMNS: readonly Column<LiveStpPortEntry>[] = [
  { id: 'port', title: 'Port', width: '3.75rem', isNumber: true, rank: 1, value: ({ port }) => port },
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(6.5rem, 2fr)',
    value: ({ port, portName }) => portName ?? `port ${port}`,
    cell: ({ port, portName }) => portName ?? <span class="muted">port {port}</span>,
  },
  { id: 'role', title: 'Role', width: '5.75rem', value: ({ role }) => role },
  {
    id: 'state',
    title: 'State',
    width: '6.25rem',
    value: ({ state }) => state,
    cell: (port) => <span class={`badge badge-${toneOf(port)}`}>{port.guardTripped ? 'BPDU guard' : port.state}</span>,
  },
  {
    id: 'cost',
    title: 'Cost',
    width: '6rem',
    isNumber: true,
    rank: 2,
    value: ({ cost }) => cost,
    cell: ({ cost }) => count(cost),
  },
  {
    id: 'link',
    title: 'Link',
    width: '8rem',
    rank: 4,
    value: ({ edge, pointToPoint }) => (edge ? 'edge' : pointToPoint ? 'point to point' : 'shared'),
  },
  {
    id: 'bridge',
    title: 'Designated bridge',
    width: 'minmax(12rem, 2fr)',
    rank: 3,
    value: ({ designatedBridge }) => designatedBridge,
    cell: ({ designatedBridge }) => <span class="mono">{designatedBridge}</span>,
  },
  { id: 'version', title: 'Speaks', width: '5rem', rank: 5, value: ({ version }) => version },
];

interface TreeFacts {
  readonly tree: LiveStpEntry;
  readonly ports: readonly LiveStpPortEntry[];
}

/** The spanning tree of a network: the root, the way there, and what each port does. */
export function Tree({ network }: { readonly network: string }): JSX.Element | null {
  const trees = useTable<LiveStpEntry>('trees');
  const allPorts = useTable<LiveStpPortEntry>('treePorts');
  const tree = trees.rows.get(network);
  if (!trees.isComplete.value || !allPorts.isComplete.value) return null;
  if (tree === undefined) {
    return (
      <Empty title="No spanning tree" command={`etherws ctl setnet ${network} --stp on`}>
        It keeps one way where switches are connected in rings, and blocks the others until they are needed. It is off
        in this network, or the network has had no port yet:
      </Empty>
    );
  }
  const ports = [...allPorts.rows.values()].filter((port) => port.network === network);
  return (
    <>
      <TreeSummary tree={tree} ports={ports} />
      <Table
        label="Ports of the spanning tree"
        columns={COLUMNS}
        rows={ports}
        keyOf={({ port }) => String(port)}
        sorting={{ column: 'port', isDescending: false }}
        onOpen={({ port }) => go('ports', { port })}
      />
    </>
  );
}

function TreeSummary({ tree, ports }: TreeFacts): JSX.Element {
  const { bridgeId, rootId, rootPort, rootNode, rootCost, topologyChanges, helloTime, maxAge, forwardDelay } = tree;
  const rootName = ports.find(({ port }) => port === rootPort)?.portName ?? rootPort;
  const blocked = ports.filter(({ role }) => role === 'alternate' || role === 'backup').length;
  return (
    <dl class="networks-tree">
      <div>
        <dt>Root</dt>
        <dd>
          {rootPort === null ? <span class="badge badge-good">this switch</span> : <span class="mono">{rootId}</span>}
        </dd>
      </div>
      <div>
        <dt>This bridge</dt>
        <dd class="mono">{bridgeId}</dd>
      </div>
      {rootPort !== null && (
        <div>
          <dt>Way to the root</dt>
          <dd>
            {rootNode === null ? (
              <a href={hashOf('ports', { port: rootPort })}>port {rootName}</a>
            ) : (
              <span class="mono">
                {rootNode}/{rootPort}
              </span>
            )}
            , cost {count(rootCost)}
          </dd>
        </div>
      )}
      <div>
        <dt>Blocked</dt>
        <dd>{blocked === 0 ? 'none' : counted(blocked, 'port')}</dd>
      </div>
      <div>
        <dt>Topology changes</dt>
        <dd>{count(topologyChanges)}</dd>
      </div>
      <div>
        <dt>Hello, max age, forward delay</dt>
        <dd>
          {helloTime} s, {maxAge} s, {forwardDelay} s
        </dd>
      </div>
    </dl>
  );
}

function toneOf({ role, state, guardTripped }: LiveStpPortEntry): string {
  if (guardTripped) return 'bad';
  if (state === 'forwarding') return 'good';
  if (role === 'disabled') return 'quiet';
  return 'warning';
}
