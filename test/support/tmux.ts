import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './etherws.ts';
import { run } from './process.ts';

/** A terminal that runs a program, by a separate server of tmux. */
export class Tmux {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** @param command run by a shell; the terminal stays open after its end */
  static async open(
    t: TestContext,
    command: readonly string[],
    { columns = 100, rows = 20, env = {} }: { columns?: number; rows?: number; env?: Record<string, string> } = {},
  ): Promise<Tmux> {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-tmux-'));
    const tmux = new Tmux(join(directory, 'socket'));
    t.after(async () => {
      await tmux.#do('kill-server').catch(() => undefined);
      rmSync(directory, { recursive: true });
    });
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', String(columns), '-y', String(rows)];
    await tmux.#do('-f', '/dev/null', 'new-session', '-d', ...size, ...variables, ...command);
    return tmux;
  }

  /** The text of the terminal, one line for each row. @param withColours with the escape sequences of colours */
  async screen(withColours = false): Promise<string> {
    return this.#do('capture-pane', '-p', ...(withColours ? ['-e'] : []));
  }

  /** Waits until the screen is right. */
  shows(isRight: RegExp | ((screen: string) => boolean)): Promise<string> {
    return eventually(
      () => this.screen(),
      (screen) => (isRight instanceof RegExp ? isRight.test(screen) : isRight(screen)),
    );
  }

  /** Types keys, by their names in tmux. */
  async keys(...keys: readonly string[]): Promise<void> {
    await this.#do('send-keys', ...keys);
  }

  /** Types a text literally. */
  async type(text: string): Promise<void> {
    await this.#do('send-keys', '-l', text);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#do('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** A variable of tmux, such as `#{alternate_on}`. */
  async fact(format: string): Promise<string> {
    return (await this.#do('display-message', '-p', format)).trim();
  }

  async #do(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await run(['tmux', '-S', this.#socket, ...args]);
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
}
