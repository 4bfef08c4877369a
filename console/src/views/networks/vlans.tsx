import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { VlanEntry } from '../../../../src/control/vlan-entries.ts';
import { useTable } from '../../live/live.ts';
import type { ObservedTable } from '../../live/observed-table.ts';
import { Empty } from '../../parts/empty.tsx';
import { matches } from '../../parts/order.ts';
import { Search } from '../../parts/toolbar.tsx';
import { may } from '../../session.ts';
import { type Port, titleOf } from '../ports/port-text.ts';
import { CellDialog } from './cell-dialog.tsx';
import { Matrix } from './matrix.tsx';
import type { VlanColumn } from './matrix-size.ts';
import { MAX_VID, MIN_VID } from './vid-list.ts';

interface VlansProps {
  readonly network: string;
  /** those of the network */
  readonly ports: readonly Port[];
}

/** The matrix of a network, with what is above it. */
export function Vlans({ network, ports }: VlansProps): JSX.Element {
  const filter = useSignal('');
  const shown = useSignal<ReadonlySet<number>>(new Set());
  const cell = useSignal<{ readonly port: Port; readonly vid: number } | null>(null);
  const table = useTable<VlanEntry>('vlans');
  const vlans = useColumns(table, network, shown.value);
  const found = filter.value === '' ? ports : ports.filter((port) => matches(filter.value, [port.port, titleOf(port)]));
  const open = may('setPort')
    ? (port: Port, vid: number): void => {
        cell.value = { port, vid };
      }
    : undefined;

  if (ports.length === 0) {
    return (
      <Empty title="No ports in this network" command={`etherws ctl addport tap tap0 --net ${network}`}>
        The matrix has a row for each port. The first one:
      </Empty>
    );
  }
  return (
    <>
      <div class="networks-bar">
        <Search label="Search ports" text={filter} placeholder="Port" />
        <ShowVlan onShow={(vid) => (shown.value = new Set([...shown.value, vid]))} />
        <Legend />
      </div>
      {vlans.length > 0 && <Matrix ports={found} vlans={vlans} onOpen={open} />}
      {vlans.length === 0 && table.isComplete.value && (
        <Empty title="No VLANs yet" command={`etherws ctl setport ${ports[0]?.port} --vlan-mode access --pvid 10`}>
          All ports are transparent: they pass all frames unchanged. A port is put into a VLAN so, or by a cell of the
          matrix once its VLAN is shown:
        </Empty>
      )}
      {cell.value !== null && <CellDialog {...cell.value} onClose={() => (cell.value = null)} />}
    </>
  );
}

/** The VLANs in use, and those that the user wants to see, in ascending order. */
function useColumns(
  table: ObservedTable<VlanEntry>,
  network: string,
  shown: ReadonlySet<number>,
): readonly VlanColumn[] {
  const version = table.version.value;
  return useMemo(() => {
    const stations = new Map<number, number>([...shown].map((vid) => [vid, 0]));
    for (const { network: of, vid, addresses } of table.rows.values()) {
      if (of === network && vid >= MIN_VID) stations.set(vid, addresses);
    }
    const vids = [...stations].map(([vid, count]) => ({ vid, stations: count }));
    return vids.sort((one, other) => one.vid - other.vid);
  }, [table, version, network, shown]);
}

/** Shows the column of a VLAN that no port is in yet. */
function ShowVlan({ onShow }: { readonly onShow: (vid: number) => void }): JSX.Element {
  const text = useSignal('');
  const vid = /^\d+$/.test(text.value) ? Number(text.value) : 0;
  const isVid = vid >= MIN_VID && vid <= MAX_VID;
  return (
    <form
      class="networks-show"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isVid) return;
        onShow(vid);
        text.value = '';
      }}
    >
      <label>
        <span class="hidden-text">
          VLAN to show, {MIN_VID} to {MAX_VID}
        </span>
        <input
          class="input networks-vid"
          inputMode="numeric"
          placeholder="VLAN"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value.trim();
          }}
        />
      </label>
      <button type="submit" class="button" disabled={!isVid}>
        Show
      </button>
    </form>
  );
}

function Legend(): JSX.Element {
  return (
    <p class="networks-legend muted">
      <span class="matrix-tagged">
        <span class="matrix-mark">T</span> tagged
      </span>
      <span class="matrix-untagged">
        <span class="matrix-mark">U</span> untagged (PVID)
      </span>
      <span class="matrix-passing">
        <span class="matrix-mark">t</span> passes
      </span>
    </p>
  );
}
