import type { Command } from '../../commander.ts';
import { Argument, Option } from '../../commander.ts';
import type { Terminal } from '../../terminal.ts';
import { UsageError } from '../../usage-error.ts';
import { addLeaf, perform } from '../leaf.ts';
import { requireCluster } from './require-cluster.ts';

type Action = 'show' | 'set' | 'check';

/** `etherws ctl --cluster policy show|set|check [FILE]`. */
export function addPolicy(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'policy', 'show, change or check the policy of all nodes of a cluster', [
    '--cluster policy show',
    '--cluster policy check policy.yaml',
    '--cluster policy set policy.yaml',
    '--cluster policy set policy.yaml --revision 7',
  ])
    .addArgument(new Argument('<ACTION>', 'what to do').choices(['show', 'set', 'check']))
    .argument('[FILE]', 'for set and check: the policy, as sw --policy has it')
    .addOption(
      new Option('--revision <N>', 'set it only if it still has this revision').argParser((text) => Number(text)),
    )
    .action(async (action: Action, file: string | undefined, { revision }: { revision?: number }, command: Command) => {
      requireCluster(command);
      if (action === 'show') return show(command, terminal, file);
      if (file === undefined) throw new UsageError(`policy ${action} needs a file`, `policy ${action} FILE`);
      const { readUserFile } = await import('../../../runtime/user-file.ts');
      const { text } = await readUserFile(file, MOST_BYTES);
      const change = { text, file, ...(revision === undefined ? {} : { revision }) };
      return perform(command, terminal, {
        method: 'setClusterPolicy',
        params: action === 'check' ? { ...change, check: true } : change,
        names: ([name]) => (name === 'revision' ? '--revision' : String(name)),
        isOfCluster: true,
        table: ([entry]) =>
          action === 'check' ? `  ${file} is a policy\n` : `  The policy has the revision ${entry?.revision}\n`,
      });
    });
}

/** Nodes read such files, too. */
const MOST_BYTES = 4 * 1024 * 1024;

async function show(command: Command, terminal: Terminal, file: string | undefined): Promise<void> {
  if (file !== undefined) throw new UsageError('policy show takes no file', 'Redirect its output to one');
  await perform(command, terminal, {
    method: 'getClusterPolicy',
    params: {},
    isOfCluster: true,
    // As it was given, so that it can be changed and set again.
    table: ([entry]) => entry?.text ?? '# The cluster has no policy: everything is allowed\n',
  });
}
