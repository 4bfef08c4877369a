import { PassThrough, type Writable } from 'node:stream';
import { PLAIN } from '../../src/cli/page.ts';
import type { Environment, Terminal } from '../../src/cli/terminal.ts';
import { ControlClient } from '../../src/control/client.ts';

/** A terminal that records its output, and answers prompts with `passwords` in order. */
export class RecordingTerminal implements Terminal {
  readonly env: Environment;
  readonly paint = PLAIN;
  readonly prompts: string[] = [];
  stdout = '';
  stderr = '';
  readonly #passwords: string[];

  constructor(env: Environment = {}, passwords: readonly string[] = []) {
    this.env = env;
    this.#passwords = [...passwords];
  }

  output(): Writable {
    return new PassThrough();
  }

  print(text: string): void {
    this.stdout += text;
  }

  complain(text: string): void {
    this.stderr += text;
  }

  askPassword(prompt: string): Promise<string> {
    this.prompts.push(prompt);
    const password = this.#passwords.shift();
    return password === undefined
      ? Promise.reject(new Error(`no answer is prepared for ${prompt}`))
      : Promise.resolve(password);
  }

  openPage(): Promise<boolean> {
    return Promise.resolve(false);
  }

  openControl(options: ConstructorParameters<typeof ControlClient>[0]): Promise<ControlClient> {
    return Promise.resolve().then(() => new ControlClient(options));
  }
}
