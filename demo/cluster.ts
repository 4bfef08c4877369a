/*
 * `npm run demo:cluster`: three nodes of a cluster and a laptop on this machine, in network namespaces, by the commands of
 * the README. It kills a node while the laptop pings. On a terminal it then stays until Enter or Ctrl-C, and prints what to try.
 */
import { createInterface } from 'node:readline';
import { describeError, EtherwsError } from '../src/errors.ts';
import { type Lab, LabUnavailable } from '../test/support/namespaces.ts';
import { Narrator } from './narrator.ts';
import { openDemoLab, runDemo } from './run-demo.ts';
import { joinThreeNodes, tellWhatToTry } from './three-nodes.ts';

const TOOLS = ['nats-server', 'curl', 'ping', 'nft'];
const narrator = new Narrator(process.stdout);
let lab: Lab | undefined;

async function main(): Promise<void> {
  narrator.title('etherws: one Ethernet over three nodes, of which any may die');
  try {
    lab = await openDemoLab(...TOOLS);
  } catch (error) {
    if (!(error instanceof LabUnavailable || error instanceof EtherwsError)) throw error;
    narrator.failed(`The demo cannot run here: ${describeError(error)}`);
    process.exitCode = 1;
    return;
  }
  const hosts = await joinThreeNodes(lab, narrator);
  if (process.stdin.isTTY !== true) return;
  tellWhatToTry(hosts, narrator);
  narrator.note('Enter ends the demo, and removes everything.');
  const lines = createInterface({ input: process.stdin });
  await new Promise((resolve) => lines.once('line', resolve).once('close', resolve));
  lines.close();
}

await runDemo(narrator, main, () => lab);
