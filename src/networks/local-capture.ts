import type { CaptureReader, CaptureReaderBudget, CaptureSpec, SwitchCapture } from '../control/capture-entries.ts';
import type { StreamListener } from '../control/control-stream.ts';
import type { NodeStream } from '../control/nodes/node-stream.ts';

/** What begins a capture at this switch. */
export type BeginCapture = (
  spec: Omit<CaptureSpec, 'duration'>,
  reader: CaptureReader,
) => SwitchCapture | Promise<SwitchCapture>;

/**
 * A capture of this very process as a part of a merged one.
 * @throws EtherwsError as `SwitchControl.capture`
 */
export async function openLocalCapture(
  begin: BeginCapture,
  spec: Omit<CaptureSpec, 'duration'>,
  { user, budget }: { readonly user: string | null; readonly budget: CaptureReaderBudget },
  listener: StreamListener,
): Promise<NodeStream> {
  let isPaused = false;
  /** A capture sends no more while so many octets are not taken. */
  const untaken: (() => void)[] = [];
  const capture = await begin(spec, {
    user,
    budget,
    send: (octets, sent) => {
      if (isPaused) untaken.push(sent);
      else setImmediate(sent);
      listener.octets?.(octets);
    },
    notify: (notice) => listener.notified('captured', notice),
  });
  return {
    result: { entries: capture.entries },
    call: (method) => {
      if (method === 'endCapture') capture.end('call');
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      for (const sent of untaken.splice(0)) setImmediate(sent);
    },
    flush: () => capture.flush(),
    end: () => {
      capture.abandon();
      for (const sent of untaken.splice(0)) sent();
    },
  };
}
