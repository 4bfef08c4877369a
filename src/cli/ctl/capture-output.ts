import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { PcapngReader } from '../../capture/pcapng-reader.ts';
import { codeOf, describeError, EtherwsError } from '../../errors.ts';
import { escapeSentence } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Only the owner may read a capture, since it has the traffic of other users. */
const FILE_MODE = 0o600;

/** The output of `etherws ctl capture`. */
export interface CaptureOutput {
  /** @returns false if the output is full: `onDrain` is called when it is not any more */
  write(octets: Uint8Array): boolean;
  onDrain: () => void;
  /** Called when writing fails. @param error undefined if the reader of a pipe has ended, such as `head` */
  onLost: (error: Error | undefined) => void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/**
 * @param path `-`: standard output; undefined: lines on standard output
 * @throws UsageError for octets on a terminal
 * @throws EtherwsError FILE_UNWRITABLE
 */
export async function openOutput(
  path: string | undefined,
  isJson: boolean,
  terminal: Terminal,
): Promise<CaptureOutput> {
  const stdout = terminal.output();
  if (path === undefined) return new StreamOutput(stdout, 'standard output', false, await lineMaker(isJson));
  if (path !== '-') return new StreamOutput(await openFile(path), `"${path}"`, true);
  if ('isTTY' in stdout && stdout.isTTY === true) {
    throw new UsageError(
      '-w - would write octets to the terminal',
      'Write to a file or into a pipe: -w - | wireshark -k -i -',
    );
  }
  return new StreamOutput(stdout, 'standard output', false);
}

async function openFile(path: string): Promise<Writable> {
  try {
    const file = await open(path, 'w', FILE_MODE);
    return createWriteStream('', { fd: file.fd, autoClose: false }).once('close', () => void file.close());
  } catch (error) {
    throw unwritable(`"${path}"`, error);
  }
}

class StreamOutput implements CaptureOutput {
  onDrain = (): void => undefined;
  onLost: (error: Error | undefined) => void = () => undefined;
  readonly #stream: Writable;
  readonly #isOwn: boolean;
  readonly #convert: (octets: Uint8Array) => Uint8Array | string;
  #isLost = false;

  constructor(
    stream: Writable,
    name: string,
    isOwn: boolean,
    convert = (octets: Uint8Array): Uint8Array | string => octets,
  ) {
    this.#stream = stream;
    this.#isOwn = isOwn;
    this.#convert = convert;
    stream.on('drain', () => this.onDrain());
    stream.on('error', (error) => {
      this.#isLost = true;
      this.onLost(codeOf(error) === 'EPIPE' ? undefined : unwritable(name, error));
    });
  }

  write(octets: Uint8Array): boolean {
    const converted = this.#convert(octets);
    return this.#isLost || converted.length === 0 || this.#stream.write(converted);
  }

  async close(): Promise<void> {
    if (!this.#isOwn || this.#isLost) return;
    this.#stream.end();
    await finished(this.#stream).catch((error: unknown) => this.onLost(error as Error));
  }
}

async function lineMaker(isJson: boolean): Promise<(octets: Uint8Array) => string> {
  const [{ PcapngReader: Reader }, { wordsOfFrame }] = await Promise.all([
    import('../../capture/pcapng-reader.ts'),
    import('../../capture/frame-lines.ts'),
  ]);
  const reader: PcapngReader = new Reader();
  return (octets) =>
    reader
      .read(octets)
      .map((packet) => {
        const words = wordsOfFrame(packet);
        if (isJson) return `${JSON.stringify(words)}\n`;
        const { time, port, direction, frame, protocol, info, comments } = words;
        const notes = comments.length === 0 ? '' : ` [${comments.join('; ')}]`;
        return `${escapeSentence(`${time} ${port} ${direction} ${frame}: ${protocol} ${info}${notes}`)}\n`;
      })
      .join('');
}

function unwritable(name: string, error: unknown): EtherwsError {
  const message = `Cannot write to ${name}: ${describeError(error)}`;
  return new EtherwsError('FILE_UNWRITABLE', message, {
    cause: error,
    hint: 'Check the directory, its permissions and the free space',
  });
}
