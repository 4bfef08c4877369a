import type { JSX } from 'preact';
import type { PolicyEntry, PortPage } from '../../../../src/control/status-entries.ts';
import { settingName, settingValue } from '../../parts/port-settings.ts';
import { dateAndClock, duration } from '../../parts/time.ts';
import { bitRate, count, milliseconds, octets, rate } from '../../parts/units.ts';
import { hashOf } from '../../router.ts';
import type { Port } from './port-text.ts';
import { type Fact, FactList, Section } from './section.tsx';

interface FactsProps {
  readonly port: Port;
  /** null: not known yet */
  readonly page: PortPage | null;
}

export function Facts({ port, page }: FactsProps): JSX.Element {
  const settings = Object.entries(port.settings);
  const inherited = new Set(page?.inherited ?? []);
  return (
    <>
      <Section title="Counters">
        <FactList facts={countersOf(port)} />
      </Section>
      <Section title="Connection">
        <FactList facts={connectionOf(port, page)} />
      </Section>
      {page?.policy != null && (
        <Section title="Policy in force">
          <FactList facts={policyOf(page.policy)} />
        </Section>
      )}
      <Section title="Settings">
        {settings.length === 0 ? (
          <p class="muted details-text">All are the defaults.</p>
        ) : (
          <FactList
            facts={settings.map(([name, value]) => [
              settingName(name),
              inherited.has(name) ? `${settingValue(value)} (from its network or policy)` : settingValue(value),
            ])}
          />
        )}
      </Section>
      {page !== null && <Behind page={page} />}
    </>
  );
}

function countersOf(port: Port): Fact[] {
  return [
    ['Received', `${count(port.rx)} frames, ${octets(port.rxOctets)}`],
    ['Sent', `${count(port.tx)} frames, ${octets(port.txOctets)}`],
    ['Now', `${rate(port.rxFrameRate)} received, ${rate(port.txFrameRate)} sent`],
  ];
}

function connectionOf(port: Port, page: PortPage | null): Fact[] {
  const facts: Fact[] = [
    ['Target', port.url ?? port.target],
    ['Network', <a href={hashOf('networks', { network: port.network })}>{port.network}</a>],
    ['Network namespace', port.netns],
    ['Wire format', port.wire],
    ['Configuration', port.config === null ? null : CONFIG[port.config]],
  ];
  if (page === null) return facts;
  return [
    ...facts,
    ['User', page.user],
    ['Peer', page.peer],
    ['Local address', page.localAddress],
    ['TLS', page.tls === null ? null : `${page.tls.protocol}, ${page.tls.cipher}`],
    ['Certificate', certificateOf(page.certificate)],
    ['Data path', page.transport],
    ['State for', duration(page.stateSeconds)],
    ['Connected for', page.connectedSeconds === null ? null : duration(page.connectedSeconds)],
    ['Connections', count(page.connections)],
    ['Added', `${duration(page.ageSeconds)} ago`],
    ['Waiting', page.wire === null ? null : `${octets(page.queuedOctets)}, ${milliseconds(page.queuedMs)}`],
  ];
}

function certificateOf(certificate: PortPage['certificate']): string | null {
  if (certificate === null) return null;
  const { of, expires } = certificate;
  return `of ${of === 'peer' ? 'the peer' : 'this service'}, expires ${dateAndClock(expires)}`;
}

const CONFIG = {
  file: 'as in the configuration file',
  changed: 'changed since the configuration file was read',
  added: 'added since the configuration file was read',
} as const;

function policyOf(policy: PolicyEntry): Fact[] {
  const list = (values: readonly string[] | undefined): string | null => values?.join(', ') ?? null;
  return [
    ['Source addresses', list(policy.sourceMacs)],
    ['Claims the first', policy.claimFirst === undefined ? null : count(policy.claimFirst)],
    ['Claimed', list(policy.claimed)],
    ['EtherTypes', list(policy.etherTypes)],
    ['Frames', policy.frames === undefined ? null : `at most ${rate(policy.frames)}`],
    ['Bits', policy.bits === undefined ? null : `at most ${bitRate(policy.bits)}`],
    ['Broadcast frames', policy.broadcastFrames === undefined ? null : `at most ${rate(policy.broadcastFrames)}`],
    ['Broadcast bits', policy.broadcastBits === undefined ? null : `at most ${bitRate(policy.broadcastBits)}`],
    ['DHCP server', allowed(policy.dhcpServer)],
    ['Router advertisements', allowed(policy.routerAdvertisements)],
  ];
}

function allowed(isAllowed: boolean | undefined): string | null {
  return isAllowed === undefined ? null : isAllowed ? 'allowed' : 'refused';
}

/** What is behind the port: neighbours, stations, bound addresses. */
function Behind({ page }: { readonly page: PortPage }): JSX.Element {
  return (
    <>
      {page.neighbors.length > 0 && (
        <Section title="Neighbours">
          <FactList
            facts={page.neighbors.map(({ system, chassis, port }) => [system ?? chassis, `its port ${port}`])}
          />
        </Section>
      )}
      {page.addresses.length > 0 && (
        <Section title={`Stations (${count(page.stations)})`}>
          <FactList
            facts={page.addresses.map(({ vid, mac, age }) => [
              mac,
              `${vid === 0 ? '' : `VLAN ${vid}, `}seen ${duration(age)} ago`,
              hashOf('stations', { find: mac }),
            ])}
          />
        </Section>
      )}
      {page.bindings.length > 0 && (
        <Section title="Bound IP addresses">
          <FactList
            facts={page.bindings.map(({ address, mac, kind, seconds }) => [
              address,
              `${mac ?? 'any station'}, ${kind}${seconds === null ? '' : `, for ${duration(seconds)}`}`,
            ])}
          />
        </Section>
      )}
    </>
  );
}
