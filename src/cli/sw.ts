import { Command } from 'commander';
import { EtherwsError } from '../errors.ts';

/** `etherws sw`. */
export function swCommand(): Command {
  return new Command('sw').description('run a switch').action(() => {
    throw new EtherwsError('DAEMON_FAILED', 'The switch is not part of this build');
  });
}
