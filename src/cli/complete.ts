import type { Command, Option } from './commander.ts';
import { listNetworks, listPorts } from './complete-ports.ts';
import type { Terminal } from './terminal.ts';

/**
 * `etherws complete WORD…`, which shells call: prints the completions of the last word, one a line. It prints no
 * errors, and nothing where a file is expected, so that the shell completes files.
 */

/** Makes the commands that a command line names: `createProgram`. */
export type MakeProgram = (words: readonly string[], terminal: Terminal) => Promise<Command>;

/** Options whose value is a list of known words; commander has no choices for these. */
const LISTS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  '--events': async () => (await import('../events/event.ts')).EVENT_KINDS,
};

/** @param words the words after `etherws`; the last one is incomplete, perhaps empty. Never rejects */
export async function complete(words: readonly string[], terminal: Terminal, makeProgram: MakeProgram): Promise<void> {
  try {
    const found = await candidates(words, terminal, makeProgram);
    const last = words.at(-1) ?? '';
    terminal.print(
      [...new Set(found)]
        .filter((word) => word.startsWith(last))
        .map((word) => `${word}\n`)
        .join(''),
    );
  } catch {
    // An error message would be printed into the command line that is being typed.
  }
}

async function candidates(
  words: readonly string[],
  terminal: Terminal,
  makeProgram: MakeProgram,
): Promise<readonly string[]> {
  const typed = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  const place = placeOf(await makeProgram(typed, terminal), typed);
  const networks = (): Promise<readonly string[]> => listNetworks(typed, terminal);
  if (place.option !== undefined) return valuesOf(place.option, networks);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const { command } = place;
  if (flag !== undefined && value !== undefined && !place.areOptionsOver) {
    const option = optionsOf(command).find(({ long }) => long === flag);
    const values = option === undefined ? [] : await valuesOf(option, networks);
    return values.map((word) => `${flag}=${word}`);
  }
  if (last.startsWith('-') && !place.areOptionsOver) {
    return [...optionsOf(command).flatMap(({ long }) => long ?? []), '--help'];
  }
  const below = command.commands.map((other) => other.name()).filter((name) => name !== 'complete');
  if (below.length > 0) return place.argument === 0 ? [...below, 'help'] : [];
  const { registeredArguments } = command;
  const argument = registeredArguments[place.argument] ?? registeredArguments.findLast(({ variadic }) => variadic);
  if (argument === undefined) return [];
  if (argument.name() === 'PORT') return listPorts(typed, terminal);
  // `addnet` wants a new name.
  if (argument.name() === 'NAME' && ['setnet', 'delnet'].includes(command.name())) return networks();
  if (argument.name() === 'METHOD') return Object.keys((await import('../control/schema.ts')).METHODS);
  return argument.argChoices ?? [];
}

interface Place {
  readonly command: Command;
  /** the number of the command's arguments before the last word */
  readonly argument: number;
  /** the option that takes the last word as its value */
  readonly option: Option | undefined;
  /** whether `--` precedes the last word */
  readonly areOptionsOver: boolean;
}

function placeOf(program: Command, typed: readonly string[]): Place {
  let command = program;
  let argument = 0;
  let option: Option | undefined;
  let areOptionsOver = false;
  for (const word of typed) {
    if (option !== undefined) {
      option = undefined;
    } else if (word === '--' && !areOptionsOver) {
      areOptionsOver = true;
    } else if (word.startsWith('-') && !areOptionsOver) {
      option = optionsOf(command).find((one) => one.required && (one.long === word || one.short === word));
    } else {
      const below = command.commands.find((other) => other.name() === word);
      if (below === undefined) argument++;
      else command = below;
    }
  }
  return { command, argument, option, areOptionsOver };
}

/** The options of a command, also hidden ones: these are options of its parent command. */
function optionsOf(command: Command): readonly Option[] {
  return command.options;
}

/** @param networks asks the switch */
async function valuesOf(
  { argChoices, long }: Option,
  networks: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (long === '--net') return networks();
  return argChoices ?? (await LISTS[long ?? '']?.()) ?? [];
}
