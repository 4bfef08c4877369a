import { UNDERLAY } from '../lab/lab.ts';
import type { Bench } from '../measurement.ts';

const CONNECT_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;

/** Open WebSocket connections to the contestant's server side that send nothing. */
export interface IdleClients {
  /** The number of messages that all of them have received. */
  receivedMessages(): Promise<number>;
  close(): Promise<void>;
}

/** Resolves when all are connected. The contestant must have a `webSocketPort`. */
export async function connectIdleClients(bench: Bench, count: number): Promise<IdleClients> {
  const port = String(bench.contestant.webSocketPort);
  const program = bench.lab.start('client', [bench.programs.idleClients, UNDERLAY.server, port, String(count)]);
  await program.printed('ready', CONNECT_TIMEOUT_MS);
  return {
    receivedMessages: async () => Number(await program.ask('count')),
    close: async () => {
      await program.finish(END_TIMEOUT_MS);
    },
  };
}
