/*
 * `npm run demo`: what etherws is for, on this machine, in a minute.
 *
 * With network namespaces and TAP devices: two hosts, set up with the commands
 * of the README. Without: the same between two switches of the library, joined
 * by a real WebSocket, with in-memory ports.
 */
import { Lab, LabUnavailable } from '../test/support/namespaces.ts';
import { missingTapDevice } from '../test/support/tools.ts';
import { Narrator } from './narrator.ts';
import { joinTwoHosts } from './two-hosts.ts';

const narrator = new Narrator(process.stdout);
let lab: Lab | undefined;

async function main(): Promise<void> {
  narrator.title('etherws: a virtual Ethernet switch whose ports are TAP devices and WebSockets');
  const missing = missingTapDevice();
  try {
    if (missing !== false) throw new LabUnavailable(missing);
    lab = await Lab.open();
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    narrator.note(`No hosts can be made here: ${error.message}. The same in memory:`);
    const { joinInMemory } = await import('./in-memory.ts');
    await joinInMemory(narrator);
    return;
  }
  await joinTwoHosts(lab, narrator);
}

/** Everything that runs on the hosts ends with the laboratory, whatever state it is in. */
async function cleanUp(): Promise<void> {
  await lab?.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    narrator.failed(`${signal}: cleaning up`);
    void cleanUp().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  });
}

try {
  await main();
} catch (error) {
  narrator.failed(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await cleanUp();
}
