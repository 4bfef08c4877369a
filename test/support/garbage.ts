import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects garbage until `isDone`, or for a hundred turns. */
export async function collectUntil(isDone: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turns = 0; turns < 100 && !isDone(); turns++) {
    collect();
    await turn();
  }
}
