import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Lab, Side } from './lab/lab.ts';
import type { Programs } from './programs/programs.ts';

/** A program that carries Ethernet frames between the two sides of a lab. */
export interface Contestant {
  /** The name for `--only`. */
  readonly name: string;
  /** The title in tables. */
  readonly title: string;
  /** Whether it is only a reference, of which a quick run measures less. */
  readonly isAside?: boolean;
  /** @returns why it cannot run here, or undefined */
  unavailable(): Promise<string | undefined>;
  /** The version of the program, in one line. */
  version(): Promise<string>;
  /**
   * Starts both ends. The runner then waits until an address answers through the tunnel. The
   * programs end with the lab.
   */
  start(lab: Lab, programs: Programs): Promise<Tunnel>;
  /** For a contestant of another build (`--against`): the name of the same contestant of this build. */
  readonly otherOf?: string;
  /** The command line that lists the ports of the switch on the server side, if it has one. */
  controlCommand?(): Promise<readonly string[]>;
  /** Whether both sides dial a third host. Its lab then has one, and only that host is measured. */
  readonly isRelay?: boolean;
  /** The TCP port on which the server side accepts further WebSocket tunnels without a password, if it does. */
  readonly webSocketPort?: number;
}

/** A started contestant. */
export interface Tunnel {
  /** The address of each side inside the tunnel. */
  readonly addresses: Readonly<Record<Side, string>>;
}

/** Includes the directories of daemons, which are not in the PATH of all users. */
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
