// Makes the pictures of the console for README.md and docs/operate/console.md: `npm run build`, then
// `node scripts/console-screenshots.mjs [NAME...]`. Each view in both themes, of a switch with the traffic of
// test/support/console-demo.ts. It needs chromium and unshare (util-linux), and pngquant, if it is there, makes the files smaller.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';

const DIRECTORY = 'docs/console';
const MOST_OCTETS = 150 * 1024;
const VIEWPORT = { width: 1280, height: 800 };
/** The host's name is in the pictures. */
const HOST = 'relay-1';
/** Curves need some samples, one a second. */
const WARM_UP_MS = 45_000;

/** Name, route, what must be there, and what is done before the picture. */
const PICTURES = [
  ['topology', '#/topology', 'main svg, main canvas', (page) => page.waitForTimeout(4000)],
  ['ports', '#/ports', '.table-row'],
  ['port', '#/ports?port=3', '.details', (page) => page.waitForTimeout(6000)],
  ['stations', '#/stations', '.table-row'],
  ['networks', '#/networks?network=default', '.matrix-head'],
  ['capture', '#/capture?port=1', '.capture-chip', capture],
  ['events', '#/events', '.table-row'],
  ['health', '#/health', 'main h2'],
  ['add', '#/add', '.add-qr', invite],
];

async function capture(page) {
  const start = page.getByRole('button', { name: 'Start' });
  if (await start.isVisible()) {
    await page.getByLabel('Filter', { exact: true }).fill('arp or udp port (53 or 67)');
    await start.click();
  }
  const row = page.locator('.capture-list .table-row').filter({ hasText: 'DNS' }).first();
  await row.waitFor();
  await page.waitForTimeout(6000);
  await page.locator('.capture-list .table-row').filter({ hasText: 'DNS' }).last().click();
  await page.locator('.capture-field').filter({ hasText: 'Destination port' }).click();
}

async function invite(page) {
  await page.getByLabel('Address of this switch').fill('wss://relay.example/');
  await page.getByLabel('Name of the port there').fill('relay');
}

if (process.env.ETHERWS_SCREENSHOTS === undefined) {
  // In a namespace of its own the host may be called anything.
  const inner = `hostname ${HOST}; exec "$0" "$@"`;
  const words = [
    '--user',
    '--map-root-user',
    '--uts',
    '--',
    'sh',
    '-c',
    inner,
    process.execPath,
    ...process.argv.slice(1),
  ];
  const env = { ...process.env, ETHERWS_SCREENSHOTS: '1' };
  process.exit(spawnSync('unshare', words, { stdio: 'inherit', env }).status ?? 1);
}

const { openDemo } = await import('../dist/test/support/console-demo.js');
const { pathOf } = await import('../dist/test/support/tools.js');
const wanted = process.argv.slice(2);
const ends = [];
const demo = await openDemo({ after: (end) => void ends.unshift(end) });
mkdirSync(DIRECTORY, { recursive: true });
const browser = await chromium.launch({ executablePath: pathOf('chromium'), args: ['--no-proxy-server'] });
try {
  const pages = [];
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme, reducedMotion: 'reduce' });
    await page.goto(`${demo.url}#/ports`);
    pages.push([colorScheme, page]);
  }
  await pages[0][1].waitForTimeout(WARM_UP_MS);
  for (const [name, hash, ready, prepare] of PICTURES) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const [theme, page] of pages) {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(2000);
      await prepare?.(page);
      await page.mouse.move(VIEWPORT.width - 2, VIEWPORT.height - 2);
      take(await page.screenshot({ path: `${DIRECTORY}/${name}-${theme}.png` }), `${DIRECTORY}/${name}-${theme}.png`);
    }
  }
} finally {
  await browser.close();
  for (const end of ends) await end();
}
process.exit();

/** Makes a picture smaller by a palette, if pngquant is there, and says its size. */
function take(_octets, file) {
  if (pathOf('pngquant') !== undefined) {
    execFileSync('pngquant', ['--force', '--strip', '--skip-if-larger', '--output', file, '128', file], {
      stdio: 'ignore',
    });
  }
  const { size } = statSync(file);
  console.log(`${file}: ${Math.ceil(size / 1024)} KiB`);
  if (size <= MOST_OCTETS) return;
  rmSync(file);
  throw new Error(`${file} has ${size} octets, above ${MOST_OCTETS}: install pngquant`);
}
