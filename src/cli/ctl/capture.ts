import { type AnyCaptureEntry, CAPTURE, type CaptureNotice } from '../../control/capture-entries.ts';
import type { METHODS } from '../../control/schema.ts';
import { EtherwsError } from '../../errors.ts';
import { check } from '../../schema/check.ts';
import type { Command } from '../commander.ts';
import { escapeSentence } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { ControlCaller, Terminal } from '../terminal.ts';
import { checkUsage, UsageError } from '../usage-error.ts';
import { type CaptureOutput, openOutput } from './capture-output.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf, describeJson } from './leaf.ts';

type Ended = Extract<CaptureNotice, { event: 'ended' }>;

/** `etherws ctl capture`: writes the frames of ports as pcapng, or prints one line for each frame. */
export function addCapture(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'capture', 'show the frames of ports, or write them as pcapng', [
    'capture 3 uplink',
    'capture 3 --filter "tcp port 80 and host 192.0.2.1" --count 100',
    'capture uplink -w trace.pcapng --duration 60',
    'capture 3 -w - | wireshark -k -i -',
    'capture --net office --filter arp',
    '--cluster capture r1/3 r2/uplink -w - | wireshark -k -i -',
    '--cluster capture --net office',
  ])
    .argument('[PORT...]', 'numbers or names of ports; with --cluster NODE/PORT')
    .option('-w, --write <FILE>', 'write pcapng to this file, instead of a line a frame; - is standard output');
  describeJson(leaf, 'without -w: print each frame as a line of JSON');
  addTableOptions(leaf, CAPTURE);
  leaf.action(async (ports: string[], given: Record<string, unknown>, command: Command) => {
    const { cluster, ...options } = gatherOptions<ConnectionOptions & { write?: string }>(command);
    const method = cluster === true || ports.some((port) => port.includes('/')) ? 'captureCluster' : 'capture';
    const params = await paramsOf(method, ports, given);
    const client = await connect(options, terminal);
    const open = (): Promise<CaptureOutput> => openOutput(options.write, options.json === true, terminal);
    conclude(await run((listener) => client.capture(method, params, listener), open, terminal), terminal);
  });
}

/** @throws UsageError */
async function paramsOf(
  method: 'capture' | 'captureCluster',
  ports: readonly string[],
  given: Record<string, unknown>,
) {
  const { schemaOf } = await import('../../control/client.ts');
  const { params: schema } = await schemaOf(method);
  const names = typedNames(CAPTURE, [], { ports: 'PORT' });
  const typed = typedValues(CAPTURE, given) as { readonly network?: string };
  if ((ports.length === 0) === (typed.network === undefined)) {
    throw new UsageError('capture is of ports or of a network', 'Name ports, or give --net NAME for all of a network');
  }
  const named = ports.length === 0 ? {} : { ports };
  const params = await checkUsage(() =>
    check(schema as (typeof METHODS)['captureCluster']['params'], { ...named, ...typed }, names),
  );
  const [{ compileFilter }, { FilterError }] = await Promise.all([
    import('../../capture/filter.ts'),
    import('../../capture/filter-error.ts'),
  ]);
  try {
    compileFilter(params.filter ?? '');
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new UsageError(`--filter, ${error.message}`);
  }
  return params;
}

type Listener = Parameters<ControlCaller['capture']>[2];

/**
 * Reads a capture until it has ended, and ends it at the first Ctrl-C.
 * @param begin begins the capture; the output is opened when the switch has accepted it
 */
async function run(
  begin: (listener: Listener) => ReturnType<ControlCaller['capture']>,
  open: () => Promise<CaptureOutput>,
  terminal: Terminal,
): Promise<Ended> {
  const early: Uint8Array[] = [];
  let take = (octets: Uint8Array): void => void early.push(octets);
  const over = ending();
  const stream = await begin({
    notified: (method, params) => {
      if (method !== 'captured') return;
      const notice = params as CaptureNotice;
      if (notice.event === 'ended') over.resolve(notice);
      else terminal.complain(`${escapeSentence(wordsOf(notice))}\n`);
    },
    octets: (octets) => take(octets),
    ended: over.reject,
  });
  let isEnding = false;
  const interrupt = (): void => {
    // The rest is read, however slow the output is; the second Ctrl-C ends the process.
    isEnding = true;
    stream.resume();
    stream.call('endCapture');
  };
  try {
    const opened = await open();
    opened.onDrain = () => stream.resume();
    opened.onLost = (error) => (error === undefined ? interrupt() : over.reject(error));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    take = (octets) => {
      try {
        if (!opened.write(octets) && !isEnding) stream.pause();
      } catch (error) {
        over.reject(error);
      }
    };
    for (const octets of early.splice(0)) take(octets);
    const ended = await over.promise;
    await opened.close();
    return ended;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    stream.end();
  }
}

interface Ending {
  readonly promise: Promise<Ended>;
  readonly resolve: (ended: Ended) => void;
  readonly reject: (error: unknown) => void;
}

function ending(): Ending {
  let settle: Omit<Ending, 'promise'> | undefined;
  const promise = new Promise<Ended>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // It may fail before it is waited for.
  promise.catch(() => undefined);
  return { promise, ...(settle as unknown as Omit<Ending, 'promise'>) };
}

const REASONS: Readonly<Record<Ended['reason'], string>> = {
  count: '--count is reached',
  duration: '--duration is over',
  call: 'ended',
  removed: 'no port of the capture is left',
  stopped: 'the switch is stopping',
  nodes: 'no node of the capture is left',
};

function wordsOf(notice: Exclude<CaptureNotice, Ended>): string {
  if (notice.event === 'port-removed') return `${labelOf(notice)} was removed`;
  const { node, reason } = notice;
  return `${/ /.test(node) ? node : `node ${node}`} takes no part any more: ${reason}`;
}

/** Says what was captured. @throws EtherwsError if it has ended by itself */
function conclude({ reason, entries }: Ended, terminal: Terminal): void {
  const captured = entries.reduce((sum, entry) => sum + capturedOf(entry), 0);
  terminal.complain(`${captured} ${captured === 1 ? 'frame' : 'frames'} captured: ${REASONS[reason]}\n`);
  for (const entry of entries) {
    const { seen, matched, lost } = entry;
    if (seen === null) {
      terminal.complain(`  ${labelOf(entry)}: ${capturedOf(entry)} captured, until the node was lost\n`);
      continue;
    }
    const words = lost === 0 ? '0 lost' : `${lost} lost, since this reader was too slow`;
    terminal.complain(`  ${labelOf(entry)}: ${seen} seen, ${matched} matched, ${words}\n`);
  }
  if (reason === 'removed') throw new EtherwsError('PORT_CLOSED', 'The ports of the capture were removed');
  if (reason === 'nodes') throw new EtherwsError('CONTROL_FAILED', 'No node of the capture is left');
  if (reason === 'stopped') throw new EtherwsError('CONTROL_FAILED', 'The switch is stopping');
}

function capturedOf(entry: AnyCaptureEntry): number {
  return entry.captured ?? (entry.matched ?? 0) - (entry.lost ?? 0);
}

interface Labelled {
  readonly node?: string;
  readonly port: number;
  readonly portName: string | null;
}

function labelOf({ node, port, portName }: Labelled): string {
  const number = node === undefined ? port : `${node}/${port}`;
  return portName === null ? `port ${number}` : `port ${number} (${portName})`;
}
