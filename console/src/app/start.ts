import { effect, untracked } from '@preact/signals';
import { connection } from '../live/live.ts';
import { startClock } from '../parts/time.ts';
import { followHash, route } from '../router.ts';
import { askSession, login, mayAnything, session, sessionState, takeLoginCode } from '../session.ts';
import { startFeed } from '../views/events/feed.ts';
import { VIEWS } from '../views.ts';
import { loginFailure } from './login.tsx';

/** How long to wait for the switch to answer before the session is asked for again. */
const RETRY_MS = 3000;

/** Asks for the session, and keeps the connection open while there is one. */
export async function start(): Promise<void> {
  const code = takeLoginCode();
  followHash();
  startClock();
  loadAhead();
  startFeed(connection);
  effect(() => {
    const state = sessionState.value;
    if (state === 'in' && untracked(mayAnything)) connection.open();
    else if (state === 'in' || state === 'out') connection.close();
  });
  if (code === undefined) await ask();
  else await loginByCode(code);
}

/** Loads the view of the address while the session is asked for. A failure is shown when the view is. */
function loadAhead(): void {
  const view = VIEWS.find(({ id }) => id === route.value.view) ?? VIEWS[0];
  view?.load().catch(() => undefined);
}

/** A code logs in where no login is: a link of another site could put its own user in the place of the one at work. */
async function loginByCode(code: string): Promise<void> {
  await ask();
  if (session.value?.canLogOut === true) return;
  try {
    await login({ code });
  } catch (error) {
    loginFailure.value = error instanceof Error ? error.message : String(error);
  }
}

async function ask(): Promise<void> {
  try {
    await askSession();
  } catch {
    sessionState.value = 'unreachable';
    setTimeout(() => void ask(), RETRY_MS);
  }
}
