import type { PlanEntry } from '../../control/schema.ts';
import type { Command } from '../commander.ts';
import { type Column, escapeSentence, formatJson, formatTable } from '../format.ts';
import { ReportedFailure } from '../report.ts';
import type { Terminal } from '../terminal.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf } from './leaf.ts';

/** `etherws ctl reload` and `save`. */

const COLUMNS: readonly Column<PlanEntry>[] = [
  { title: 'Action', isNumber: false, cell: ({ action }) => action },
  { title: 'Port', isNumber: true, cell: ({ port }) => port?.toString() ?? '-' },
  { title: 'What', isNumber: false, cell: ({ what }) => what },
  {
    title: 'Change',
    isNumber: false,
    cell: ({ action, change }) => (action === 'restart' ? `${change} (at the next start)` : change || '-'),
  },
];

export function addReload(ctl: Command, terminal: Terminal): void {
  addLeaf(
    ctl,
    'reload',
    'read the configuration file again, and apply what differs; also certificates and the policy',
    ['reload --dry-run', 'reload'],
  )
    .option('--dry-run', 'only print what would be done')
    .action(async ({ dryRun }: { dryRun?: boolean }, command: Command) => {
      const options = gatherOptions<ConnectionOptions>(command);
      const client = await connect(options, terminal);
      const result = await client.call(dryRun === true ? 'planReload' : 'reload', {});
      const { entries } = result;
      const table = entries.length === 0 ? '  Nothing to change\n' : formatTable(COLUMNS, entries);
      terminal.print(options.json === true ? formatJson(result) : table);
      const failures = entries.filter(({ error }) => error !== null);
      for (const { what, error } of failures) terminal.complain(`  ${escapeSentence(`${what}: ${error}`)}\n`);
      if (failures.length > 0) throw new ReportedFailure(1);
    });
}

export function addSave(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'save', 'write the running state as a configuration file', [
    'save > etherws.yaml',
    'save /etc/etherws/etherws.yaml',
  ])
    .argument('[FILE]', 'file of this host, of mode 0600 if it is new; - or none: standard output', '-')
    .action(async (file: string, _options: object, command: Command) => {
      const options = gatherOptions<ConnectionOptions>(command);
      const client = await connect(options, terminal);
      const result = await client.call('getConfig', {});
      if (options.json === true) {
        terminal.print(formatJson(result));
        return;
      }
      for (const { text, omissions } of result.entries) {
        if (file === '-') terminal.print(text);
        else await write(file, text);
        for (const omission of omissions) terminal.complain(`  ${escapeSentence(omission)}\n`);
      }
    });
}

async function write(file: string, text: string): Promise<void> {
  const { stat } = await import('node:fs/promises');
  const { replaceFile } = await import('../../runtime/replace-file.ts');
  const before = await stat(file, { bigint: true }).catch(() => undefined);
  await replaceFile(file, text, before);
}
