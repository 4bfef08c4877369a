import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { openConsole } from '../support/console-page.ts';
import { FrameSource } from '../support/frame-source.ts';
import { arpFrame, udpFrame } from '../support/ip-frames.ts';
import { protocolFrame } from '../support/protocol-frames.ts';
import { Random } from '../support/random.ts';
import type { SwitchProcess } from '../support/switch-process.ts';

/** The capture of the console, in Chromium, of frames that a tunnel sends to a real switch. */

const ONE = '02000000000a';
const OTHER = '02000000000b';
const QUERY = '1a2b010000010000000000000765786d706c6532036f72670000010001';
const ARP = Buffer.from(arpFrame(ONE, '192.0.2.1', '192.0.2.2'), 'hex');
const DNS = Buffer.from(udpFrame(OTHER, ONE, '192.0.2.1', '192.0.2.53', [49_152, 53], QUERY), 'hex');
const HELLO = Buffer.from(
  udpFrame(ONE, OTHER, '192.0.2.53', '192.0.2.1', [5000, 5001], Buffer.from('hello').toString('hex')),
  'hex',
);

interface World {
  readonly sw: SwitchProcess;
  readonly page: Page;
  readonly source: FrameSource;
}

/** A switch with a tunnel as port 1 (`office`), and the capture view. */
async function open(t: TestContext): Promise<World | undefined> {
  const opened = await openConsole(t, [], { hash: '#/capture', acceptDownloads: true });
  if (opened === undefined) return undefined;
  const { sw, page, console } = opened;
  const source = await FrameSource.open(t, sw.tunnelPort);
  await sw.call('setPort', { port: 1, name: 'office' });
  await console.live();
  return { sw, page, source };
}

async function choose(page: Page, port: string): Promise<void> {
  await page.getByLabel('Ports', { exact: true }).fill(port);
  await page.getByLabel('Ports', { exact: true }).press('Enter');
  await page.locator('.capture-chip').first().waitFor();
}

async function start(page: Page, filter = ''): Promise<void> {
  await page.getByLabel('Filter', { exact: true }).fill(filter);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('capturing').waitFor();
}

const rows = (page: Page) => page.locator('.capture-list .table-row');

test('the console captures: a list, a frame in detail, and the file', async (t) => {
  const world = await open(t);
  if (world === undefined) return;
  const { page, source } = world;

  await t.test('the list says what frames are for', async () => {
    await choose(page, 'office');
    await start(page);
    source.send(ARP, DNS, HELLO);
    await rows(page).nth(2).waitFor();
    const texts = await rows(page).allInnerTexts();
    assert.match(texts[0] ?? '', /office[\s\S]*ARP[\s\S]*who has 192\.0\.2\.2\? tell 192\.0\.2\.1/);
    assert.match(texts[1] ?? '', /192\.0\.2\.1[\s\S]*192\.0\.2\.53[\s\S]*DNS[\s\S]*query 0x1a2b A exmple2\.org/);
  });

  await t.test('a chosen frame is shown as a tree, and a chosen field is marked in its octets', async () => {
    await rows(page).nth(1).click();
    const details = page.getByRole('region', { name: 'Frame 2' });
    await details.getByRole('button', { name: 'Destination port 53' }).click();
    assert.equal(await details.locator('.capture-hex-octets mark').textContent(), '00 35');
    await details.getByRole('button', { name: 'Close the frame' }).click();
    await details.waitFor({ state: 'detached' });
  });

  await t.test('the file has the frames, and ends with the statistics', async () => {
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped').waitFor();
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download pcapng' }).click();
    const file = readFileSync(await (await waiting).path());
    const blocks = new PcapngReader().readBlocks(file);
    assert.deepEqual(
      blocks.flatMap(({ packet }) => (packet === undefined ? [] : [Buffer.from(packet.bytes).toString('hex')])),
      [ARP, DNS, HELLO].map((frame) => frame.toString('hex')),
    );
    const INTERFACE_STATISTICS = 5;
    assert.equal(blocks.at(-1)?.octets[0], INTERFACE_STATISTICS);
  });

  await t.test('a mistake in the filter is said, with what to do', async () => {
    await page.getByLabel('Filter', { exact: true }).fill('tcp prt 80');
    await page.getByRole('button', { name: 'Start' }).click();
    const alert = page.locator('.capture-failure');
    await alert.getByText(/The filter is wrong at column 5.*docs\/operate\/captures\.md/).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Start' }).isEnabled(), true);
  });

  await t.test('a station is followed at all ports, beside a filter', async () => {
    await page.locator('.capture-chip-remove').click();
    await page.getByLabel('Follow a station').fill('02-00-00-00-00-0B');
    await start(page, 'udp');
    source.send(ARP, DNS, HELLO, Buffer.from(udpFrame(ONE, '02000000000c', '192.0.2.9', '192.0.2.1', [1, 2]), 'hex'));
    await rows(page).nth(1).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped').waitFor();
    assert.match((await page.locator('.capture-status').textContent()) ?? '', /2\s*frames/);
  });

  await t.test('a route fills the form', async () => {
    await page.evaluate(`location.hash = '#/capture?station=02:00:00:00:00:0a&port=1'`);
    await page.locator('.capture-chip').getByText('office (1)').waitFor();
    assert.equal(await page.getByLabel('Follow a station').inputValue(), '02:00:00:00:00:0a');
  });
});

test('of many frames the last 10 000 are kept, and only visible rows are in the page', async (t) => {
  const world = await open(t);
  if (world === undefined) return;
  const { page, source } = world;
  await choose(page, '1');
  await start(page);
  const random = new Random(1);
  const frames = Array.from({ length: 12_000 }, () => protocolFrame(random));
  source.send(...frames);
  const status = page.locator('.capture-status');
  await status.getByText(/12[\s,]?000.*frames/).waitFor();
  await status.getByText(/the last 10.000 are kept/).waitFor();
  await rows(page)
    .getByText(/12.000/)
    .waitFor();
  const inPage = await rows(page).count();
  assert.ok(inPage < 100, `${inPage} rows in the page`);
});

test('a port that gets a name while the form is shown is chosen by that name, also when it was typed before', async (t) => {
  const world = await open(t);
  if (world === undefined) return;
  const { page, sw } = world;
  const suggestion = page.locator('.capture-ports option');
  await suggestion.first().waitFor({ state: 'attached' });
  await sw.call('setPort', { port: 1, name: 'lobby' });
  await page.locator('.capture-ports option[value="lobby (1)"]').waitFor({ state: 'attached' });
  await page.getByLabel('Ports', { exact: true }).fill('annex');
  await page.getByLabel('Ports', { exact: true }).press('Enter');
  await page.getByText('There is no port annex').waitFor();
  await sw.call('setPort', { port: 1, name: 'annex' });
  await page.locator('.capture-chip').getByText('annex (1)').waitFor();
});

test('a removed port is said, and the capture ends with the last one', async (t) => {
  const world = await open(t);
  if (world === undefined) return;
  const { page, source, sw } = world;
  await choose(page, 'office');
  await start(page);
  source.send(ARP);
  await rows(page).first().waitFor();
  await sw.call('delPort', { port: 1 });
  await page.getByText('Ended, since no port of the capture is left').waitFor();
  assert.equal(await rows(page).count(), 1, 'its frames stay');
});
