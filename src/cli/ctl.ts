import { Command } from './commander.ts';
import { addConnectionOptions } from './ctl/connection.ts';
import type { Terminal } from './terminal.ts';

const NOTES = `
Passwords that are not given are asked for. For scripts, use the files or
ETHERWS_CTL_PASSWD and ETHERWS_CLIENT_PASSWD: other users can read options.

In a cluster, --cluster asks all nodes, and addnet, setnet and delnet change the networks of
all. A port of another node is NODE/PORT for show, setport, delport, ping and capture.

Exit status: 0 done, 1 the operation failed (or one node did not answer), 2 the command line
was wrong.

Examples:
  $ etherws ctl addport tap tap0
  $ etherws ctl setif 1 --address 10.0.0.1/24 --mtu 1400
  $ etherws ctl addport client wss://switch.example/ --user ann
  $ etherws ctl listport
  $ etherws ctl --cluster liststation
  $ etherws ctl show r2/uplink
  $ etherws ctl --cluster capture --net office -w trace.pcapng
  $ etherws ctl --ctlurl https://switch.example:7867/ctl --ctluser root listfdb --json
`;

/** Adds a subcommand of `ctl`. */
type AddCommand = (ctl: Command, terminal: Terminal) => void;

/** The subcommands of `etherws ctl`. Only the ones that the command line names are loaded, for a fast start. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  addport: async () => (await import('./ctl/add-port.ts')).addAddPort,
  setport: async () => (await import('./ctl/change-port.ts')).addSetPort,
  delport: async () => (await import('./ctl/change-port.ts')).addDelPort,
  listport: async () => (await import('./ctl/list.ts')).addListPort,
  setif: async () => (await import('./ctl/set-interface.ts')).addSetInterface,
  listif: async () => (await import('./ctl/list.ts')).addListInterface,
  listfdb: async () => (await import('./ctl/list.ts')).addListFdb,
  liststation: async () => (await import('./ctl/list-station.ts')).addListStation,
  listmdb: async () => (await import('./ctl/list-mdb.ts')).addListMdb,
  addmdb: async () => (await import('./ctl/change-mdb.ts')).addAddMdb,
  delmdb: async () => (await import('./ctl/change-mdb.ts')).addDelMdb,
  addfdb: async () => (await import('./ctl/change-fdb.ts')).addAddFdb,
  delfdb: async () => (await import('./ctl/change-fdb.ts')).addDelFdb,
  flushfdb: async () => (await import('./ctl/change-fdb.ts')).addFlushFdb,
  listvlan: async () => (await import('./ctl/list-vlan.ts')).addListVlan,
  ping: async () => (await import('./ctl/ping.ts')).addPing,
  trace: async () => (await import('./ctl/trace.ts')).addTrace,
  listneighbor: async () => (await import('./ctl/list-neighbor.ts')).addListNeighbor,
  listdoor: async () => (await import('./ctl/list.ts')).addListDoor,
  addnet: async () => (await import('./ctl/network.ts')).addAddNet,
  setnet: async () => (await import('./ctl/network.ts')).addSetNet,
  delnet: async () => (await import('./ctl/network.ts')).addDelNet,
  listnet: async () => (await import('./ctl/network.ts')).addListNet,
  policy: async () => (await import('./ctl/nodes/policy.ts')).addPolicy,
  history: async () => (await import('./ctl/nodes/history.ts')).addHistory,
  rollback: async () => (await import('./ctl/nodes/history.ts')).addRollback,
  cluster: async () => (await import('./ctl/nodes/cluster.ts')).addCluster,
  drain: async () => (await import('./ctl/drain.ts')).addDrain,
  liststp: async () => (await import('./ctl/list-stp.ts')).addListStp,
  doctor: async () => (await import('./ctl/doctor.ts')).addDoctor,
  status: async () => (await import('./ctl/status.ts')).addStatus,
  show: async () => (await import('./ctl/show.ts')).addShow,
  top: async () => (await import('./ctl/top.ts')).addTop,
  watch: async () => (await import('./ctl/watch.ts')).addWatch,
  reload: async () => (await import('./ctl/configuration.ts')).addReload,
  save: async () => (await import('./ctl/configuration.ts')).addSave,
  capture: async () => (await import('./ctl/capture.ts')).addCapture,
  loglevel: async () => (await import('./ctl/log-level.ts')).addLogLevel,
  console: async () => (await import('./ctl/console.ts')).addConsole,
  schema: async () => (await import('./ctl/schema.ts')).addSchema,
};

/** `etherws ctl`: a client of the control API. It loads no code of a switch. */
export async function ctlCommand(terminal: Terminal, words: readonly string[]): Promise<Command> {
  const ctl = new Command('ctl')
    .description('control a running switch')
    .usage('[options] COMMAND')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', NOTES);
  addConnectionOptions(ctl, false);
  await addCommands(ctl, terminal, words);
  return ctl;
}

/** @param words the command line; for help, and without a known command, all commands are loaded */
async function addCommands(ctl: Command, terminal: Terminal, words: readonly string[]): Promise<void> {
  const isHelp = words.some((word) => /^(-h|--h.*|help)$/.test(word));
  const named = Object.keys(COMMANDS).filter((name) => words.includes(name));
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (isHelp || named.length === 0 || named.includes(name)) (await load())(ctl, terminal);
  }
}
