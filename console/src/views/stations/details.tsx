import type { JSX } from 'preact';
import { Icon } from '../../parts/icon.tsx';
import { dateAndClock } from '../../parts/time.ts';
import { counted } from '../../parts/units.ts';
import { hashOf } from '../../router.ts';
import { may } from '../../session.ts';
import '../ports/details.css';
import { FactList, Section } from '../ports/section.tsx';
import { Actions } from './actions.tsx';
import { Ago } from './columns.tsx';
import { isLocal, placeOf, portOf, type Station, titleOf } from './station-text.ts';

interface DetailsProps {
  /** undefined: there is no such station (any more) */
  readonly station: Station | undefined;
  /** its key, as the link has it */
  readonly selected: string;
  readonly onClose: () => void;
}

/** A station with all that the switch knows of it, beside the table. */
export function Details({ station, selected, onClose }: DetailsProps): JSX.Element {
  const mac = selected.split('|').at(-1) ?? '';
  const title = station === undefined ? mac : titleOf(station);
  return (
    <aside class="details" aria-label={`Station ${title}`}>
      <header class="details-head">
        <div class="details-name">
          <h2 class="details-title">{title}</h2>
          <p class="details-sub muted">
            {mac}
            {station !== undefined && <>, {placeOf(station)}</>}
          </p>
        </div>
        <button type="button" class="button button-quiet" aria-label="Close" data-closes onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {station === undefined ? (
        <p class="details-section">The switch does not know {mac} any more: it was silent for the ageing time.</p>
      ) : (
        <Known station={station} onClose={onClose} />
      )}
    </aside>
  );
}

function Known({ station, onClose }: { readonly station: Station; readonly onClose: () => void }): JSX.Element {
  const { port, mac, addresses = [], network, vid, flapping } = station;
  return (
    <>
      {flapping && (
        <p class="details-section notice notice-bad">
          It moves to and fro between ports: two stations have this address, or there is a loop.
        </p>
      )}
      <div class="details-section details-actions">
        <a class="button" href={hashOf('ports', { port })}>
          <Icon name="ports" /> Port {portOf(station)}
        </a>
        {may('capture') && (
          <a class="button" href={hashOf('capture', { port, station: mac })}>
            <Icon name="capture" /> Follow
          </a>
        )}
      </div>
      <Section title="IP addresses">
        {addresses.length === 0 ? (
          <p class="muted details-text">None was seen in ARP, neighbour discovery or DHCP.</p>
        ) : (
          <ul class="stations-addresses">
            {addresses.map((address) => (
              <li key={address} class="mono">
                {address}
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title="Station">
        <FactList
          facts={[
            ['MAC address', <span class="mono">{mac}</span>],
            ['Host name', station.hostname],
            ['Vendor', isLocal(station) ? 'none: locally administered' : station.vendor],
            ['Network', <a href={hashOf('networks', { network })}>{network}</a>],
            ['VLAN', vid === 0 ? 'none: frames without a tag' : vid],
            ['Entry', KINDS[station.kind]],
          ]}
        />
      </Section>
      <Section title="History">
        <FactList
          facts={[
            ['First seen', station.since == null ? null : dateAndClock(station.since)],
            ['Last seen', <Ago time={station.seen} kind={station.kind} />],
            ['Moves', movesOf(station)],
          ]}
        />
      </Section>
      <Actions station={station} onClose={onClose} />
    </>
  );
}

const KINDS = {
  learned: 'learned: it ages, and follows the station',
  sticky: 'sticky: it ages, and does not move',
  static: 'static: it neither ages nor moves',
  told: 'told by another node of the cluster, where it is',
} as const;

function movesOf({ moves, movedFrom, port }: Station): JSX.Element | string {
  if (moves === 0 || movedFrom === null) return 'none';
  return (
    <>
      {counted(moves, 'move')}, the last one from <a href={hashOf('ports', { port: movedFrom })}>port {movedFrom}</a> to{' '}
      {port}
    </>
  );
}
