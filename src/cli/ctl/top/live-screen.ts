import type { ReadStream, WriteStream } from 'node:tty';
import { paint } from './screen.ts';

/** The alternate screen, and no cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
/** A control sequence, which arrows and the like send, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
const KEYS = /\x1b[[O][\d;]*[A-Za-z~]|[\s\S]/g;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A terminal that is painted again and again, and is as before when the process ends, in whatever way it can notice:
 * also by a signal or an error that nothing catches.
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
   * @param on `key`: what was typed, such as `q` or `\x1b[A`; `signal`: the process shall end; `resize`: `size` is another
   */
  constructor(
    input: ReadStream,
    output: WriteStream,
    on: { key(text: string): void; signal(signal: NodeJS.Signals): void; resize(): void },
  ) {
    this.#input = input;
    this.#output = output;
    this.#onData = (text) => {
      // Over a slow line several keys come at once.
      for (const key of text.match(KEYS) ?? []) on.key(key);
    };
    this.#onSignal = (signal) => on.signal(signal);
    this.#onResize = () => on.resize();
    process.once('exit', this.#restore);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    output.on('resize', this.#onResize);
    // A terminal that is gone ends the program by SIGHUP, and not by an error of writing.
    output.on('error', this.#restore);
    // In raw mode Ctrl-C is a character; signals come from others only.
    input.setRawMode(true);
    input.setEncoding('utf8').on('data', this.#onData).resume();
    output.write(ENTER);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = 80, rows = 24 } = this.#output;
    return { columns, rows };
  }

  /** Does nothing while the terminal has not taken what was painted before: a slow line shows fewer pictures. */
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
