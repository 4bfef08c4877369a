import { compileFilter, type FrameFilter } from '../capture/filter.ts';
import { FilterError } from '../capture/filter-error.ts';
import type { CaptureEntry, CaptureReader, CaptureSpec, SwitchCapture } from '../control/capture-entries.ts';
import { EtherwsError } from '../errors.ts';
import type { AttachedPort } from './attached-port.ts';
import type { Captures } from './captures.ts';

/**
 * Starts a capture for a caller of the control API.
 * @param found the ports of `spec`
 * @throws EtherwsError ARGUMENT_INVALID for its filter, REQUEST_REFUSED
 */
export function startCapture(
  captures: Captures,
  found: readonly AttachedPort[],
  spec: Omit<CaptureSpec, 'ports' | 'duration'>,
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

function labelOf({ name, bridgePort }: AttachedPort): string {
  return name ?? `port-${bridgePort.number}`;
}

function describe({ description, bridgePort }: AttachedPort): string {
  const { number, port } = bridgePort;
  return `port ${number}, ${port.type} ${port.target}${description === undefined ? '' : `: ${description}`}`;
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
