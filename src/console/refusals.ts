import type { Refusal } from '../control/request-guard.ts';

/** What the console refuses beside what the control API refuses. */

export const WRONG_CODE: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'The one-time code is wrong, was used, or has expired',
  hint: 'A code works once, within a minute: make another one with etherws ctl console',
};

/** The control API names options of `etherws ctl` here, which the user of a page does not have. */
export const WRONG_LOGIN: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'The user, the password or the token is wrong',
  hint: 'Check them, or log in by etherws ctl console',
};

export const NO_PAGE: Refusal = {
  status: 404,
  code: 'REQUEST_REFUSED',
  message: 'The console has no such page',
  hint: 'It begins at console/',
};

export const NOT_BUILT: Refusal = {
  status: 503,
  code: 'CONSOLE_UNAVAILABLE',
  message: 'The pages of the console are missing in this installation of etherws',
  hint: 'Install the package, or make them with npm run build; nothing else of the switch needs them',
};

export const NO_WEBSOCKET: Refusal = {
  status: 426,
  code: 'REQUEST_REFUSED',
  message: 'Here pages of the console open a WebSocket',
  hint: 'Scripts use the control API, by default at /ctl',
};

/** By the outcome of reading a body. */
export const OF_BODY: Readonly<Record<'tooLong' | 'tooSlow' | 'noRoom', Refusal>> = {
  tooLong: {
    status: 413,
    code: 'REQUEST_REFUSED',
    message: 'The body of a login is at most 16 KiB',
    hint: 'Check the token',
  },
  tooSlow: {
    status: 408,
    code: 'REQUEST_REFUSED',
    message: 'The body did not arrive in time',
    hint: 'Check Content-Length and the network',
  },
  noRoom: {
    status: 503,
    code: 'REQUEST_REFUSED',
    message: 'The buffers of this switch are full',
    hint: 'Try again in a moment; --max-buffers is their bound',
  },
};
