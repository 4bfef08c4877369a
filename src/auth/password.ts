import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { EtherwsError } from '../errors.ts';

/** What is needed of the terminal; a test brings its own. */
export interface PromptStreams {
  readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;
  /** Standard error by default: standard output may lead into a file. */
  readonly output: NodeJS.WritableStream;
  /** Ends the process after Ctrl-C. */
  exit(status: number): never;
}

const PROCESS_STREAMS: PromptStreams = {
  input: process.stdin,
  output: process.stderr,
  exit: (status) => process.exit(status),
};

/** No typed line is so long. Bound: a stream without line ends must not fill the memory. */
const MAX_CHARACTERS = 4096;

/**
 * Asks for a password. On a terminal nothing that is typed is shown: Backspace
 * and Ctrl-U erase, Ctrl-C ends the process with status 130. Where standard
 * input is no terminal one line is taken from it without a prompt; what follows
 * stays for the next call.
 *
 * This reads keys itself because the usual package never answers when the
 * terminal says Ctrl-D, and stops listening after Ctrl-Z.
 *
 * @param prompt as it is shown, `Control Password: `
 * @throws EtherwsError ARGUMENT_INVALID when the input ends before a line, or a line does not
 */
export async function askPassword(prompt: string, streams: PromptStreams = PROCESS_STREAMS): Promise<string> {
  const { input, output, exit } = streams;
  if (input.isTTY !== true) return (await readLine(input, new PlainLine())).text;
  // In this order: input may arrive as soon as the prompt is there.
  input.setRawMode?.(true);
  output.write(prompt);
  let line: Line;
  try {
    line = await readLine(input, new TypedLine());
  } finally {
    input.setRawMode?.(false);
    // The Enter key was not shown either.
    output.write('\n');
  }
  if (line.end === 'interrupted') exit(130);
  return line.text;
}

/**
 * Asks for a password that is to be set: on a terminal twice, since nothing is
 * shown; from a pipe once.
 * @throws EtherwsError ARGUMENT_INVALID as askPassword, and when the two differ
 */
export async function askNewPassword(streams: PromptStreams = PROCESS_STREAMS): Promise<string> {
  const password = await askPassword('New Password: ', streams);
  if (streams.input.isTTY !== true || (await askPassword('Repeat Password: ', streams)) === password) return password;
  throw new EtherwsError('ARGUMENT_INVALID', 'The two passwords differ', { hint: 'Nothing was changed; try again' });
}

interface Line {
  readonly text: string;
  /** `open`: more is to come; `ended`: the input says that there is no more */
  readonly end: 'open' | 'complete' | 'ended' | 'interrupted';
  /** Takes characters, up to the end of the line. @returns those behind it */
  take(text: string): string;
}

/** Collects one line and gives back what was read beyond it. */
function readLine(input: NodeJS.ReadableStream, line: Line): Promise<Line> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    const stop = (): void => {
      input.off('data', onData).off('end', onEnd).off('error', onError).pause();
    };
    const onData = (chunk: Buffer | string): void => {
      const rest = line.take(typeof chunk === 'string' ? chunk : decoder.write(chunk));
      if (line.end === 'open' && line.text.length <= MAX_CHARACTERS) return;
      stop();
      if (rest !== '') input.unshift(Buffer.from(rest));
      if (line.end === 'open') reject(noPassword(`The line is longer than ${MAX_CHARACTERS} characters`));
      else if (line.end === 'ended') onEnd();
      else resolve(line);
    };
    const onEnd = (): void => {
      stop();
      if (line.text === '') reject(noPassword('The input ended before a password'));
      else resolve(line);
    };
    const onError = (error: Error): void => {
      stop();
      reject(noPassword(`The input cannot be read (${error.message})`, error));
    };
    if ('readableEnded' in input && input.readableEnded === true) onEnd();
    else input.on('data', onData).on('end', onEnd).on('error', onError).resume();
  });
}

/** A line of a file or a pipe. */
class PlainLine implements Line {
  text = '';
  end: Line['end'] = 'open';

  take(text: string): string {
    const end = text.indexOf('\n');
    this.text += end < 0 ? text : text.slice(0, end);
    if (end < 0) return '';
    this.text = this.text.replace(/\r$/, '');
    this.end = 'complete';
    return text.slice(end + 1);
  }
}

/** Keys of a terminal in raw mode, which neither echoes nor edits. */
class TypedLine implements Line {
  text = '';
  end: Line['end'] = 'open';

  take(text: string): string {
    const keys = [...text.matchAll(KEYS)].map(([key]) => key);
    for (const [index, key] of keys.entries()) {
      this.#press(key);
      if (this.end !== 'open') return keys.slice(index + 1).join('');
    }
    return '';
  }

  #press(key: string): void {
    switch (key) {
      case '\r':
      case '\n':
        this.end = 'complete';
        break;
      case '\u0003': // Ctrl-C
        this.end = 'interrupted';
        break;
      case '\u0004': // Ctrl-D
        this.end = 'ended';
        break;
      case '\u007F': // Backspace, as most terminals send it, and as the others do
      case '\b':
        this.text = [...this.text].slice(0, -1).join('');
        break;
      case '\u0015': // Ctrl-U
        this.text = '';
        break;
      default:
        if (key >= ' ') this.text += key;
    }
  }
}

/** A control sequence (ECMA-48, 5.4) such as an arrow key, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what keys send
const KEYS = /\u001B\[[0-?]*[ -/]*[@-~]|\u001BO[@-~]|./gsu;

function noPassword(message: string, cause?: unknown): EtherwsError {
  const hint = 'Type it at the prompt, or give it by a file or an environment variable; see --help';
  return new EtherwsError('ARGUMENT_INVALID', message, { cause, hint });
}
