import type { SwValues } from '../schema/sw-options.ts';
import type { NamedFiles } from './named-files.ts';

/** How users of this host reach the control API, and which of them it obeys without credentials. */
export interface LocalControl {
  /** where a Unix socket is made */
  readonly socketPath: string | undefined;
  /** A listening Unix socket to be used in place of one that is made. */
  readonly socketDescriptor?: number;
  /** whose members are obeyed, beside root and the switch's own user */
  readonly group: string | undefined;
  /** Every user of the host is obeyed, as by 1.x. */
  readonly isForAnybody: boolean;
  /** false: the Unix socket is the only way in */
  readonly hasTcp: boolean;
}

export function localControl({ control = {} }: SwValues, files: NamedFiles): LocalControl {
  const { group, anybody = false, tcp = true } = control;
  return { socketPath: files.at('control', 'socket'), group, isForAnybody: anybody, hasTcp: tcp };
}
