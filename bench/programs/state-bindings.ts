/**
 * Measures how long the event loop of a switch is kept by the file of its state, with many bindings of IP addresses of which one
 * changes all the time:
 *
 *   node dist/bench/programs/state-bindings.js [PORTS] [BINDINGS OF EACH] [SECONDS]
 *
 * Tells the longest turn of the loop, the processor time, and the number of writes.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptBindings } from '../../src/daemon/kept-bindings.ts';
import { Switch } from '../../src/networks/switch.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { StateFile } from '../../src/runtime/state-file.ts';
import { parseMacAddress } from '../../src/wire/ethernet/mac-address.ts';

const HOUR_MS = 3_600_000;
const LOOK_MS = 1;

async function main(ports: number, ofEach: number, seconds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-state-'));
  const path = join(directory, 'state');
  const etherSwitch = new Switch({});
  const state = await StateFile.open(path);
  const kept = new KeptBindings(state, etherSwitch);
  for (let port = 0; port < ports; port++) etherSwitch.attach(new MemoryPort());
  const bind = (index: number): void => {
    for (const { bridge } of etherSwitch.networks) {
      bridge.sourceGuard.bindings.add({
        port: ((index % ports) + 1) as never,
        kind: 'dhcp',
        address: String.fromCharCode(10, (index >> 16) & 255, (index >> 8) & 255, index & 255),
        mac: parseMacAddress(
          `02:00:00:${[16, 8, 0].map((bits) => ((index >> bits) & 255).toString(16).padStart(2, '0')).join(':')}`,
        ),
        vid: 0 as never,
        untilMs: performance.now() + HOUR_MS,
      });
    }
  };
  for (let index = 0; index < ports * ofEach; index++) bind(index);
  kept.started();
  // The first write is that of the start.
  await state.write();

  let writes = 0;
  let inode = statSync(path).ino;
  let longestMs = 0;
  let lastMs = performance.now();
  let turn = 0;
  const before = process.cpuUsage();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (++turn % 100 !== 0) return;
    bind(turn % (ports * ofEach));
    const { ino } = statSync(path);
    if (ino !== inode) writes++;
    inode = ino;
  }, LOOK_MS);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  clearInterval(timer);
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${ports * ofEach} bindings, ${(statSync(path).size / 2 ** 20).toFixed(1)} MiB, ${seconds} s with changes all the time:`,
  );
  console.log(
    `longest turn of the loop ${longestMs.toFixed(1)} ms, processor ${((user + system) / 1000 / seconds).toFixed(1)} ms/s, ${writes} writes`,
  );
  await state.close();
  await etherSwitch.close();
  rmSync(directory, { recursive: true });
}

const [ports = '500', ofEach = '160', seconds = '20'] = process.argv.slice(2);
await main(Number(ports), Number(ofEach), Number(seconds));
