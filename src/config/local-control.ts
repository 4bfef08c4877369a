import type { SwValues } from '../schema/sw-options.ts';
import type { NamedFiles } from './named-files.ts';

/** How users of this host reach the control API, and which of them are authorized without credentials. */
export interface LocalControl {
  /** the path of the Unix socket to create; undefined: none */
  readonly socketPath: string | undefined;
  /** A listening Unix socket to be used instead of a new one. */
  readonly socketDescriptor?: number;
  /** the group whose members are authorized, beside root and the switch's own user */
  readonly group: string | undefined;
  /** All users of the host are authorized, as in 1.x. */
  readonly isForAnybody: boolean;
  /** false: the API is served on the Unix socket only */
  readonly hasTcp: boolean;
}

export function localControl({ control = {} }: SwValues, files: NamedFiles): LocalControl {
  const { group, anybody = false, tcp = true } = control;
  return { socketPath: files.at('control', 'socket'), group, isForAnybody: anybody, hasTcp: tcp };
}
