import type { Command } from '../../commander.ts';
import type { Terminal } from '../../terminal.ts';
import { addLeaf, perform } from '../leaf.ts';
import { requireCluster } from './require-cluster.ts';
import { historyTable } from './shared-tables.ts';

/** `etherws ctl --cluster history` and `rollback`. */

const KEY = 'policy, or network.NAME';

export function addHistory(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'history', 'list what the networks and the policy of all nodes of a cluster are and were', [
    '--cluster history',
    '--cluster history network.lab',
    '--cluster history policy --json',
  ])
    .argument('[KEY]', `only of this key: ${KEY}`)
    .action((key: string | undefined, _options: object, command: Command) => {
      requireCluster(command);
      return perform(command, terminal, {
        method: 'listClusterHistory',
        params: key === undefined ? {} : { key },
        isOfCluster: true,
        table: historyTable,
      });
    });
}

export function addRollback(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'rollback', 'give a network or the policy of all nodes of a cluster a former value', [
    '--cluster rollback network.lab 12',
    '--cluster rollback policy 7',
  ])
    .argument('<KEY>', KEY)
    .argument('<REVISION>', 'revision with the wanted value, as history lists it')
    .action((key: string, revision: string, _options: object, command: Command) => {
      requireCluster(command);
      return perform(command, terminal, {
        method: 'rollbackCluster',
        params: { key, revision: /^\d+$/.test(revision) ? Number(revision) : revision },
        names: ([name]) => String(name).toUpperCase(),
        isOfCluster: true,
        table: historyTable,
      });
    });
}
