import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once, within } from '../support/waits.ts';

interface Waiting {
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** A program that answers each line of its standard input by one line. */
export class LineProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #errors = '';
  #isOver = false;

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, { stdio: 'pipe' });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(line));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-10_000);
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('error', (error) => this.#ended(error.message)).on('close', () => this.#ended(this.#errors));
  }

  /** @throws Error with what the program wrote to standard error, when it has ended */
  ask(line: string): Promise<string> {
    if (this.#isOver) throw new Error(`the program has ended: ${this.#errors}`);
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    this.#child.stdin.write(`${line}\n`);
    return within(answer, () => `answer of ${this.#child.spawnfile} to ${line.slice(0, 200)}`);
  }

  /** Ends the program, and waits for its end. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    await ended;
  }

  #ended(errors: string): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the program has ended: ${errors}`));
  }
}
