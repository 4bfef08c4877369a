/*
 * `npm run demo`: shows on this machine, in a minute, what etherws does.
 *
 * With network namespaces and TAP devices it sets up two hosts by the commands
 * of the README. Without them it does the same with two switches of the library, which
 * have in-memory ports and a WebSocket tunnel between them.
 */
import { describeError, EtherwsError } from '../src/errors.ts';
import { nativeAddon } from '../src/native/addon.ts';
import { Lab, LabUnavailable } from '../test/support/namespaces.ts';
import { missingTapDevice } from '../test/support/tools.ts';
import { Narrator } from './narrator.ts';
import { joinTwoHosts } from './two-hosts.ts';

const narrator = new Narrator(process.stdout);
let lab: Lab | undefined;

async function main(): Promise<void> {
  narrator.title('etherws: a virtual Ethernet switch whose ports are TAP devices and WebSockets');
  try {
    lab = await openTapLab();
  } catch (error) {
    if (!(error instanceof LabUnavailable || error instanceof EtherwsError)) throw error;
    narrator.note(`No hosts can be made here: ${describeError(error)}. The same in memory:`);
    const { joinInMemory } = await import('./in-memory.ts');
    await joinInMemory(narrator);
    return;
  }
  await joinTwoHosts(lab, narrator);
}

/** @throws LabUnavailable, or EtherwsError ADDON_MISSING */
function openTapLab(): Promise<Lab> {
  const missing = missingTapDevice();
  if (missing !== false) throw new LabUnavailable(missing);
  nativeAddon();
  return Lab.open();
}

/** Closing the lab ends all programs on its hosts, in any state of the demo. */
async function cleanUp(): Promise<void> {
  await lab?.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    narrator.failed(`${signal}: cleaning up`);
    void cleanUp().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  });
}

// A reader may stop early (`npm run demo | head`).
process.stdout.on('error', () => void cleanUp().then(() => process.exit(1)));

try {
  await main();
} catch (error) {
  narrator.failed(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await cleanUp();
}
