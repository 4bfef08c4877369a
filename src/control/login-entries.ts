import { atLeast } from '../schema/table.ts';
import { anyText, integer } from '../schema/types.ts';
import type { Caller } from './caller-check.ts';
import { type EntryOf, method, noParams } from './entries.ts';

/** A one-time login to the console, with the rights of its caller. */
export const loginEntry = atLeast({
  /** opens one session of the console */
  code: anyText,
  expiresSeconds: integer(1),
  /** of the console, as the switch knows its own address; ends with `/` */
  url: anyText,
  /** the path of the control API at that address: behind a proxy the console is beside it */
  controlPath: anyText,
});
export type LoginEntry = EntryOf<typeof loginEntry>;

export const LOGIN_METHODS = {
  createLogin: method('Makes a code that logs a browser in to the console once.', noParams, loginEntry),
} as const;

/** Makes one-time logins. */
export interface OneTimeLogins {
  create(caller: Caller): LoginEntry;
}
