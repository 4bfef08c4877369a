import type { PortNumber } from '../bridge/bridge-port.ts';
import type { SourceGuard } from '../bridge/source-guard/source-guard.ts';
import { formatBindingAddress, parseBindingAddress } from '../networks/binding-address.ts';
import type { BindingRecord } from '../schema/binding-record.ts';
import { formatMacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';

/** The most bindings of a port that follow its client, since each is a part of a row that all nodes have. */
const MOST = 64;
const SECOND_MS = 1000;

/**
 * The bindings of a port that its client takes to another node. What was bound by first use begins anew there, so it has no
 * end, and a row is not written again each time it is used.
 */
export function bindingsAt({ bindings }: SourceGuard, port: PortNumber): BindingRecord[] {
  const [nowMs, wallMs] = [performance.now(), Date.now()];
  const records: BindingRecord[] = [];
  for (const { kind, address, mac, vid, untilMs } of bindings.at(port, nowMs)) {
    if (kind === 'static' || mac === undefined || vid === undefined) continue;
    // Whole seconds, since the two clocks do not run at the same speed.
    const until = SECOND_MS * Math.round((untilMs - nowMs + wallMs) / SECOND_MS);
    records.push({
      ...{ kind, address: formatBindingAddress(address), mac: formatMacAddress(mac), vid },
      ...(kind === 'dhcp' && Number.isFinite(untilMs) ? { until } : {}),
    });
  }
  return records.sort((one, other) => (one.address < other.address ? -1 : 1)).slice(0, MOST);
}

/** Gives a port the bindings that its client has brought. One by first use is left out where another station has the address now. */
export function restoreBindings(guard: SourceGuard, port: PortNumber, records: readonly BindingRecord[]): void {
  const [nowMs, wallMs] = [performance.now(), Date.now()];
  for (const { kind, address: text, mac: macText, vid: number, until } of records) {
    const address = parseBindingAddress(text);
    const [mac, vid] = [parseMacAddress(macText), number as Vid];
    if (address === undefined || (until !== undefined && until <= wallMs)) continue;
    if (kind === 'dhcp') {
      guard.lease({ port, vid, mac, address }, until === undefined ? undefined : (until - wallMs) / SECOND_MS, nowMs);
    } else if (kind === 'first') guard.takeFirst(port, vid, mac, address, nowMs);
  }
}
