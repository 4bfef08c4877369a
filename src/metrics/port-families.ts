import type { BridgePort } from '../bridge/bridge-port.ts';
import { DISCARD_REASONS } from '../bridge/port.ts';
import { type ConnectionDetails, detailsOf, type TunnelDetails } from '../bridge/port-details.ts';
import { shownUrl } from '../net/shown-url.ts';
import type { AttachedPort } from '../networks/attached-port.ts';
import { type Family, labelsOf, type Sample } from './exposition.ts';

/** A port with its labels in all families but `etherws_port_info`, made when the first family needs them. */
class LabelledPort {
  readonly attached: AttachedPort;
  #labels: string | undefined;

  constructor(attached: AttachedPort) {
    this.attached = attached;
  }

  get bridgePort(): BridgePort {
    return this.attached.bridgePort;
  }

  get labels(): string {
    this.#labels ??= labelsOf(this.#identity);
    return this.#labels;
  }

  /** The labels of `etherws_port_info`, which may change or be long. `shownUrl` keeps secrets out of them. */
  get information(): string {
    const { port } = this.bridgePort;
    const { user, description, network } = this.attached;
    const { wire, url } = connectionOf(this.bridgePort) ?? {};
    return labelsOf({
      ...this.#identity,
      network: network.name,
      target: shownUrl(port.target),
      ...(url === undefined ? {} : { url: shownUrl(url) }),
      ...(wire === undefined ? {} : { wire }),
      ...(user === undefined || user === null ? {} : { user }),
      ...(description === undefined ? {} : { description }),
    });
  }

  get #identity(): Record<'port' | 'name' | 'type', string | number> {
    const { number, port } = this.bridgePort;
    return { port: number, name: this.attached.name ?? '', type: port.type };
  }
}

type Head = Omit<Family, 'samples'>;
type Value = (port: AttachedPort) => number | undefined;

/** Values that all or some ports have. */
const VALUES: readonly (readonly [head: Head, value: Value])[] = [
  [gauge('up', 'Whether the link is up and the port is not shut'), ({ bridgePort: { isUsable } }) => Number(isUsable)],
  [gauge('shut', 'Whether the operator has shut the port'), ({ bridgePort: { isShut } }) => Number(isShut)],
  [
    gauge('standby', 'Whether the port stands by for another tunnel to the same switch'),
    ({ bridgePort: { isUsable, standsByFor } }) => Number(isUsable && standsByFor !== undefined),
  ],
  [bytes('receive', 'Octets of frames received, without FCS'), ({ bridgePort: { rx } }) => rx.octets],
  [bytes('transmit', 'Octets of frames sent, without FCS'), ({ bridgePort: { tx } }) => tx.octets],
  [counter('receive_frames', 'Frames received'), ({ bridgePort: { rx } }) => rx.frames],
  [counter('transmit_frames', 'Frames sent'), ({ bridgePort: { tx } }) => tx.frames],
  [
    { ...gauge('round_trip_seconds', 'Round trip of the last ping of a tunnel'), unit: 'seconds' },
    ({ bridgePort }) => inSeconds(connectionOf(bridgePort)?.roundTripMs),
  ],
  [
    { ...gauge('queue_bytes', 'Octets that wait to be sent by a tunnel'), unit: 'bytes' },
    ({ bridgePort }) => connectionOf(bridgePort)?.queuedBytes,
  ],
  [
    { ...gauge('queue_wait_seconds', 'How long the oldest frame has waited to be sent by a tunnel'), unit: 'seconds' },
    ({ bridgePort }) => inSeconds(connectionOf(bridgePort)?.oldestWaitedMs?.()),
  ],
  [
    counter('reconnects', 'How often a tunnel was lost and came back'),
    (port) => (tunnelOf(port.bridgePort) === undefined ? undefined : Math.max(0, port.history().connections - 1)),
  ],
];

const DISCARDS = [
  [
    'rx',
    counter('receive_discards', 'Received frames that were discarded, by reason; absent reasons have not occurred'),
  ],
  [
    'tx',
    counter('transmit_discards', 'Frames to send that were discarded, by reason; absent reasons have not occurred'),
  ],
] as const;

/** The families of the ports that exist at the call: a port that is added later is in the next scrape. */
export function portFamilies(attached: Iterable<AttachedPort>): Family[] {
  const ports = [...attached].map((port) => new LabelledPort(port));
  return [
    {
      name: 'etherws_ports',
      type: 'gauge',
      help: 'Ports of the switch',
      samples: () => [{ labels: '', value: ports.length }],
    },
    {
      ...{ name: 'etherws_port', type: 'info', help: 'What a port leads to' },
      *samples() {
        for (const port of ports) yield { labels: port.information, value: 1 };
      },
    },
    ...VALUES.map(([head, value]) => ({ ...head, samples: () => valuesOf(ports, value) })),
    ...DISCARDS.map(([direction, head]) => ({ ...head, samples: () => discardsOf(ports, direction) })),
  ];
}

function* valuesOf(ports: readonly LabelledPort[], value: Value): IterableIterator<Sample | undefined> {
  for (const port of ports) {
    const present = value(port.attached);
    yield present === undefined ? undefined : { labels: port.labels, value: present };
  }
}

/** Only reasons that have occurred: 18 reasons in two directions for each port would be most of a scrape. */
function* discardsOf(ports: readonly LabelledPort[], direction: 'rx' | 'tx'): IterableIterator<Sample | undefined> {
  for (const { labels, bridgePort } of ports) {
    const { discards } = bridgePort[direction];
    for (const reason of DISCARD_REASONS) {
      const value = discards[reason];
      if (value > 0) yield { labels: `${labels},reason="${reason}"`, value };
    }
    yield undefined;
  }
}

function tunnelOf({ port }: BridgePort): TunnelDetails | undefined {
  const details = detailsOf(port);
  return details?.kind === 'tunnel' ? details : undefined;
}

function connectionOf(port: BridgePort): ConnectionDetails | undefined {
  return tunnelOf(port)?.connection;
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function gauge(name: string, help: string): Head {
  return { name: `etherws_port_${name}`, type: 'gauge', help };
}

function counter(name: string, help: string): Head {
  return { name: `etherws_port_${name}`, type: 'counter', help };
}

function bytes(name: string, help: string): Head {
  return { ...counter(`${name}_bytes`, help), unit: 'bytes' };
}
