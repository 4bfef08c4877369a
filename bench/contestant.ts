import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Lab, Side } from './lab/lab.ts';
import type { Programs } from './programs/programs.ts';

/** Something that carries Ethernet frames between the two sides of a lab. */
export interface Contestant {
  /** What `--only` calls it. */
  readonly name: string;
  /** What the tables call it. */
  readonly title: string;
  /** Whether it is there to compare with, so that a quick run looks at less of it. */
  readonly isAside?: boolean;
  /** @returns why it cannot run here, or undefined */
  unavailable(): Promise<string | undefined>;
  /** What is measured, in one line. */
  version(): Promise<string>;
  /**
   * Starts both ends. It resolves when frames can pass or are about to; the
   * runner waits for the first answer. Its programs end with the lab.
   */
  start(lab: Lab, programs: Programs): Promise<Tunnel>;
  /** Of a contestant of another build (`--against`): the name of the same one of this build. */
  readonly otherOf?: string;
  /** The command line that lists the ports of the switch on the server side, where there is one. */
  controlCommand?(): Promise<readonly string[]>;
  /** Whether both sides dial a third host, so that its lab has one and only that host is measured. */
  readonly isRelay?: boolean;
  /** Where the server side takes further WebSocket tunnels without a password, if it does. */
  readonly webSocketPort?: number;
}

/** What a started contestant offers to the measurements. */
export interface Tunnel {
  /** Where each side is reached through the tunnel. */
  readonly addresses: Readonly<Record<Side, string>>;
}

/** The directories where daemons are kept are not in every user's PATH. */
const { PATH = '' } = process.env;
const PROGRAM_DIRECTORIES = [...PATH.split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];

/** @returns which of the programs are missing, with the package that has them, or undefined */
export async function missingPrograms(programs: readonly string[], install: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (const program of programs) {
    const found = await Promise.all(
      PROGRAM_DIRECTORIES.map((directory) =>
        access(join(directory, program), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) missing.push(program);
  }
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}: apt install ${install}`;
}
