import type { Command, Option } from './commander.ts';
import { UsageError } from './usage-error.ts';

/**
 * Long options may be cut short as long as they stay unambiguous (`--addr`), as
 * getopt_long and 1.x's argparse have it; commander does not.
 */

/**
 * The long options of 1.x by the path of their command. Where a prefix fits one
 * of them and newer options, it means the one of 1.x: a script that worked there
 * must not become ambiguous.
 */
const OPTIONS_OF_1X: Readonly<Record<string, string>> = {
  sw: `--debug --foreground --ageout --path --host --port --htpasswd --sslkey --sslcert
    --ctlpath --ctlhost --ctlport --ctlhtpasswd --ctlsslkey --ctlsslcert --help`,
  ctl: '--ctlurl --ctluser --ctlpasswd --ctlsslcert --ctlinsecure --help',
  'ctl addport client': '--user --passwd --cacerts --insecure --help',
  'ctl setport': '--shut --help',
  'ctl setif': '--address --netmask --mtu --help',
};

/**
 * @param words what stands behind the name of the program
 * @returns the same words with every prefix of a long option written out
 * @throws UsageError for a prefix that more than one option has
 */
export function writeOutOptions(program: Command, words: readonly string[]): string[] {
  const result: string[] = [];
  let command = program;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') return [...result, ...words.slice(index)];
    const below = word.startsWith('-') ? undefined : command.commands.find((other) => other.name() === word);
    if (below !== undefined) command = below;
    const written = writeOut(command, word);
    result.push(written);
    // The value of an option may look like an option itself.
    const value = words[index + 1];
    if (value !== undefined && takesNextWord(command, written)) {
      result.push(value);
      index++;
    }
  }
  return result;
}

function writeOut(command: Command, word: string): string {
  const [, prefix = '', rest = ''] = /^(--[^=]+)(=.*)?$/s.exec(word) ?? [];
  const long = longOptions(command);
  if (prefix === '' || long.includes(prefix)) return word;
  const candidates = long.filter((option) => option.startsWith(prefix));
  const known = (OPTIONS_OF_1X[pathOf(command)] ?? '').split(/\s+/);
  const preferred = candidates.filter((option) => known.includes(option));
  const [option, second] = preferred.length > 0 ? preferred : candidates;
  if (option === undefined) return word; // commander says what is wrong with it
  if (second === undefined) return option + rest;
  throw new UsageError(`option '${prefix}' is ambiguous`, `It may be ${candidates.join(', ')}`);
}

function longOptions(command: Command): string[] {
  const own = command.createHelp().visibleOptions(command);
  return [...new Set([...command.options, ...own].map(({ long }) => long))].filter((long) => typeof long === 'string');
}

function takesNextWord(command: Command, word: string): boolean {
  const option = command.options.find(({ long, short }: Option) => word === long || word === short);
  return option?.required === true;
}

/** As it is typed behind the name of the program: `ctl addport client`. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent == null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
