import { readVersion } from '../runtime/version.ts';
import { Command } from './commander.ts';
import { escapeSentence } from './format.ts';
import { writeOutOptions } from './option-prefixes.ts';
import { EXIT_SUCCESS, report } from './report.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  A switch with a TAP device on each of two hosts, and a tunnel between them:
  $ etherws sw                                      (on both)
  $ etherws ctl addport tap tap0                    (on both)
  $ etherws ctl setif 1 --address 10.0.0.1/24       (10.0.0.2/24 on the other)
  $ etherws ctl addport client ws://first.example/  (on the other)

'etherws COMMAND --help' tells more.
`;

/** The commands by name. Only the one that is run is loaded: ctl must start fast and needs no code of a switch. */
const COMMANDS: Readonly<
  Record<string, { description: string; load: (terminal: Terminal, words: readonly string[]) => Promise<Command> }>
> = {
  sw: {
    description: 'run a switch',
    load: async () => (await import('./sw.ts')).swCommand(),
  },
  ctl: {
    description: 'control a running switch',
    load: async (terminal, words) => (await import('./ctl.ts')).ctlCommand(terminal, words),
  },
  check: {
    description: 'check a configuration file',
    load: async (terminal) => (await import('./check.ts')).checkCommand(terminal),
  },
  schema: {
    description: 'print the JSON Schema of the configuration file, for editors',
    load: async (terminal) => (await import('./check.ts')).schemaCommand(terminal),
  },
  'install-service': {
    description: 'write a unit for systemd that runs the switch',
    load: async (terminal) => (await import('./install-service.ts')).installServiceCommand(terminal),
  },
  'uninstall-service': {
    description: 'remove that unit',
    load: async (terminal) => (await import('./install-service.ts')).uninstallServiceCommand(terminal),
  },
  doctor: {
    description: 'examine this host, and the way to another switch',
    load: async (terminal) => (await import('./doctor.ts')).doctorCommand(terminal),
  },
  completion: {
    description: 'print what makes a shell complete commands, options, values and ports',
    load: async (terminal) => (await import('./completion.ts')).completionCommand(terminal),
  },
  passwd: {
    description: 'set the password of a user in an htpasswd file',
    load: async (terminal) => (await import('./passwd.ts')).passwdCommand(terminal),
  },
};

/**
 * Runs a command line.
 * @param words the arguments of `etherws`
 * @returns the exit status: 0, 1 for a failed operation, 2 for wrong usage. Never rejects
 */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<number> {
  if (words[0] === 'complete') {
    await (await import('./complete.ts')).complete(words.slice(1), terminal, createProgram);
    return EXIT_SUCCESS;
  }
  try {
    const program = await createProgram(words, terminal);
    await program.parseAsync(writeOutOptions(program, words), { from: 'user' });
    return EXIT_SUCCESS;
  } catch (error) {
    return report(error, terminal);
  }
}

/** Makes the commands. Only subcommands that the words name are loaded, or all for help. */
export async function createProgram(words: readonly string[], terminal: Terminal): Promise<Command> {
  const program = new Command('etherws')
    .description('A virtual Ethernet switch whose ports are TAP devices, network devices and WebSockets')
    .version(`etherws ${readVersion()}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .usage('[options] COMMAND')
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES);
  // `etherws help ctl` names its command second.
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  const meant = first === 'help' ? second : first;
  for (const [name, { description, load }] of Object.entries(COMMANDS)) {
    program.addCommand(name === meant ? await load(terminal, words) : new Command(name).description(description));
  }
  adopt(program, terminal);
  return program;
}

/** Makes a command and its subcommands write to the terminal, and throw instead of ending the process. */
function adopt(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.print(text),
    // Commander's messages repeat the command line, which may contain control characters.
    writeErr: (text) => terminal.complain(text.split('\n').map(escapeSentence).join('\n')),
  });
  for (const below of command.commands) adopt(below, terminal);
}
