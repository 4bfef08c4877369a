import type { CaptureEntry, CaptureReader, CaptureSpec, SwitchCapture } from '../../control/capture-entries.ts';
import type { OpenNodeStream } from '../../control/nodes/node-stream.ts';
import type { PortReference, SwitchControl } from '../../control/schema.ts';
import { openLocalCapture } from '../../networks/local-capture.ts';
import { type CapturePartPlan, MergedCapture, type PartEntry } from '../../networks/merged-capture.ts';

export interface CaptureOfProcessesOptions {
  readonly own: Pick<SwitchControl, 'capture'>;
  /** the numbers of the workers that answer */
  readonly workers: () => readonly number[];
  /** the process that has a port: 1 for the first one, and for a port that there is not */
  readonly processOf: (port: PortReference) => Promise<number>;
  readonly open: OpenNodeStream;
}

const FIRST = 1;

type Spec = Omit<CaptureSpec, 'duration'>;

/**
 * A capture of ports of all processes, for a caller of the first one, which has checked its rights.
 * @throws EtherwsError as `SwitchControl.capture`
 */
export async function captureOfProcesses(
  options: CaptureOfProcessesOptions,
  { ports, network, ...frames }: Spec,
  reader: CaptureReader,
): Promise<SwitchCapture> {
  const { own, workers, processOf, open } = options;
  const wanted = new Map<number, Spec>();
  if (network !== undefined) {
    for (const number of [FIRST, ...workers()]) wanted.set(number, { ...frames, network });
  } else {
    for (const port of ports ?? []) {
      const number = await processOf(port);
      wanted.set(number, { ...frames, ports: [...(wanted.get(number)?.ports ?? []), port] });
    }
  }
  const [only] = wanted;
  if (only !== undefined && wanted.size === 1 && only[0] === FIRST) return own.capture(only[1], reader);
  const partOf = (number: number, spec: Spec): CapturePartPlan => ({
    name: number === FIRST ? 'the first process' : `worker ${number}`,
    prefix: '',
    open: (listener) =>
      number === FIRST
        ? openLocalCapture((part, to) => own.capture(part, to), spec, reader, listener)
        : open(`w${number}`, { user: reader.user, networks: null }, 'capture', spec, listener),
  });
  return MergedCapture.start<CaptureEntry>({
    parts: [...wanted].map(([number, spec]) => partOf(number, spec)),
    isPartial: network !== undefined,
    count: frames.count,
    allowed: undefined,
    reader,
    entryOf: (_name, entry) => entryOf(entry),
  });
}

/** Of a process that has died only what is in the capture is known. */
function entryOf({ port, portName, seen, matched, lost, captured }: PartEntry): CaptureEntry {
  return { port, portName, seen: seen ?? captured, matched: matched ?? captured, lost: lost ?? 0, captured };
}
