import type { Command } from '../commander.ts';
import { findingLines } from '../finding-lines.ts';
import { EXIT_FAILURE, ReportedFailure } from '../report.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, perform } from './leaf.ts';

/** `etherws ctl doctor`. */
export function addDoctor(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'doctor', 'examine the running switch and its host', ['doctor', 'doctor --json']).action(
    async (_options: object, command: Command) => {
      let isFailed = false;
      await perform(command, terminal, {
        method: 'listFinding',
        params: {},
        noted: (entries) => {
          isFailed = entries.some(({ result }) => result === 'fail');
        },
        table: (entries) => entries.map((finding) => findingLines(finding, terminal)).join(''),
      });
      // Every result is printed; the status is for scripts, as of etherws doctor.
      if (isFailed) throw new ReportedFailure(EXIT_FAILURE);
    },
  );
}
