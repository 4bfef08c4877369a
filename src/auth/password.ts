import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { EtherwsError } from '../errors.ts';

/** The streams of a prompt; tests pass others than the process's. */
export interface PromptStreams {
  readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;
  /** Standard error by default: standard output may be redirected to a file. */
  readonly output: NodeJS.WritableStream;
  /** Ends the process after Ctrl-C. */
  exit(status: number): never;
}

const PROCESS_STREAMS: PromptStreams = {
  input: process.stdin,
  output: process.stderr,
  exit: (status) => process.exit(status),
};

/** Bounds the memory for a stream without line ends. */
const MAX_CHARACTERS = 4096;

/**
 * Asks for a password. On a terminal, typed characters are not shown; Backspace
 * and Ctrl-U erase, Ctrl-C ends the process with status 130. If standard
 * input is no terminal, one line is read from it without a prompt; the rest
 * stays for the next call.
 *
 * Keys are read here and not by node:readline, which does not end on Ctrl-D,
 * and stops reading after Ctrl-Z.
 *
 * @param prompt the text shown, such as `Control Password: `
 * @throws EtherwsError ARGUMENT_INVALID for input without a line, and for a line that is too long
 */
export async function askPassword(prompt: string, streams: PromptStreams = PROCESS_STREAMS): Promise<string> {
  const { input, output, exit } = streams;
  if (input.isTTY !== true) return (await readLine(input, new PlainLine())).text;
  // Raw mode first: the user may type as soon as the prompt is shown.
  input.setRawMode?.(true);
  output.write(prompt);
  let line: Line;
  try {
    line = await readLine(input, new TypedLine());
  } finally {
    input.setRawMode?.(false);
    // Raw mode does not echo the Enter key.
    output.write('\n');
  }
  if (line.end === 'interrupted') exit(130);
  return line.text;
}

/**
 * Asks for a new password: twice on a terminal, which does not show what is typed; once
 * from a pipe.
 * @throws EtherwsError ARGUMENT_INVALID as askPassword, and if the two differ
 */
export async function askNewPassword(streams: PromptStreams = PROCESS_STREAMS): Promise<string> {
  const password = await askPassword('New Password: ', streams);
  if (streams.input.isTTY !== true || (await askPassword('Repeat Password: ', streams)) === password) return password;
  throw new EtherwsError('ARGUMENT_INVALID', 'The two passwords differ', { hint: 'Nothing was changed; try again' });
}

interface Line {
  readonly text: string;
  /** `open`: no line end yet; `ended`: Ctrl-D; `interrupted`: Ctrl-C */
  readonly end: 'open' | 'complete' | 'ended' | 'interrupted';
  /** Takes characters up to the end of the line. @returns the characters behind it */
  take(text: string): string;
}

/** Reads one line, and puts characters behind it back into the stream. */
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

/** A line typed on a terminal in raw mode, in which the terminal neither echoes nor edits. */
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
      case '\u007F': // Backspace sends DEL on most terminals, BS on others.
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
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys send control characters
const KEYS = /\u001B\[[0-?]*[ -/]*[@-~]|\u001BO[@-~]|./gsu;

function noPassword(message: string, cause?: unknown): EtherwsError {
  const hint = 'Type it at the prompt, or give it by a file or an environment variable; see --help';
  return new EtherwsError('ARGUMENT_INVALID', message, { cause, hint });
}
