import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { lldpFrame } from '../../src/wire/lldp/frame.ts';
import { CAPABILITY_BRIDGE } from '../../src/wire/lldp/lldpdu.ts';
import { openConsole } from '../support/console-page.ts';
import { eventually } from '../support/etherws.ts';
import { arpFrame } from '../support/ip-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { openTunnelHost } from '../support/tunnel-host.ts';

const TOPOLOGY = { hash: '#/topology' };
const HOSTILE = ['<img src=x onerror=alert(1)>', '"><script>alert(2)</script>', "'-alert(3)-'{{7*7}}"] as const;

function nodeOf(page: Page, id: string): Locator {
  return page.locator(`[data-node=${JSON.stringify(id)}]`);
}

function linkTo(page: Page, id: string): Locator {
  return page.locator(`[data-link][data-to=${JSON.stringify(id)}]`);
}

/** The LLDPDU of a switch. */
function neighborFrame(neighbor: number): Buffer {
  const address = 0x02_00_77_00_00_00 + neighbor;
  return lldpFrame(address as never, {
    chassisId: { subtype: 4, octets: Buffer.from(address.toString(16).padStart(12, '0'), 'hex') },
    portId: { subtype: 5, octets: Buffer.from('p1') },
    ttlSeconds: 120,
    capabilities: { supported: CAPABILITY_BRIDGE, enabled: CAPABILITY_BRIDGE },
  });
}

/** The places of all nodes, when none moves any more. */
async function settledPlaces(page: Page): Promise<ReadonlyMap<string, readonly [number, number]>> {
  const read = (): Promise<[string, [number, number]][]> =>
    page.evaluate(`[...document.querySelectorAll('[data-node]')].map((node) =>
      [node.getAttribute('data-node'), node.getAttribute('transform').match(/-?[\\d.]+/g).map(Number)])`);
  let before = '';
  const places = await eventually(read, (now) => {
    const text = JSON.stringify(now);
    const isSame = text === before;
    before = text;
    return isSame && now.length > 0;
  });
  return new Map(places);
}

describe('the topology in the console', () => {
  test('an empty switch says what to type first, and shows the first port by itself', async (t) => {
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    await page.getByText('etherws ctl addport tap tap0').waitFor();
    await openTunnelHost(t, sw);
    await nodeOf(page, 'port 1').waitFor();
    assert.equal(await linkTo(page, 'port 1').getAttribute('data-from'), 'network default');
  });

  test('a link that the spanning tree blocks is red and says why, until it forwards', async (t) => {
    const root = await SwitchProcess.start(t);
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    const times = { helloTime: 1, maxAge: 6, forwardDelay: 4 };
    await root.call('setNet', { network: 'default', stp: 'on', priority: 4096, ...times });
    await sw.call('setNet', { network: 'default', stp: 'on', ...times });
    const target = `ws://127.0.0.1:${root.tunnelPort}/`;
    await sw.call('addPort', { type: 'client', target, name: 'first', pathCost: 20_000 });
    const second = { type: 'client', target, name: 'second', pathCost: 300_000 };
    await sw.call('addPort', { ...second, options: { allowParallel: true } });

    const blocked = linkTo(page, 'port 2').and(page.locator('.topology-is-fault'));
    await blocked.waitFor();
    const colour = await page.evaluate(`getComputedStyle(document.querySelector('[data-to="port 2"]')).stroke`);
    const bad = await page.evaluate(`(() => {
      const probe = document.createElement('span');
      probe.style.color = 'var(--bad)';
      document.body.append(probe);
      return getComputedStyle(probe).color;
    })()`);
    assert.equal(colour, bad);
    await nodeOf(page, 'port 2').locator('text').getByText('Blocked by the spanning tree').waitFor();
    assert.match((await linkTo(page, 'port 1').getAttribute('class')) ?? '', /topology-is-up/);
    await nodeOf(page, 'port 2').click();
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByText('alternate, discarding').waitFor();
    assert.equal(await details.getByRole('link', { name: 'Port' }).getAttribute('href'), '#/ports?port=2');

    await sw.call('delPort', { port: 'first' });
    await linkTo(page, 'port 2').and(page.locator('.topology-is-up')).waitFor();
    assert.equal(await nodeOf(page, 'port 1').count(), 0);
  });

  test('a station is found by its MAC address, by its IP address, and comes into the middle', async (t) => {
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    const hosts = [await openTunnelHost(t, sw), await openTunnelHost(t, sw)];
    for (const [at, host] of hosts.entries()) {
      for (let station = 0; station < 20; station++) {
        const mac = `0200000000${((at << 5) | station).toString(16).padStart(2, '0')}`;
        host.send(Buffer.from(arpFrame(mac, `10.0.${at}.${station + 1}`, '10.0.9.9'), 'hex'));
      }
    }
    await nodeOf(page, 'stations 2').locator('text').getByText('20 stations').waitFor();
    const search = page.getByRole('searchbox', { name: 'Search the topology' });
    const id = 'station default|0|02:00:00:00:00:27';
    for (const text of ['0200.0000.0027', '10.0.1.8']) {
      await search.fill(text);
      const found = nodeOf(page, id).and(page.locator('.topology-found'));
      await found.waitFor();
      await page.getByText('1 of 1; Enter: next').waitFor();
      const picture = await page.locator('.topology-picture').boundingBox();
      assert.ok(picture !== null);
      await eventually(
        () => found.locator('circle').last().boundingBox(),
        (box) => {
          if (box === null) return false;
          const [x, y] = [box.x + box.width / 2 - picture.x, box.y + box.height / 2 - picture.y];
          return Math.abs(x - picture.width / 2) < 30 && Math.abs(y - picture.height / 2) < 30;
        },
      );
      await search.fill('');
      assert.equal(await page.locator('.topology-found').count(), 0);
    }
    await search.fill('10.0.1.200');
    await page.getByText('Nothing matches').waitFor();
  });

  test('one port more moves the others little, and a dragged node stays', async (t) => {
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    for (let count = 0; count < 12; count++) await openTunnelHost(t, sw);
    await nodeOf(page, 'port 12').waitFor();
    const before = await settledPlaces(page);
    await openTunnelHost(t, sw);
    await nodeOf(page, 'port 13').waitFor();
    const after = await settledPlaces(page);
    const moves = [...before].map(([id, [x, y]]) => {
      const [nowX, nowY] = after.get(id) ?? [x, y];
      return Math.hypot(nowX - x, nowY - y);
    });
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
    assert.ok(mean < 15, `the others have moved by ${mean} in the mean`);

    const box = await nodeOf(page, 'port 5').locator('.topology-body').boundingBox();
    assert.ok(box !== null);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 30, { steps: 4 });
    await page.mouse.up();
    const dragged = (await settledPlaces(page)).get('port 5');
    assert.notDeepEqual(dragged, after.get('port 5'));
    await sw.call('delPort', { port: 13 });
    await nodeOf(page, 'port 13').waitFor({ state: 'detached' });
    assert.deepEqual((await settledPlaces(page)).get('port 5'), dragged);
  });

  test('500 nodes are laid out in slices, and no more are drawn', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/ports' });
    if (opened === undefined) return;
    const { page, sw } = opened;
    await sw.call('setNet', { network: 'default', lldp: 'on' });
    await Promise.all(
      Array.from({ length: 90 }, async (_, at) => {
        const host = await openTunnelHost(t, sw);
        host.send(neighborFrame(at));
        for (let station = 0; station < 3; station++) {
          const mac = `02000000${(at * 3 + station).toString(16).padStart(4, '0')}`;
          host.send(Buffer.from(arpFrame(mac, '10.0.1.1', '10.0.9.9'), 'hex'));
        }
      }),
    );
    await eventually(
      () => sw.call<{ entries: readonly unknown[] }>('listNeighbor'),
      ({ entries }) => entries.length === 90,
    );
    await eventually(
      () => sw.ports(),
      (ports) => ports.every(({ stations }) => stations >= 3),
    );
    await page.evaluate(`(() => {
      globalThis.framesOfLayout = 0;
      const count = () => {
        if (document.querySelector('.topology-picture[aria-busy="true"]') !== null) framesOfLayout++;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      location.hash = '#/topology';
    })()`);
    // The switch, its network, ports with a neighbour and their stations each; what exceeds 500 nodes is one group.
    await eventually(
      () => page.locator('[data-node]').count(),
      (nodes) => nodes > 450 && nodes <= 501,
    );
    await page.locator('.topology-picture[aria-busy="false"]').waitFor();
    const frames = await page.evaluate<number>('framesOfLayout');
    assert.ok(frames >= 20, `the layout took ${frames} frames: it holds each of them up`);
  });

  test('keys select, and the list has the same links as the picture', async (t) => {
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    await openTunnelHost(t, sw);
    await sw.call('setPort', { port: 1, shut: true });
    await nodeOf(page, 'port 1').waitFor();
    await settledPlaces(page);
    await page.locator('.topology-picture').focus();
    const details = page.getByRole('complementary', { name: 'Details' });
    for (const key of ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) await page.keyboard.press(key);
    await details.waitFor();
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });

    const links = await page.locator('[data-link]').count();
    await page.getByRole('button', { name: 'List' }).click();
    const rows = page.getByRole('grid', { name: 'Links' }).getByRole('row');
    assert.equal(await rows.count(), links + 1);
    await page.getByText('Shut by the operator').waitFor();
  });

  test('descriptions, targets and texts of LLDP are text, whatever they say', async (t) => {
    const opened = await openConsole(t, [], TOPOLOGY);
    if (opened === undefined) return;
    const { page, sw } = opened;
    page.on('dialog', (dialog) => {
      void dialog.dismiss();
      assert.fail(`a dialog was opened: ${dialog.message()}`);
    });
    const scripts = await page.locator('script').count();
    const neighbor = await openTunnelHost(t, sw);
    await sw.call('setNet', { network: 'default', lldp: 'on' });
    await sw.call('setPort', { port: 1, description: HOSTILE[0] });
    const text = (words: string) => ({ subtype: 7, octets: Buffer.from(words) });
    const lldpdu = {
      chassisId: text(HOSTILE[1]),
      portId: text(HOSTILE[2]),
      ttlSeconds: 120,
      systemName: HOSTILE[0],
      systemDescription: HOSTILE[1],
      capabilities: { supported: CAPABILITY_BRIDGE, enabled: CAPABILITY_BRIDGE },
    };
    neighbor.send(lldpFrame(0x0200_0000_0009 as never, lldpdu));
    const node = page.locator('.topology-neighbor');
    await node.waitFor();
    await node.locator('.topology-body').click();
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByText(HOSTILE[1]).first().waitFor();
    assert.equal(await details.getByRole('heading').textContent(), HOSTILE[0]);
    await page.getByRole('button', { name: 'List' }).click();
    await page.getByRole('grid', { name: 'Links' }).getByText(HOSTILE[0]).first().waitFor();
    await page.getByRole('searchbox').fill('<img src=x');
    await page.getByText(/^1 of 2/).waitFor();
    await page.getByRole('button', { name: 'Picture' }).click();
    await page.locator('.topology-found').first().waitFor();
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.locator('script').count(), scripts);
  });
});
