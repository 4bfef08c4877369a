const MEBIBYTE = 1024 * 1024;
const BAR_CELLS = 32;
/** Without a terminal a line is printed when the transfer reaches each of these shares. */
const SHARES = [0.25, 0.5, 0.75, 1] as const;

/** Prints what the demo does: in colour and with a progress bar on a terminal, else in plain lines. */
export class Narrator {
  readonly #out: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  readonly #hasColour: boolean;
  #hasBar = false;
  #shares: readonly number[] = SHARES;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isTerminal = out.isTTY === true;
    const { NO_COLOR = '' } = process.env;
    this.#hasColour = this.#isTerminal && NO_COLOR === '';
  }

  title(text: string): void {
    this.#line(this.#paint('1', text));
  }

  /** Opens a new paragraph. */
  step(text: string): void {
    this.#line('');
    this.#line(`${this.#paint('36;1', '▸')} ${this.#paint('1', text)}`);
  }

  command(host: string, line: string): void {
    this.#line(`  ${this.#paint('2', `${host.padEnd(6)} $`)} ${line}`);
  }

  /** The output of a command, indented below it. */
  output(text: string): void {
    for (const line of text.trimEnd().split('\n')) if (line !== '') this.#line(`           ${line}`);
  }

  note(text: string): void {
    this.#line(`  ${text}`);
  }

  verified(text: string): void {
    this.#line(`  ${this.#paint('32;1', '✔')} ${text}`);
  }

  failed(text: string): void {
    this.#line(`  ${this.#paint('31;1', '✖')} ${text}`);
  }

  /** Shows how much of `total` bytes has arrived, `seconds` after the first. */
  progress(bytes: number, total: number, seconds: number): void {
    const share = bytes / total;
    if (!this.#isTerminal && share < (this.#shares[0] ?? Number.POSITIVE_INFINITY)) return;
    this.#shares = this.#shares.filter((next) => next > share);
    const filled = Math.floor(share * BAR_CELLS);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    const size = `${Math.floor(bytes / MEBIBYTE)} MiB`.padStart(7);
    const text = `  ${this.#paint('36', bar)} ${percent} ${size}  ${describeRate(bytes, seconds)}`;
    if (this.#isTerminal) {
      this.#out.write(`\r\x1b[2K${text}`);
      this.#hasBar = true;
    } else {
      this.#line(text);
    }
  }

  #line(text: string): void {
    // The progress bar has no line end yet.
    this.#out.write(this.#hasBar ? `\n${text}\n` : `${text}\n`);
    this.#hasBar = false;
  }

  #paint(style: string, text: string): string {
    return this.#hasColour ? `\x1b[${style}m${text}\x1b[0m` : text;
  }
}

export function describeRate(bytes: number, seconds: number): string {
  if (seconds <= 0) return '';
  return `${Math.round((bytes * 8) / seconds / 1e6).toLocaleString('en')} Mbit/s`;
}
