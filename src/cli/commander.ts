import { createRequire } from 'node:module';
import type * as commander from 'commander';

/**
 * Commander by `require`. To `import` a CommonJS package, Node loads a lexer and searches the package's files for
 * exported names, which takes about 2 % of the processor time of `etherws ctl listport`.
 */
export const { Argument, Command, CommanderError, InvalidArgumentError, Option } = createRequire(import.meta.url)(
  'commander',
) as typeof commander;
export type Command = commander.Command;
export type Option = commander.Option;
