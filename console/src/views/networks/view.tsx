import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import { useTable } from '../../live/live.ts';
import type { Column } from '../../parts/columns.ts';
import { Icon } from '../../parts/icon.tsx';
import { Table } from '../../parts/table.tsx';
import { Search, Toolbar } from '../../parts/toolbar.tsx';
import { count } from '../../parts/units.ts';
import { go, route } from '../../router.ts';
import { may } from '../../session.ts';
import type { Port } from '../ports/port-text.ts';
import '../ports/details.css';
import { Network } from './network.tsx';
import { NetworkDialog } from './network-dialog.tsx';
import './networks.css';

const COLUMNS: readonly Column<NetworkEntry>[] = [
  { id: 'network', title: 'Network', width: 'minmax(6rem, 1fr)', value: ({ network }) => network },
  { id: 'ports', title: 'Ports', width: '3.5rem', isNumber: true, value: ({ ports }) => ports },
  {
    id: 'addresses',
    title: 'Stations',
    width: '4.5rem',
    isNumber: true,
    value: ({ addresses }) => addresses,
    cell: ({ addresses }) => count(addresses),
  },
];

/** All networks, and one of them beside. */
export function NetworksView(): JSX.Element {
  const table = useTable<NetworkEntry>('networks');
  const ports = useTable<Port>('ports');
  const [version, portVersion] = [table.version.value, ports.version.value];
  const rows = useMemo(() => [...table.rows.values()], [table, version]);
  const allPorts = useMemo(() => [...ports.rows.values()], [ports, portVersion]);
  const filter = useSignal('');
  const isAdding = useSignal(false);
  const query = route.value.query;
  // A user that the policy limits to some networks may have none that is called default.
  const first = table.rows.has('default') ? 'default' : (rows.map(({ network: name }) => name).sort()[0] ?? 'default');
  const wanted = query.get('network') ?? first;
  const network = table.rows.get(wanted);
  return (
    <div class="networks">
      <div class="networks-list">
        <Toolbar>
          <h1 class="toolbar-title">Networks</h1>
          {may('addNet') && (
            <button type="button" class="button toolbar-end" onClick={() => (isAdding.value = true)}>
              <Icon name="add" /> Add…
            </button>
          )}
          <Search label="Search networks" text={filter} />
        </Toolbar>
        <Table
          label="Networks"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ network: name }) => name}
          filter={filter.value}
          sorting={{ column: 'network', isDescending: false }}
          selected={wanted}
          onOpen={({ network: name }) => go('networks', { network: name, tab: query.get('tab') })}
        />
      </div>
      {network !== undefined ? (
        <Network network={network} ports={allPorts} tab={query.get('tab') ?? 'vlans'} />
      ) : (
        table.isComplete.value && <p class="networks-gone muted">There is no network {wanted} any more.</p>
      )}
      {isAdding.value && <NetworkDialog network={undefined} onClose={() => (isAdding.value = false)} />}
    </div>
  );
}
