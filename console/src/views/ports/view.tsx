import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { useTable } from '../../live/live.ts';
import { Empty } from '../../parts/empty.tsx';
import { Table } from '../../parts/table.tsx';
import { Search, Toolbar } from '../../parts/toolbar.tsx';
import { counted } from '../../parts/units.ts';
import { go, route } from '../../router.ts';
import { COLUMNS } from './columns.tsx';
import { Details } from './details.tsx';
import { samplePorts } from './past.ts';
import type { Port } from './port-text.ts';
import './ports.css';

const ADD_COMMAND = 'etherws ctl addport tap tap0\netherws ctl addport client wss://relay.example/';

/** All ports in a table, and one of them beside it. */
export function PortsView(): JSX.Element {
  const table = useTable<Port>('ports');
  const version = table.version.value;
  const rows = useMemo(() => [...table.rows.values()], [table, version]);
  const query = route.value.query;
  const filter = useSignal(query.get('find') ?? '');
  const selected = query.get('port');
  const open = selected === undefined ? undefined : portOf(table.rows, selected);
  useEffect(() => samplePorts(() => table.rows), [table]);

  const up = rows.reduce((sum, { state }) => sum + Number(state === 'up'), 0);
  return (
    <div class="ports">
      <div class="ports-list">
        <Toolbar>
          <h1 class="toolbar-title">Ports</h1>
          <Search label="Search ports" text={filter} placeholder="Name, target, state, network" />
          <span class="muted" role="status">
            {table.isComplete.value ? `${counted(rows.length, 'port')}, ${up} up` : ''}
          </span>
        </Toolbar>
        <Table
          label="Ports"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ port }) => String(port)}
          filter={filter.value}
          sorting={{ column: 'port', isDescending: false }}
          selected={open === undefined ? null : String(open.port)}
          onOpen={({ port }) => go('ports', { port, find: filter.value })}
          empty={
            table.isComplete.value && (
              <Empty title="No ports yet" command={ADD_COMMAND} lead="The first ones:" needs="addPort">
                A port connects the switch to a device of this host, or to another switch.
              </Empty>
            )
          }
        />
      </div>
      {selected !== undefined && table.isComplete.value && (
        <Details
          key={open?.port ?? selected}
          port={open}
          selected={selected}
          others={rows}
          onClose={() => go('ports', { find: filter.value })}
        />
      )}
    </div>
  );
}

/** Links name a port by its number or by its name. */
function portOf(rows: ReadonlyMap<string, Port>, reference: string): Port | undefined {
  return rows.get(reference) ?? [...rows.values()].find(({ name }) => name === reference);
}
