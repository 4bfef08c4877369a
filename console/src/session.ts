import { type Signal, signal } from '@preact/signals';
import { here } from './here.ts';

/*
 * The user that is logged in, and what it may do. The switch keeps the session by a cookie that the page cannot read.
 */

export interface Session {
  /** null for a local caller without credentials */
  readonly user: string | null;
  /** the methods of the control API that this user may call, without prefix */
  readonly methods: readonly string[];
  readonly version: string;
  /** the name of the switch */
  readonly name: string;
  /** whether there is a login to end; a caller without one has none */
  readonly canLogOut: boolean;
}

/** What a user logs in with. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  | { readonly code: string };

/** `asking`: not known yet; `out`: the login is shown; `unreachable`: the switch does not answer */
export type SessionState = 'asking' | 'in' | 'out' | 'unreachable';

export const session: Signal<Session | null> = signal(null);
export const sessionState: Signal<SessionState> = signal('asking');
/** The kinds of credentials that the switch takes. */
export const wants: Signal<readonly string[]> = signal([]);

/** Why the switch refuses a session to which credentials would not help; null: it does not. */
export const refusal: Signal<string | null> = signal(null);

/** Whether the user may call a method. Buttons are only shown if so; the switch checks each call anyway. */
export function may(method: string): boolean {
  return session.value?.methods.includes(method) ?? false;
}

/** Whether the user may call any method; if not, the switch refuses the WebSocket as well. */
export function mayAnything(): boolean {
  return session.value === null || session.value.methods.length > 0;
}

/** The switch has answered, but not as hoped. */
export class SessionError extends Error {}

/**
 * Asks the switch for the session, and sets the signals.
 * @returns whether there is one
 * @throws TypeError if the switch does not answer; SessionError if what answers is not the console
 */
export async function askSession(): Promise<boolean> {
  const response = await fetch(here('session'), { headers: { Accept: 'application/json' } });
  const answer = await bodyOf(response);
  if (response.ok) {
    session.value = answer as unknown as Session;
    sessionState.value = 'in';
    return true;
  }
  const { wants: wanted } = answer;
  // Something in front of the switch may answer, too.
  if (!Array.isArray(wanted)) throw new SessionError(sentenceOf(response, answer));
  session.value = null;
  wants.value = wanted as string[];
  refusal.value = response.status === 401 ? null : sentenceOf(response, answer);
  sessionState.value = 'out';
  return false;
}

/** @throws SessionError with a sentence for the user; TypeError if the switch does not answer */
export async function login(credentials: Credentials): Promise<void> {
  const response = await post('login', credentials);
  if (!response.ok) throw new SessionError(sentenceOf(response, await bodyOf(response)));
  await askSession();
}

export async function logout(): Promise<void> {
  await post('logout', {});
  session.value = null;
  await askSession();
}

/** Takes the code of `#login=CODE` out of the address, so that neither history nor bookmarks keep it. */
export function takeLoginCode(): string | undefined {
  const code = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (code === undefined) return undefined;
  history.replaceState(null, '', here('.'));
  try {
    return decodeURIComponent(code);
  } catch {
    // No code has such an address; the login is shown.
    return undefined;
  }
}

function post(path: string, body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  return fetch(here(path), { method: 'POST', headers, body: JSON.stringify(body) });
}

async function bodyOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function sentenceOf(response: Response, { error, hint }: Readonly<Record<string, unknown>>): string {
  const said = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  if (typeof said !== 'string') return `The switch answered ${response.status} ${response.statusText}`;
  return typeof hint === 'string' ? `${said}. ${hint}` : said;
}
