/**
 * Measures how soon the console paints in Chromium, with nothing cached, beside a blank page of one word from the same server:
 *
 *   node dist/bench/programs/console-paint.js [ROUNDS]
 *
 * The two take turns, each time in a browser context of its own. The medians of the first contentful paint, and for the console
 * until its navigation and its first port are shown. Machines differ, so the ratio says more than the time. The switch and the
 * browser share the machine. It takes about two seconds a round.
 */
import { type Browser, chromium } from 'playwright-core';
import { Switch } from '../../src/networks/switch.ts';
import { RunningSwitch } from '../../src/networks/switch-control.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { serveConsole } from './serve-console.ts';

const PORTS = 5;
const BLANK = '<!doctype html><html lang="en"><title>blank</title><p>blank</p></html>';
const VIEWPORT = { width: 1440, height: 900 };
const NO_SAMPLE = Number.NaN;

interface Sample {
  /** ms from the start of the navigation */
  readonly paint: number;
  readonly navigation: number;
  readonly rows: number;
}

/** Notes when the parts of the console are first in the document, by the page's own clock. */
const WATCH = `
  window.seen = {};
  const PARTS = { navigation: '.frame-link', rows: '[role=grid] [role=row] + [role=row], .topology-node, svg .node' };
  const look = () => {
    for (const [part, selector] of Object.entries(PARTS)) {
      if (!(part in window.seen) && document.querySelector(selector) !== null) window.seen[part] = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
`;

async function sample(browser: Browser, url: string, isConsole: boolean): Promise<Sample> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    await page.goto(url);
    if (isConsole) await page.getByRole('grid', { name: 'Ports' }).getByRole('row').nth(1).waitFor();
    await page.waitForFunction("performance.getEntriesByName('first-contentful-paint').length > 0");
    return await page.evaluate<Sample>(`({
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      navigation: window.seen.navigation ?? ${NO_SAMPLE},
      rows: window.seen.rows ?? ${NO_SAMPLE},
    })`);
  } finally {
    await context.close();
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? NO_SAMPLE;
}

function spreadOf(values: readonly number[]): string {
  return `${medianOf(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
}

async function main(rounds: number): Promise<void> {
  const etherSwitch = new Switch({});
  for (let port = 1; port <= PORTS; port++) etherSwitch.attach(new MemoryPort(), { name: `port-${port}` });
  const service = new RunningSwitch(etherSwitch, () => Promise.reject(new Error('none')));
  const { url, close } = await serveConsole(service, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(BLANK);
  });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
  const blank: Sample[] = [];
  const shown: Sample[] = [];
  // The first pages start processes of the browser.
  await sample(browser, new URL('/', url).href, false);
  for (let round = 0; round < rounds; round++) {
    blank.push(await sample(browser, new URL('/', url).href, false));
    shown.push(await sample(browser, `${url}#/ports`, true));
  }
  await browser.close();
  close();
  await etherSwitch.close();
  const paints = shown.map(({ paint }) => paint);
  const ofBlank = blank.map(({ paint }) => paint);
  console.log(`${rounds} rounds, nothing cached; medians, and the least to the most`);
  console.log(`a blank page: first paint after ${spreadOf(ofBlank)}`);
  console.log(
    `the console:  first paint after ${spreadOf(paints)}, ${(medianOf(paints) / medianOf(ofBlank)).toFixed(2)} times the blank page`,
  );
  console.log(`              navigation after ${spreadOf(shown.map(({ navigation }) => navigation))}`);
  console.log(`              first port after ${spreadOf(shown.map(({ rows }) => rows))}`);
}

const [rounds = '15'] = process.argv.slice(2);
await main(Number(rounds));
