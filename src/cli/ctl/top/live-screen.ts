import type { ReadStream, WriteStream } from 'node:tty';
import { paint } from './screen.ts';

/** Control sequences: alternate screen and hidden cursor; normal screen and visible cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
/** A control sequence, such as that of an arrow key, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
const KEYS = /\x1b[[O][\d;]*[A-Za-z~]|[\s\S]/g;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A terminal that is painted repeatedly, and restored when the process ends, also by a signal or an uncaught error.
 */
export class LiveScreen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #restore = (): void => this.close();
  readonly #onData: (text: string) => void;
  readonly #onSignal: (signal: NodeJS.Signals) => void;
  readonly #onResize: () => void;
  #isOpen = true;

  /**
   * @param on `key`: a key, such as `q` or `\x1b[A`; `signal`: a signal to end the process; `resize`: another `size`
   */
  constructor(
    input: ReadStream,
    output: WriteStream,
    on: { key(text: string): void; signal(signal: NodeJS.Signals): void; resize(): void },
  ) {
    this.#input = input;
    this.#output = output;
    this.#onData = (text) => {
      // One read may have several keys.
      for (const key of text.match(KEYS) ?? []) on.key(key);
    };
    this.#onSignal = (signal) => on.signal(signal);
    this.#onResize = () => on.resize();
    process.once('exit', this.#restore);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    output.on('resize', this.#onResize);
    // When the terminal is gone, SIGHUP ends the program; an error of writing must not do so before.
    output.on('error', this.#restore);
    // In raw mode Ctrl-C is a character, so a signal comes from another process.
    input.setRawMode(true);
    input.setEncoding('utf8').on('data', this.#onData).resume();
    output.write(ENTER);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = 80, rows = 24 } = this.#output;
    return { columns, rows };
  }

  /** Does nothing while the terminal has not taken the last picture: a slow connection shows fewer pictures. */
  show(lines: readonly string[]): void {
    if (this.#isOpen && this.#output.writableLength === 0) this.#output.write(paint(lines));
  }

  /** Restores the terminal. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    this.#output.off('resize', this.#onResize);
    this.#input.off('data', this.#onData).pause();
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
    this.#output.write(LEAVE);
  }
}
