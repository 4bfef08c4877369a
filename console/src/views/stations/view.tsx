import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { useTable } from '../../live/live.ts';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Table } from '../../parts/table.tsx';
import { Search, Toolbar } from '../../parts/toolbar.tsx';
import { counted } from '../../parts/units.ts';
import { go, route } from '../../router.ts';
import { may } from '../../session.ts';
import { AddressDialog } from './address-dialog.tsx';
import { COLUMNS } from './columns.tsx';
import { Details } from './details.tsx';
import { FlushDialog } from './flush-dialog.tsx';
import { keyOf, type Station } from './station-text.ts';
import './stations.css';

const ADD_COMMAND = 'etherws ctl addport tap tap0\nping -c 1 192.0.2.1';

/** All stations in a table, and one of them beside it. */
export function StationsView(): JSX.Element {
  const table = useTable<Station>('stations');
  const version = table.version.value;
  const rows = useMemo(() => [...table.rows.values()], [table, version]);
  const query = route.value.query;
  const filter = useSignal(query.get('find') ?? '');
  const dialog = useSignal<'add' | 'flush' | null>(null);
  const selected = query.get('station');
  const open = selected === undefined ? undefined : table.rows.get(selected);
  const close = (): void => {
    dialog.value = null;
  };

  return (
    <div class="stations">
      <div class="stations-list">
        <Toolbar>
          <h1 class="toolbar-title">Stations</h1>
          <Search label="Search stations" text={filter} placeholder="Name, IP, MAC, vendor, port" />
          <span class="muted" role="status">
            {table.isComplete.value ? counted(rows.length, 'station') : ''}
          </span>
          <span class="toolbar-end stations-buttons">
            {may('addFdb') && (
              <button type="button" class="button" onClick={() => (dialog.value = 'add')}>
                <Icon name="add" /> Set an address…
              </button>
            )}
            {may('flushFdb') && (
              <button type="button" class="button" onClick={() => (dialog.value = 'flush')}>
                Forget…
              </button>
            )}
          </span>
        </Toolbar>
        <Table
          label="Stations"
          columns={COLUMNS}
          rows={rows}
          keyOf={keyOf}
          filter={filter.value}
          sorting={{ column: 'host', isDescending: false }}
          selected={open === undefined ? null : keyOf(open)}
          onOpen={(station) => go('stations', { station: keyOf(station), find: filter.value })}
          empty={
            table.isComplete.value && (
              <Empty title="No stations yet" command={ADD_COMMAND}>
                A station is listed when its first frame comes in by a port. Add a port, and let a host speak:
              </Empty>
            )
          }
        />
      </div>
      {selected !== undefined && table.isComplete.value && (
        <Details
          key={selected}
          station={open}
          selected={selected}
          onClose={() => go('stations', { find: filter.value })}
        />
      )}
      {dialog.value === 'add' && <AddressDialog onClose={close} />}
      {dialog.value === 'flush' && <FlushDialog onClose={close} />}
    </div>
  );
}
