import type { Caller } from '../control/caller-check.ts';
import { hashOf, newSecret } from './secrets.ts';

export interface SessionsOptions {
  /** Whether a page of the session has a WebSocket: such a session is not idle. */
  readonly isInUse: (caller: Caller) => boolean;
  /** Called once with each session that ends. */
  readonly onEnd: (caller: Caller) => void;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

interface Session {
  /** as EventConnections know it */
  readonly caller: Caller;
  readonly endsMs: number;
  readonly uid: number | undefined;
  usedMs: number;
}

/** Limit of all sessions; beyond it the one that has been idle longest ends. */
const MOST_SESSIONS = 1024;
/** Limit of one user's sessions, so that its logins cannot end those of others. */
const MOST_OF_A_USER = 32;
/** A session ends when it has had no request and no WebSocket for so long. */
const IDLE_MS = 60 * 60_000;
/** A session ends after this time in any case, or with the token that it was opened by. */
const LIFETIME_MS = 7 * 24 * 60 * 60_000;
const SWEEP_INTERVAL_MS = 60_000;

/** The sessions of browsers that have logged in. An id is known to the browser only; here is its hash. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #now: () => number;
  /** by the hash of the id, the least recently used first */
  readonly #sessions = new Map<string, Session>();
  /** the logins of sessions, by the callers of the sessions */
  readonly #logins = new WeakMap<Caller, Caller>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Opens a session with a new id.
   * @param login the caller that has shown credentials
   * @param uid the user of this host whose browser it is; undefined: it is elsewhere, or unknown
   * @returns the id; it is not kept
   */
  open(login: Caller, uid?: number): string {
    this.#makeRoom(login.user);
    const id = newSecret();
    const key = hashOf(id);
    const nowMs = this.#now();
    const endsMs = Math.min(login.untilMs ?? Number.POSITIVE_INFINITY, nowMs + LIFETIME_MS);
    const isStillValid = async (): Promise<boolean> =>
      this.#sessions.has(key) && ((await login.isStillValid?.()) ?? true);
    const caller: Caller = { user: login.user, untilMs: endsMs, isStillValid };
    this.#sessions.set(key, { caller, endsMs, uid, usedMs: nowMs });
    this.#logins.set(caller, { ...login, untilMs: endsMs });
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
    return id;
  }

  /**
   * The caller of a session, always the same object. A session whose credentials are not valid any more ends.
   * @param uid as of `open`. Browsers send a cookie to all ports of a host, so a program of another user may have got it
   * @returns undefined if there is no such session. Never rejects
   */
  async callerOf(id: string, uid?: number): Promise<Caller | undefined> {
    const key = hashOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined || (session.uid !== undefined && session.uid !== uid)) return undefined;
    if (this.#hasExpired(session) || !((await session.caller.isStillValid?.()) ?? true)) {
      this.#end(key);
      return undefined;
    }
    // It may have ended while its credentials were checked.
    if (!this.#sessions.delete(key)) return undefined;
    session.usedMs = this.#now();
    this.#sessions.set(key, session);
    return session.caller;
  }

  /** The login behind the caller of a session, which outlives the session, but not its time; else the caller itself. */
  loginOf(caller: Caller): Caller {
    return this.#logins.get(caller) ?? caller;
  }

  /** Whether `callerOf` returned this caller. */
  knows(caller: Caller): boolean {
    return this.#logins.has(caller);
  }

  /** Ends a session, if there is one with this id. */
  end(id: string): void {
    this.#end(hashOf(id));
  }

  close(): void {
    for (const key of [...this.#sessions.keys()]) this.#end(key);
  }

  #hasExpired({ caller, endsMs, usedMs }: Session): boolean {
    const nowMs = this.#now();
    if (nowMs >= endsMs) return true;
    return nowMs - usedMs >= IDLE_MS && !this.#options.isInUse(caller);
  }

  #sweep(): void {
    for (const [key, session] of [...this.#sessions]) {
      if (this.#options.isInUse(session.caller)) session.usedMs = this.#now();
      if (this.#hasExpired(session)) this.#end(key);
    }
  }

  #makeRoom(user: string | null): void {
    const all = [...this.#sessions];
    const own = all.filter(([, { caller }]) => caller.user === user);
    const full = own.length >= MOST_OF_A_USER ? own : all.length >= MOST_SESSIONS ? all : [];
    const [key] = full.find(([, { caller }]) => !this.#options.isInUse(caller)) ?? full[0] ?? [];
    if (key !== undefined) this.#end(key);
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    if (this.#sessions.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#options.onEnd(session.caller);
  }
}
