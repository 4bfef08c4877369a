/**
 * Measures how smooth the ports and the stations of the console are in Chromium, with many of them:
 *
 *   node dist/bench/programs/console-frames.js [PORTS] [STATIONS]
 *
 * The counters of all ports change each second, and one of 16 stations is seen. For each view: the time until the first paint and
 * the first rows, and while the table is scrolled for 10 s by its keyboard and its wheel, the longest tasks of the page's main
 * thread, by processor time and by the clock. A frame waits for one task at most. The switch and the browser share the machine.
 */
import { type Browser, chromium, type Page } from 'playwright-core';
import { Switch } from '../../src/networks/switch.ts';
import { RunningSwitch } from '../../src/networks/switch-control.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { summaryOf, tasksDuring } from './main-thread-tasks.ts';
import { serveConsole } from './serve-console.ts';

const SEEN_SHARE = 16;
const SCROLL_MS = 10_000;

function frame(destination: number, source: number): Buffer {
  const octets = Buffer.alloc(1000);
  octets.writeUIntBE(0x020000000000 + destination, 0, 6);
  octets.writeUIntBE(0x020000000000 + source, 6, 6);
  octets.writeUInt16BE(0x0800, 12);
  return octets;
}

/** Adds ports with stations behind them. @returns lets a second pass */
function crowd(etherSwitch: Switch, ports: number, stations: number): () => void {
  const all = Array.from({ length: ports }, (_, index) => {
    const port = new MemoryPort();
    etherSwitch.attach(port, { name: `port-${index + 1}`, values: { storm: 'none' } });
    return port;
  });
  // To itself: a frame that teaches its source, and goes nowhere.
  const see = (station: number): void => all[station % ports]?.deliver(frame(station, station));
  for (let station = 0; station < stations; station++) see(station);
  let turn = 0;
  return () => {
    for (let station = turn++ % SEEN_SHARE; station < stations; station += SEEN_SHARE) see(station);
    for (let port = 0; port < ports; port++) see(port);
  };
}

/** Scrolls a table by its keyboard and its wheel. */
async function scroll(page: Page, label: string): Promise<void> {
  await page.getByRole('grid', { name: label }).focus();
  for (const untilMs = performance.now() + SCROLL_MS; performance.now() < untilMs; ) {
    await page.mouse.wheel(0, 400);
    await page.keyboard.press('PageDown');
  }
}

async function measure(browser: Browser, page: Page, url: string, view: string, label: string): Promise<void> {
  await page.goto('about:blank');
  const startMs = performance.now();
  await page.goto(`${url}#/${view}`);
  await page.getByRole('grid', { name: label }).getByRole('row').nth(2).waitFor();
  const firstMs = performance.now() - startMs;
  const paintMs = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
  await page.mouse.move(600, 400);
  const tasks = await tasksDuring(browser, page, () => scroll(page, label));
  console.log(
    `${view}: first paint after ${paintMs.toFixed(0)} ms, first rows after ${firstMs.toFixed(0)} ms; ` +
      summaryOf(tasks),
  );
}

async function main(ports: number, stations: number): Promise<void> {
  const etherSwitch = new Switch({ fdbCapacity: Math.max(stations, ports) });
  const service = new RunningSwitch(etherSwitch, () => Promise.reject(new Error('none')));
  const second = crowd(etherSwitch, ports, stations);
  const { url, close } = await serveConsole(service);
  const timer = setInterval(second, 1000);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  console.log(`${ports} ports, ${stations} stations`);
  await measure(browser, page, url, 'ports', 'Ports');
  await measure(browser, page, url, 'stations', 'Stations');
  await browser.close();
  clearInterval(timer);
  close();
  await etherSwitch.close();
}

const [ports = '5000', stations = '65536'] = process.argv.slice(2);
await main(Number(ports), Number(stations));
