/*
 * `npm run demo`: shows on this machine, in a minute, what etherws does.
 *
 * With network namespaces and TAP devices it sets up two hosts by the commands
 * of the README. Without them it does the same with two switches of the library, which
 * have in-memory ports and a WebSocket tunnel between them.
 */
import { describeError, EtherwsError } from '../src/errors.ts';
import { type Lab, LabUnavailable } from '../test/support/namespaces.ts';
import { Narrator } from './narrator.ts';
import { openDemoLab, runDemo } from './run-demo.ts';
import { joinTwoHosts } from './two-hosts.ts';

const narrator = new Narrator(process.stdout);
let lab: Lab | undefined;

async function main(): Promise<void> {
  narrator.title('etherws: a virtual Ethernet switch whose ports are TAP devices and WebSockets');
  try {
    lab = await openDemoLab();
  } catch (error) {
    if (!(error instanceof LabUnavailable || error instanceof EtherwsError)) throw error;
    narrator.note(`No hosts can be made here: ${describeError(error)}. The same in memory:`);
    const { joinInMemory } = await import('./in-memory.ts');
    await joinInMemory(narrator);
    return;
  }
  await joinTwoHosts(lab, narrator);
}

await runDemo(narrator, main, () => lab);
