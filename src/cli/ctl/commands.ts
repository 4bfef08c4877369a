import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';

/** Adds a command below `ctl`. */
export type AddCommand = (ctl: Command, terminal: Terminal) => void;

/** The commands of `etherws ctl`. Only those that a command line names are loaded: ctl must start at once. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  addport: async () => (await import('./add-port.ts')).addAddPort,
  setport: async () => (await import('./change-port.ts')).addSetPort,
  delport: async () => (await import('./change-port.ts')).addDelPort,
  listport: async () => (await import('./list.ts')).addListPort,
  setif: async () => (await import('./set-interface.ts')).addSetInterface,
  listif: async () => (await import('./list.ts')).addListInterface,
  listfdb: async () => (await import('./list.ts')).addListFdb,
  listdoor: async () => (await import('./list.ts')).addListDoor,
  schema: async () => (await import('./schema.ts')).addSchema,
};

/** @param words the command line; help, and a command that is not there, tell of all commands */
export async function addCommands(ctl: Command, terminal: Terminal, words: readonly string[]): Promise<void> {
  const isHelp = words.some((word) => /^(-h|--h.*|help)$/.test(word));
  const named = Object.keys(COMMANDS).filter((name) => words.includes(name));
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (isHelp || named.length === 0 || named.includes(name)) (await load())(ctl, terminal);
  }
}
