import type { Binding } from '../bridge/source-guard/bindings.ts';
import { MOST_PORT_NUMBER } from '../config/kept-ports.ts';
import type { AttachedPort } from '../networks/attached-port.ts';
import { formatBindingAddress, parseBindingAddress } from '../networks/binding-address.ts';
import type { Switch } from '../networks/switch.ts';
import type { StateFile } from '../runtime/state-file.ts';
import { BINDING_RECORD } from '../schema/binding-record.ts';
import { check, dottedNames } from '../schema/check.ts';
import { objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, listOf, oneOf, text } from '../schema/types.ts';
import { formatMacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';

const bindingAddress = text((address) => (parseBindingAddress(address) === undefined ? 'is no IP address' : undefined));

/** A binding of an IP address that a switch has seen, in the file of `--state`. */
const KEPT = {
  port: { type: integer(1, MOST_PORT_NUMBER), required: true, help: 'number of the port' },
  type: { type: anyText, required: true, help: 'its type' },
  target: { type: anyText, required: true, help: 'its target' },
  ...BINDING_RECORD,
  kind: { ...BINDING_RECORD.kind, type: oneOf(['dhcp', 'first']) },
  address: { ...BINDING_RECORD.address, type: bindingAddress },
} as const satisfies Table;

type KeptBinding = ValuesOf<typeof KEPT>;

const keptBindings = listOf(objectOf(KEPT));

/** The section of the state; the switch goes on best without it where not all fits. */
export const BINDINGS = 'bindings';

/**
 * Keeps the bindings of IP addresses that guarded ports have learned across a restart: clients renew their leases after
 * hours, and until then would not be heard; and the addresses of IPv6 hosts would be free for others.
 */
export class KeptBindings {
  readonly #state: StateFile;
  readonly #switch: Switch;
  /** those of the last run whose ports are not attached yet */
  readonly #waiting = new Map<number, KeptBinding[]>();
  #isClosed = false;

  /** Puts the bindings of the last run back as their ports are attached. @throws EtherwsError STATE_INVALID */
  constructor(state: StateFile, target: Switch) {
    this.#state = state;
    this.#switch = target;
    const all = state.readAs(BINDINGS, (section) => check(keptBindings, section, dottedNames(BINDINGS))) ?? [];
    for (const kept of all) {
      const ofPort = this.#waiting.get(kept.port);
      if (ofPort === undefined) this.#waiting.set(kept.port, [kept]);
      else ofPort.push(kept);
    }
    target.onAttached = (port) => this.#restore(port);
    target.onBindingsChanged = () => this.#changed();
  }

  /** To be called when all ports of the last run are attached: other ports get none of its bindings. */
  started(): void {
    this.#waiting.clear();
    // Made anew for each write, so that what has ended is left out.
    this.#state.follow(BINDINGS, () => this.#section());
    this.#changed();
  }

  /** Keeps the bindings a last time: those of ports that are closed later end because the switch does. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const section = [...this.#section()];
    this.#isClosed = true;
    await this.#state.keep(BINDINGS, section);
  }

  #changed(): void {
    if (!this.#isClosed) this.#state.keepSoon(BINDINGS, () => this.#section());
  }

  #restore({ bridgePort, network }: AttachedPort): void {
    const kept = this.#waiting.get(bridgePort.number) ?? [];
    this.#waiting.delete(bridgePort.number);
    const [nowMs, wallMs] = [performance.now(), Date.now()];
    for (const { type, target, kind, address, mac, vid, until } of kept) {
      // The target of an accepted tunnel is where its client came from last.
      if (type !== bridgePort.port.type || (type !== 'server' && target !== bridgePort.port.target)) continue;
      if (until !== undefined && until <= wallMs) continue;
      network.bridge.sourceGuard.bindings.add({
        port: bridgePort.number,
        kind,
        address: parseBindingAddress(address) ?? '',
        mac: parseMacAddress(mac),
        vid: vid as Vid,
        untilMs: until === undefined ? Number.POSITIVE_INFINITY : nowMs + (until - wallMs),
      });
    }
  }

  *#section(): Iterable<KeptBinding> {
    const [nowMs, wallMs] = [performance.now(), Date.now()];
    for (const waiting of this.#waiting.values()) yield* waiting;
    for (const { bridge } of this.#switch.networks) {
      for (const binding of bridge.sourceGuard.bindings.all(nowMs)) {
        const { port } = bridge.ports.get(binding.port) ?? {};
        const kept = port === undefined ? undefined : keptOf(binding, wallMs - nowMs);
        if (kept !== undefined && port !== undefined) yield { ...kept, type: port.type, target: port.target };
      }
    }
  }
}

/** @param offsetMs from the monotonic clock to the time since 1970. @returns undefined for one that the operator has set */
function keptOf(
  { port, kind, address, mac, vid, untilMs }: Binding,
  offsetMs: number,
): Omit<KeptBinding, 'type' | 'target'> | undefined {
  if (kind === 'static' || mac === undefined || vid === undefined) return undefined;
  const until = Number.isFinite(untilMs) ? { until: Math.round(untilMs + offsetMs) } : {};
  return { port, kind, address: formatBindingAddress(address), mac: formatMacAddress(mac), vid, ...until };
}
