// Writes the manual pages to dist/man from the sources of `--help`: the built commands, and the rows of src/schema.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createProgram } from '../dist/src/cli/program.js';
import { FILE_DIAL_OPTIONS } from '../dist/src/config/file-schema.js';
import { fileKey } from '../dist/src/config/key-names.js';
import { NETWORK_OPTIONS } from '../dist/src/schema/network-options.js';
import { PORT_LABELS, PORT_NETWORK } from '../dist/src/schema/port-spec.js';
import { SW_GROUPS } from '../dist/src/schema/sw-options.js';
import { TAP_OPTIONS } from '../dist/src/schema/tap-options.js';

const TERMINAL = { env: {}, print: () => undefined, complain: () => undefined, paint: (_colour, text) => text };
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const DIRECTORY = new URL('../dist/man/', import.meta.url);

/** Escapes a text for roff, so that it has no requests and no escapes. */
function text(words) {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

function head(name, section, what) {
  return [
    `.TH ${text(name).toUpperCase()} ${section} "" "etherws ${text(version)}" "etherws manual"`,
    '.SH NAME',
    `${text(name)} \\- ${text(what)}`,
  ];
}

const EXIT = [
  '.SH EXIT STATUS',
  ...['0', 'Done.', '1', 'The operation failed; standard error says why.', '2', 'The command line was wrong.'].flatMap(
    (line, index) => (index % 2 === 0 ? ['.TP', line] : [line]),
  ),
];

const PAGES = [
  ['etherws', 1],
  ['etherws-sw', 8],
  ['etherws-ctl', 1],
  ['etherws.yaml', 5],
];

function seeAlso(name) {
  const others = PAGES.filter(([other]) => other !== name).map(([other, section]) => `.BR ${text(other)} (${section})`);
  return ['.SH SEE ALSO', ...others.map((line, index) => (index < others.length - 1 ? `${line} ,` : line))];
}

/** The options that the help of a command shows, by their groups. */
function options(command) {
  const help = command.createHelp();
  // `--help` is left out of the pages.
  const shown = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return shown.flatMap((option) => ['.TP', `.B ${text(option.flags)}`, text(help.optionDescription(option))]);
}

function argumentsOf(command) {
  return command
    .createHelp()
    .visibleArguments(command)
    .flatMap((one) => ['.TP', `.I ${text(one.name())}`, text(one.description)]);
}

function synopsis(command) {
  return ['.SH SYNOPSIS', `.B ${text(command.createHelp().commandUsage(command))}`];
}

/** The commands without subcommands below a command, each as a section with its options. */
function leaves(command, path) {
  return command.commands.flatMap((below) => {
    const name = [...path, below.name()];
    if (below.commands.length > 0) return leaves(below, name);
    return [`.SS ${text(name.join(' '))}`, text(below.description()), ...argumentsOf(below), ...options(below)];
  });
}

/** The text of the help after the options: notes and examples. */
function notes(command) {
  let written = '';
  command.configureOutput({ writeOut: (words) => (written += words) });
  command.outputHelp();
  const at = written.lastIndexOf('\nExamples:');
  return at < 0 ? [] : ['.SH EXAMPLES', '.nf', text(written.slice(at + '\nExamples:\n'.length).trimEnd()), '.fi'];
}

async function commandOf(...words) {
  const program = await createProgram([...words, '--help'], TERMINAL);
  return words.reduce((command, word) => command.commands.find((below) => below.name() === word), program);
}

async function etherws() {
  const program = await commandOf();
  const commands = [];
  for (const { name } of program.commands.map((command) => ({ name: command.name() }))) {
    const command = await commandOf(name);
    const page = { sw: 8, ctl: 1 }[name];
    commands.push(`.SS ${name}`, text(command.description()));
    if (page !== undefined) commands.push('.br', `See`, `.BR etherws\\-${name} (${page}).`);
    else commands.push(...argumentsOf(command), ...options(command));
  }
  return [
    ...head('etherws', 1, 'a virtual Ethernet switch'),
    '.SH SYNOPSIS',
    '.B etherws [options] COMMAND',
    '.SH DESCRIPTION',
    text(program.description()),
    '.SH OPTIONS',
    ...options(program),
    '.SH COMMANDS',
    ...commands,
    ...EXIT,
    ...notes(program),
    ...seeAlso('etherws'),
  ];
}

async function sw() {
  const command = await commandOf('sw');
  return [
    ...head('etherws-sw', 8, 'run a switch'),
    ...synopsis(command),
    '.SH DESCRIPTION',
    text(command.description()),
    '.SH OPTIONS',
    ...options(command),
    ...EXIT,
    ...notes(command),
    ...seeAlso('etherws-sw'),
  ];
}

async function ctl() {
  const command = await commandOf('ctl');
  return [
    ...head('etherws-ctl', 1, 'control a running switch'),
    ...synopsis(command),
    '.SH DESCRIPTION',
    text(command.description()),
    '.SH OPTIONS',
    ...options(command),
    '.SH COMMANDS',
    ...leaves(command, []),
    ...EXIT,
    ...notes(command),
    ...seeAlso('etherws-ctl'),
  ];
}

/** The rows of a table as keys of the file. */
function keys(table) {
  return Object.entries(table).flatMap(([name, row]) => {
    const key = fileKey(name);
    const fallback = row.defaultText ?? row.default;
    const unit = row.unit === undefined ? '' : `, in ${row.unit}`;
    const what = `${row.flag?.startsWith('--no-') ? 'false: ' : ''}${row.help}${unit}`;
    return ['.TP', `.B ${text(key)}`, text(`${what}${fallback === undefined ? '' : ` (default: ${fallback})`}`)];
  });
}

function yaml() {
  return [
    ...head('etherws.yaml', 5, 'configuration file of a switch'),
    '.SH DESCRIPTION',
    'YAML file with options and ports, which',
    '.B etherws sw \\-\\-config',
    'reads. Relative paths are relative to the file. Check it by',
    '.BR "etherws check" .',
    ...SW_GROUPS.flatMap(({ section, heading, table }) => [
      section === undefined
        ? heading === undefined
          ? '.SH KEYS AT THE TOP'
          : ''
        : `.SH KEYS OF ${section.toUpperCase()}`,
      ...keys(table),
    ]).filter((line) => line !== ''),
    '.SH KEYS OF A PORT',
    'The list',
    '.B ports',
    'has an object for each port:',
    '.BR type ,',
    '.BR target ,',
    '.BR shut ,',
    '.BR options ,',
    'of tap and netdev ports',
    '.B addresses',
    'and',
    '.BR mtu ,',
    'and',
    ...keys({ ...PORT_LABELS, ...PORT_NETWORK }),
    '.SS options of a tap port',
    ...keys(TAP_OPTIONS),
    '.SS options of a client port',
    ...keys(FILE_DIAL_OPTIONS),
    '.SH KEYS OF A NETWORK',
    'The list',
    '.B networks',
    'has an object for each network:',
    '.BR name ,',
    'and',
    ...keys(NETWORK_OPTIONS),
    ...seeAlso('etherws.yaml'),
  ];
}

mkdirSync(DIRECTORY, { recursive: true });
for (const [name, lines] of [
  ['etherws.1', await etherws()],
  ['etherws-sw.8', await sw()],
  ['etherws-ctl.1', await ctl()],
  ['etherws.yaml.5', yaml()],
]) {
  writeFileSync(new URL(name, DIRECTORY), `${lines.join('\n')}\n`);
}
