import { createRequire } from 'node:module';
import type * as commander from 'commander';

/**
 * Commander, by `require`: to `import` a CommonJS package, Node loads its lexer and searches the files of the package
 * for the names that they export, which takes some 2 % of the processor time of `etherws ctl listport`.
 */
export const { Command, CommanderError, InvalidArgumentError, Option } = createRequire(import.meta.url)(
  'commander',
) as typeof commander;
export type Command = commander.Command;
export type Option = commander.Option;
