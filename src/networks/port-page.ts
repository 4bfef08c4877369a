import type { IngressPolicy } from '../bridge/ingress-policy.ts';
import { detailsOf, type TlsDetails } from '../bridge/port-details.ts';
import type { PolicyEntry, PortPage } from '../control/status-entries.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { AttachedPort } from './attached-port.ts';
import { formatBindingAddress } from './binding-address.ts';
import { neighborsAt } from './neighbor-list.ts';
import { portEntry } from './port-entries.ts';

/** Limit of the addresses in a page; `listFdb` has all. */
const MOST_ADDRESSES = 64;

/** The entry of `getPort`. */
export function pageOf(attached: AttachedPort): PortPage {
  const { bridgePort, network } = attached;
  const nowMs = performance.now();
  const details = detailsOf(bridgePort.port);
  const connection = details?.kind === 'tunnel' ? details.connection : undefined;
  const { ageMs, stateMs, connectedMs, connections } = attached.history();
  const addresses: PortPage['addresses'] = [];
  for (const { vid, mac, seenMs } of network.bridge.fdbEntriesAt(bridgePort, nowMs)) {
    if (addresses.length === MOST_ADDRESSES) break;
    addresses.push({ vid, mac: formatMacAddress(mac), age: seconds(nowMs - seenMs) });
  }
  return {
    ...portEntry(attached),
    ageSeconds: seconds(ageMs),
    stateSeconds: seconds(stateMs),
    connectedSeconds: connectedMs === undefined ? null : seconds(connectedMs),
    connections,
    user: attached.user ?? null,
    peer: connection?.peer ?? null,
    localAddress: connection?.localAddress?.replace(/^::ffff:(?=[\d.]+$)/, '') ?? null,
    ...tlsFacts(connection?.tls),
    transport: connection?.transport ?? null,
    inherited: Object.keys(attached.values).filter((key) => !Object.hasOwn(attached.ownValues, key)),
    policy: bridgePort.policy === undefined ? null : policyEntry(bridgePort.policy),
    neighbors: neighborsAt(attached).map(({ system, chassis, neighborPort }) => ({
      system,
      chassis,
      port: neighborPort,
    })),
    addresses,
    bindings: bindingsOf(attached, nowMs),
  };
}

function tlsFacts(tls: TlsDetails | undefined): Pick<PortPage, 'tls' | 'certificate'> {
  if (tls === undefined) return { tls: null, certificate: null };
  const { protocol, cipher, certificate } = tls;
  return {
    tls: { protocol, cipher },
    certificate:
      certificate === undefined
        ? null
        : { of: certificate.of, expires: new Date(certificate.expiresMs).toISOString().replace('.000Z', 'Z') },
  };
}

function bindingsOf({ bridgePort, network }: AttachedPort, nowMs: number): PortPage['bindings'] {
  const all: PortPage['bindings'] = [];
  for (const { port, kind, address, mac, vid, untilMs } of network.bridge.sourceGuard.bindings.all(nowMs)) {
    if (port !== bridgePort.number || all.length === MOST_ADDRESSES) continue;
    all.push({
      address: formatBindingAddress(address),
      mac: mac === undefined ? null : formatMacAddress(mac),
      vid: vid ?? null,
      kind,
      seconds: Number.isFinite(untilMs) ? seconds(untilMs - nowMs) : null,
    });
  }
  return all;
}

function policyEntry({ rules, claimed }: IngressPolicy): PolicyEntry {
  const { sources, claims, etherTypes, frames, bits, groupFrames, groupBits } = rules;
  const { forbidsDhcpServer, forbidsRouterAdvertisements } = rules;
  return {
    ...(sources === undefined ? {} : { sourceMacs: [...sources].map(formatMacAddress) }),
    ...(claims === undefined ? {} : { claimFirst: claims, claimed: [...claimed].map(formatMacAddress) }),
    ...(etherTypes === undefined ? {} : { etherTypes: [...etherTypes].map(etherTypeText) }),
    ...(frames === undefined ? {} : { frames: frames.perSecond }),
    ...(bits === undefined ? {} : { bits: bits.perSecond }),
    ...(groupFrames === undefined ? {} : { broadcastFrames: groupFrames.perSecond }),
    ...(groupBits === undefined ? {} : { broadcastBits: groupBits.perSecond }),
    ...(forbidsDhcpServer === true ? { dhcpServer: false } : {}),
    ...(forbidsRouterAdvertisements === true ? { routerAdvertisements: false } : {}),
  };
}

/** An EtherType as in the policy file; 0 means 802.3 frames, which have a length instead. */
function etherTypeText(type: number): string {
  return type === 0 ? '802.3' : `0x${type.toString(16).padStart(4, '0')}`;
}

function seconds(ms: number): number {
  return Math.floor(Math.max(0, ms) / 1000);
}
