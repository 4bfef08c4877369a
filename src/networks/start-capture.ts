import { compileFilter, type FrameFilter } from '../capture/filter.ts';
import { FilterError } from '../capture/filter-error.ts';
import {
  type CaptureEntry,
  type CaptureReader,
  type CaptureSpec,
  MOST_CAPTURED_PORTS,
  type SwitchCapture,
} from '../control/capture-entries.ts';
import { EtherwsError } from '../errors.ts';
import type { AttachedPort } from './attached-port.ts';
import type { Captures } from './captures.ts';
import type { Switch } from './switch.ts';

/**
 * Starts a capture for a caller of the control API.
 * @param found the ports of `spec`
 * @throws EtherwsError ARGUMENT_INVALID for its filter, REQUEST_REFUSED
 */
export function startCapture(
  captures: Captures,
  found: readonly AttachedPort[],
  spec: Omit<CaptureSpec, 'ports' | 'network' | 'duration'>,
  reader: CaptureReader,
): SwitchCapture {
  const { filter: filterText = '', snaplen = 0, count } = spec;
  const ports = [...new Set(found)];
  const { capture, release } = captures.start(
    ports.map(({ bridgePort }) => bridgePort),
    {
      ports: ports.map((port) => ({ name: labelOf(port), description: describe(port) })),
      filter: compiled(filterText),
      filterText,
      snapLength: snaplen,
      count,
      application: 'etherws',
    },
    {
      budget: reader.budget,
      send: (octets, sent) => reader.send(octets, sent),
      portRemoved: (index) => {
        const { bridgePort, name } = ports[index] as AttachedPort;
        reader.notify({ event: 'port-removed', port: bridgePort.number, portName: name ?? null });
      },
      ended: (reason) => {
        release();
        reader.notify({ event: 'ended', reason, entries: entries() });
      },
    },
    reader.user,
  );
  const entries = (): CaptureEntry[] =>
    capture.statistics.map((statistics, index) => {
      const { bridgePort, name } = ports[index] as AttachedPort;
      return { port: bridgePort.number, portName: name ?? null, ...statistics };
    });
  return {
    get entries() {
      return entries();
    },
    isWithin: (allowed) =>
      allowed === undefined ||
      ports.every(({ network }, index) => capture.ports[index]?.isRemoved === true || allowed.includes(network.name)),
    get isReaderSlow() {
      return capture.isReaderSlow;
    },
    end: (reason) => {
      // At once, so that the ports return to the fast path while octets still wait for the reader.
      release();
      capture.end(reason);
    },
    flush: () => capture.flush('stopped'),
    abandon: () => {
      release();
      capture.abandon();
    },
  };
}

/** The ports of a network but those to other nodes, whose frames are those of other ports. @throws EtherwsError */
export function portsToCapture(target: Switch, network: string): AttachedPort[] {
  const found = [...target.attachedPorts(network)].filter(({ bridgePort }) => bridgePort.meshNode === undefined);
  if (found.length === 0) {
    throw new EtherwsError('PORT_NOT_FOUND', `The network ${network} has no ports here`, {
      hint: 'etherws ctl listport lists the ports and their networks',
    });
  }
  if (found.length <= MOST_CAPTURED_PORTS) return found;
  const words = `The network ${network} has ${found.length} ports, and a capture at most ${MOST_CAPTURED_PORTS}`;
  throw new EtherwsError('REQUEST_REFUSED', words, { hint: 'Name the ports' });
}

function labelOf({ name, bridgePort }: AttachedPort): string {
  return name ?? `port-${bridgePort.number}`;
}

function describe({ description, bridgePort, network }: AttachedPort): string {
  const { number, port } = bridgePort;
  return `port ${number} in network ${network.name}, ${port.type} ${port.target}${description === undefined ? '' : `: ${description}`}`;
}

function compiled(filter: string): FrameFilter {
  try {
    return compileFilter(filter);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new EtherwsError('ARGUMENT_INVALID', `The filter is wrong at ${error.message}`, {
      hint: 'docs/operate/captures.md says what a filter may be',
    });
  }
}
