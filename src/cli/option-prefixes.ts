import type { Command, Option } from './commander.ts';
import { UsageError } from './usage-error.ts';

/**
 * Unambiguous prefixes of long options (`--addr`) are accepted, as by
 * getopt_long and by argparse in 1.x. Commander does not support that.
 */

/**
 * The long options of 1.x by the path of their command. A prefix that fits one
 * of them as well as newer options means the one of 1.x, so that scripts for 1.x
 * keep working.
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
 * @param words the arguments of the program
 * @returns the same words with all prefixes replaced by the long options
 * @throws UsageError for an ambiguous prefix
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
    // Skips the value of an option, which may look like an option.
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
  if (option === undefined) return word; // commander reports the unknown option
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

/** The names of a command and its parents, without the program: `ctl addport client`. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent == null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
