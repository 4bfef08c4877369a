/**
 * Measures how smooth the picture of the topology is in Chromium, with the most nodes that it draws:
 *
 *   node dist/bench/programs/console-topology.js [PORTS] [STATIONS]
 *
 * A switch with 500 ports has four stations behind each; at 120 of them LLDP finds a switch. The counters of all ports change each
 * second. Prints how many nodes are drawn, how long the layout takes until nothing moves, and the longest tasks of the page's
 * main thread, by processor time and by the clock: while it is laid out, while a switch is dragged for 10 s, and while the
 * picture is zoomed and moved for 10 s. A frame waits for one task at most. The switch and the browser share the machine.
 */
import { chromium, type Page } from 'playwright-core';
import { Switch } from '../../src/networks/switch.ts';
import { RunningSwitch } from '../../src/networks/switch-control.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { lldpFrame } from '../../src/wire/lldp/frame.ts';
import { CAPABILITY_BRIDGE } from '../../src/wire/lldp/lldpdu.ts';
import { summaryOf, tasksDuring } from './main-thread-tasks.ts';
import { serveConsole } from './serve-console.ts';

/** As many as the picture draws singly without being asked for. */
const NEIGHBORS = 120;
const USE_MS = 10_000;
const VIEWPORT = { width: 1440, height: 900 };

function frame(station: number): Buffer {
  const octets = Buffer.alloc(1000);
  // To itself: a frame that teaches its source, and goes nowhere.
  octets.writeUIntBE(0x020000000000 + station, 0, 6);
  octets.writeUIntBE(0x020000000000 + station, 6, 6);
  octets.writeUInt16BE(0x0800, 12);
  return octets;
}

function announcement(neighbor: number): Buffer {
  const address = 0x02_00_77_00_00_00 + neighbor;
  return lldpFrame(address as MacAddress, {
    chassisId: { subtype: 4, octets: Buffer.from(address.toString(16).padStart(12, '0'), 'hex') },
    portId: { subtype: 5, octets: Buffer.from('ge-0/0/24') },
    ttlSeconds: 3600,
    systemName: `switch-${neighbor}`,
    capabilities: { supported: CAPABILITY_BRIDGE, enabled: CAPABILITY_BRIDGE },
  });
}

/** Adds ports with stations behind them. @returns lets a second pass */
function crowd(etherSwitch: Switch, ports: number, stations: number): () => void {
  const all = Array.from({ length: ports }, (_, index) => {
    const port = new MemoryPort();
    etherSwitch.attach(port, { name: `port-${index + 1}`, values: { storm: 'none' } });
    return port;
  });
  for (let at = 0; at < Math.min(ports, NEIGHBORS); at++) all[at]?.deliver(announcement(at));
  for (let station = 0; station < stations; station++) all[station % ports]?.deliver(frame(station));
  return () => {
    for (let port = 0; port < ports; port++) all[port]?.deliver(frame(port));
  };
}

const PICTURE = '.topology-picture';

function settled(page: Page): Promise<void> {
  return page.locator(`${PICTURE}[aria-busy="false"]`).waitFor({ timeout: 120_000 });
}

/** The middle of a node on the screen. */
async function placeOf(page: Page, selector: string): Promise<{ x: number; y: number }> {
  const box = await page.locator(selector).first().locator('.topology-body').first().boundingBox();
  if (box === null) throw new Error(`${selector} is not drawn`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Leads something in circles around a place. */
async function circle(
  { x, y }: { x: number; y: number },
  step: (x: number, y: number) => Promise<void>,
): Promise<void> {
  const startMs = performance.now();
  for (let turn = 0; performance.now() - startMs < USE_MS; turn++) {
    await step(x + 120 * Math.cos(turn / 8), y + 90 * Math.sin(turn / 8));
  }
}

async function main(ports: number, stations: number): Promise<void> {
  const etherSwitch = new Switch({ fdbCapacity: Math.max(stations, ports) });
  etherSwitch.network('default').configure({ lldp: 'on' });
  const service = new RunningSwitch(etherSwitch, () => Promise.reject(new Error('none')));
  const second = crowd(etherSwitch, ports, stations);
  const { url, close } = await serveConsole(service);
  const timer = setInterval(second, 1000);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.goto(`${url}#/ports`);
  await page.locator('.table-row').first().waitFor();

  let layoutMs = 0;
  const layout = await tasksDuring(browser, page, async () => {
    await page.evaluate("location.hash = '#/topology'");
    await page.locator(PICTURE).waitFor();
    const startMs = performance.now();
    await settled(page);
    layoutMs = performance.now() - startMs;
  });
  const nodes = await page.locator('[data-node]').count();
  console.log(`${ports} ports, ${stations} stations: ${nodes} nodes are drawn`);
  console.log(`layout: settled after ${layoutMs.toFixed(0)} ms; ${summaryOf(layout)}`);

  const dragged = await tasksDuring(browser, page, async () => {
    const from = await placeOf(page, '.topology-neighbor');
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await circle(from, (x, y) => page.mouse.move(x, y));
    await page.mouse.up();
  });
  console.log(`dragged: ${summaryOf(dragged)}`);

  await settled(page);
  const zoomed = await tasksDuring(browser, page, async () => {
    const middle = { x: VIEWPORT.width / 2, y: VIEWPORT.height / 2 };
    let turn = 0;
    await circle(middle, async (x, y) => {
      await page.mouse.move(x, y);
      await page.mouse.wheel(0, Math.floor(turn++ / 20) % 2 === 0 ? -60 : 60);
    });
  });
  console.log(`zoomed: ${summaryOf(zoomed)}`);

  await browser.close();
  clearInterval(timer);
  close();
  await etherSwitch.close();
}

const [ports = '500', stations = '2000'] = process.argv.slice(2);
await main(Number(ports), Number(stations));
