import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import { Icon } from '../../parts/icon.tsx';
import { settingValue } from '../../parts/port-settings.ts';
import { counted } from '../../parts/units.ts';
import { hashOf } from '../../router.ts';
import { may } from '../../session.ts';
import type { Port } from '../ports/port-text.ts';
import { FactList } from '../ports/section.tsx';
import { NetworkDialog } from './network-dialog.tsx';
import { RemoveDialog } from './remove-dialog.tsx';
import { SETTING_FIELDS, settingText } from './setting-fields.ts';
import { Tree } from './tree.tsx';
import { Vlans } from './vlans.tsx';

/** The parts of a network, by the member `tab` of the route. */
const TABS = [
  ['vlans', 'VLANs'],
  ['tree', 'Spanning tree'],
  ['settings', 'Settings'],
] as const;

interface NetworkProps {
  readonly network: NetworkEntry;
  /** those of all networks */
  readonly ports: readonly Port[];
  readonly tab: string;
}

/** One network: its VLANs, its spanning tree, its settings. */
export function Network({ network, ports: all, tab }: NetworkProps): JSX.Element {
  const { network: name, ports: portCount, addresses, auto, config } = network;
  const ports = useMemo(
    () => all.filter((port) => port.network === name).sort((one, other) => one.port - other.port),
    [all, name],
  );
  const dialog = useSignal<'change' | 'remove' | null>(null);
  const close = (): void => {
    dialog.value = null;
  };
  const shown = TABS.find(([id]) => id === tab)?.[0] ?? 'vlans';
  return (
    <section class="networks-one" aria-label={`Network ${name}`}>
      <header class="networks-head">
        <h2 class="networks-title">{name}</h2>
        {auto && (
          <span class="badge" title="It is removed with its last port">
            made by a tunnel
          </span>
        )}
        {config !== null && <span class="badge">{config === 'file' ? 'in the file' : config}</span>}
        <span class="muted">
          <a href={hashOf('ports', { find: name })}>{counted(portCount, 'port')}</a>,{' '}
          <a href={hashOf('stations', { find: name })}>{counted(addresses, 'station')}</a>
        </span>
        <span class="networks-buttons">
          {may('setNet') && (
            <button type="button" class="button" onClick={() => (dialog.value = 'change')}>
              <Icon name="edit" /> Change…
            </button>
          )}
          {may('delNet') && name !== 'default' && (
            <button type="button" class="button button-danger" onClick={() => (dialog.value = 'remove')}>
              <Icon name="remove" /> Remove…
            </button>
          )}
        </span>
      </header>
      <nav class="networks-tabs" aria-label={`Parts of the network ${name}`}>
        {TABS.map(([id, title]) => (
          <a
            key={id}
            class="networks-tab"
            href={hashOf('networks', { network: name, tab: id })}
            aria-current={id === shown ? 'page' : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      {shown === 'vlans' && <Vlans key={name} network={name} ports={ports} />}
      {shown === 'tree' && <Tree network={name} />}
      {shown === 'settings' && <Settings network={network} />}
      {dialog.value === 'change' && <NetworkDialog network={network} onClose={close} />}
      {dialog.value === 'remove' && <RemoveDialog network={network} onClose={close} />}
    </section>
  );
}

function Settings({ network: { settings } }: { readonly network: NetworkEntry }): JSX.Element {
  const known = SETTING_FIELDS.filter(({ name }) => settings[name] !== undefined);
  const others = Object.entries(settings).filter(([name]) => !SETTING_FIELDS.some((field) => field.name === name));
  return (
    <div class="networks-settings">
      <FactList
        facts={[
          ...known.map((field) => [field.label, settingText(field, settings[field.name])] as const),
          ...others.map(([name, value]) => [name, settingValue(value)] as const),
        ]}
      />
    </div>
  );
}
