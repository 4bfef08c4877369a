import { type Signal, signal } from '@preact/signals';
import type { RateEntry } from '../../../../src/control/rate-entries.ts';
import { call } from '../../live/live.ts';
import { RateHistory } from '../../live/rate-history.ts';
import { may } from '../../session.ts';
import type { Port } from './port-text.ts';

/*
 * The rates of the ports in the last minute. The switch keeps them, and is asked once for each port that is shown; from then on
 * they come with the table.
 */

/** One sample a second, as the switch has them. */
const SAMPLES = 60;
const SAMPLE_MS = 1000;
/** The ports of all rows that are shown at once are in one call; the switch takes 256. */
const GATHER_MS = 20;
const MOST_OF_A_CALL = 128;

export const history: RateHistory = new RateHistory(SAMPLES);
/** Counts the samples, so that only the visible curves are drawn again. */
export const samples: Signal<number> = signal(0);

/** The ports whose past has come or is on its way. */
const asked = new Map<number, Promise<void>>();
let gathered: { readonly ports: number[]; readonly done: Promise<void> } | undefined;

/** Asks for the past of a port, unless it is there. Resolves when `history` has it, or the switch has none. Never rejects. */
export function wantPast(port: number): Promise<void> {
  const known = asked.get(port);
  if (known !== undefined || !may('listRate')) return known ?? Promise.resolve();
  if (gathered === undefined || gathered.ports.length >= MOST_OF_A_CALL) {
    const ports: number[] = [];
    gathered = { ports, done: new Promise((resolve) => setTimeout(resolve, GATHER_MS)).then(() => ask(ports)) };
  }
  gathered.ports.push(port);
  asked.set(port, gathered.done);
  return gathered.done;
}

async function ask(ports: readonly number[]): Promise<void> {
  if (gathered?.ports === ports) gathered = undefined;
  try {
    for (const { port, rxBitRates, txBitRates } of await call<RateEntry>('listRate', { ports })) {
      history.fill(String(port), rxBitRates, txBitRates);
    }
    samples.value++;
  } catch {
    // The connection is lost, or the policy has changed: the next curve that is drawn asks again.
    for (const port of ports) asked.delete(port);
  }
}

/** Takes a sample a second of the table. @returns ends that */
export function samplePorts(rows: () => ReadonlyMap<string, Port>): () => void {
  const forget = (): void => asked.clear();
  const timer = setInterval(() => {
    history.sample(rows());
    samples.value++;
  }, SAMPLE_MS);
  // The timers of a hidden page are slow.
  document.addEventListener('visibilitychange', forget);
  return () => {
    clearInterval(timer);
    // What was kept would have a gap where the view was not shown.
    history.sample(new Map());
    forget();
    document.removeEventListener('visibilitychange', forget);
  };
}
