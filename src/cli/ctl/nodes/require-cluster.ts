import type { Command } from '../../commander.ts';
import { UsageError } from '../../usage-error.ts';
import { type ConnectionOptions, gatherOptions } from '../connection.ts';

/** @throws UsageError without `--cluster`, for a command that is about what all nodes share */
export function requireCluster(command: Command): void {
  if (gatherOptions<ConnectionOptions>(command).cluster === true) return;
  const name = command.name();
  throw new UsageError(`${name} is about what the nodes of a cluster share`, `Say so: etherws ctl --cluster ${name} …`);
}
