import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { LossyRelay, Site, until } from './support/site.ts';

const BROADCAST = 'ffffffffffff';
const [AT_LEFT, AT_RIGHT] = ['020000000001', '020000000002'];

function frame(to: string, from: string): Buffer {
  return Buffer.concat([Buffer.from(to + from, 'hex'), Buffer.from('88b6', 'hex'), randomBytes(50)]);
}

interface Sites {
  readonly left: Site;
  readonly right: Site;
}

/** Without a word of the other end, a loss is seen 20 s after a ping, which is sent every 20 s. */
const TOLD_MS = 15_000;

const statesOf = ({ left, right }: Sites): string => `left: ${left.states}; right: ${right.states}`;

/** A frame from each station reaches the other one: exactly once, however long it might circle. */
async function talk({ left, right }: Sites, isGroup = true): Promise<void> {
  for (const [from, to, source, destination] of [
    [left, right, AT_LEFT, AT_RIGHT],
    [right, left, AT_RIGHT, AT_LEFT],
  ] as const) {
    const sent = frame(isGroup ? BROADCAST : destination, source);
    from.station.deliver(sent);
    await until(
      () => to.heard.includes(sent.toString('hex')),
      () => `the frame did not arrive; ${statesOf({ left, right })}`,
    );
    assert.equal(to.heard.filter((hex) => hex === sent.toString('hex')).length, 1);
    assert.ok(!from.heard.includes(sent.toString('hex')), 'the frame came back');
  }
}

/** Both ends forward by one tunnel, and by the same. */
async function agreed(sites: Sites, tunnels: number, timeoutMs?: number): Promise<void> {
  const { left, right } = sites;
  await until(
    () =>
      left.forwarding.length === 1 &&
      left.forwarding.join() === right.forwarding.join() &&
      left.tunnels.length === tunnels &&
      right.tunnels.length === tunnels,
    () => statesOf(sites),
    timeoutMs,
  );
}

async function startSites(t: TestContext): Promise<Sites> {
  return { left: await Site.start(t), right: await Site.start(t) };
}

for (const wire of ['auto', 'raw'] as const) {
  test(`a second and a third tunnel stand by, and nothing passes them (${wire})`, async (t) => {
    const sites = await startSites(t);
    const { left, right } = sites;
    for (let n = 0; n < 3; n++) await left.dial(right.server.url, { wire });
    await agreed(sites, 3);
    assert.equal(left.states, 'up, standby 2, standby 2');
    assert.equal(right.states, 'up, standby 2, standby 2');
    for (let n = 0; n < 10; n++) await talk(sites);
    await talk(sites, false);
    for (const { number, tx, rx } of [...left.tunnels, ...right.tunnels]) {
      if (number > 2) assert.deepEqual([tx.frames, rx.frames, rx.discards.standby], [0, 0, 0]);
    }
  });

  test(`one that stood by takes over when the tunnel is lost, and that one stands by when it is back (${wire})`, async (t) => {
    const sites = await startSites(t);
    const { left, right } = sites;
    const relay = new LossyRelay(right.server.url);
    await relay.start(t);
    await left.dial(relay.url, { wire });
    await left.dial(right.server.url, { wire });
    await talk(sites);
    await talk(sites, false);
    const [first] = left.forwarding;
    relay.cut();
    await until(
      () => left.forwarding.length === 1 && left.forwarding[0] !== first && left.forwarding[0] === right.forwarding[0],
      () => statesOf(sites),
    );
    await talk(sites, false);
    await until(
      () => left.states === 'standby 3, up',
      () => statesOf(sites),
    );
    await agreed(sites, 2);
    await talk(sites);
  });

  for (const end of ['near', 'far'] as const) {
    test(`a loss that one end sees is told to the other by the tunnel that takes over (${wire}, ${end})`, async (t) => {
      const sites = await startSites(t);
      const { left, right } = sites;
      const relay = new LossyRelay(right.server.url);
      await relay.start(t);
      await left.dial(relay.url, { wire });
      await left.dial(right.server.url, { wire });
      await talk(sites);
      const [first] = left.forwarding;
      relay.cutOneEnd(end, t);
      await until(
        () => !left.forwarding.includes(first ?? '') && left.forwarding.join() === right.forwarding.join(),
        () => statesOf(sites),
        TOLD_MS,
      );
      await talk(sites, false);
    });
  }
}

test('tunnels that are dialled from both ends at once: both ends choose the same one', async (t) => {
  for (let round = 0; round < 10; round++) {
    const sites = await startSites(t);
    const { left, right } = sites;
    await Promise.all([
      left.dial(right.server.url),
      right.dial(left.server.url),
      left.dial(right.server.url),
      right.dial(left.server.url),
    ]);
    await agreed(sites, 4);
    await talk(sites);
    await talk(sites, false);
  }
});

test('a port whose client is away does not keep the other from taking over', async (t) => {
  const sites = await startSites(t);
  const { left, right } = sites;
  const relay = new LossyRelay(right.server.url);
  await relay.start(t);
  await left.dial(relay.url);
  await left.dial(right.server.url);
  await talk(sites);
  relay.leadTo('ws://127.0.0.1:9/');
  relay.cut();
  await until(
    () => right.states === 'away, up',
    () => statesOf(sites),
  );
  await talk(sites, false);
  relay.leadTo(right.server.url);
  await until(
    () => right.states === 'standby 3, up',
    () => statesOf(sites),
  );
  await talk(sites);
});

test('a port that the operator shuts gives way, at both ends', async (t) => {
  const sites = await startSites(t);
  const { left, right } = sites;
  for (let n = 0; n < 2; n++) await left.dial(right.server.url);
  await talk(sites);
  left.ethernet.administration.setShut(2, true);
  await until(
    () => left.forwarding.length === 1 && left.forwarding.join() === right.forwarding.join(),
    () => statesOf(sites),
  );
  await talk(sites, false);
  left.ethernet.administration.setShut(2, false);
  await agreed(sites, 2);
  await talk(sites);
});

test('a tunnel that may be parallel neither stands by nor lets another one', async (t) => {
  const sites = await startSites(t);
  const { left, right } = sites;
  await left.dial(right.server.url);
  await left.dial(right.server.url, { isParallelAllowed: true });
  await left.dial(right.server.url);
  await until(
    () => right.tunnels.length === 3,
    () => statesOf(sites),
  );
  for (const site of [left, right]) assert.equal(site.states, 'up, up, standby 2');
});

test('three switches in a triangle are not parallel', async (t) => {
  const [a, b, c] = [await Site.start(t), await Site.start(t), await Site.start(t)];
  await a.dial(b.server.url);
  await b.dial(c.server.url);
  await c.dial(a.server.url);
  const all = (): string => [a, b, c].map(({ states }) => states).join('; ');
  await until(() => all() === 'up, up; up, up; up, up', all);
});

test('switches that do not send their instance have as many tunnels as they dial', async (t) => {
  for (const [isLeftNamed, isRightNamed] of [
    [false, false],
    [true, false],
    [false, true],
  ] as const) {
    const [left, right] = [await Site.start(t, isLeftNamed), await Site.start(t, isRightNamed)];
    for (let n = 0; n < 2; n++) await left.dial(right.server.url);
    await until(
      () => right.tunnels.length === 2,
      () => statesOf({ left, right }),
    );
    assert.equal(statesOf({ left, right }), 'left: up, up; right: up, up');
  }
});

test('a tunnel to oneself is refused, on either wire, and when a reconnection ends up there', async (t) => {
  const { left, right } = await startSites(t);
  const relay = new LossyRelay(left.server.url);
  await relay.start(t);
  for (const wire of ['auto', 'raw'] as const) {
    for (const url of [left.server.url, relay.url]) {
      await assert.rejects(left.dial(url, { wire, isParallelAllowed: true }), {
        code: 'TUNNEL_TO_SELF',
        message: `${url} leads back to this switch; such a tunnel would be a loop`,
      });
    }
  }
  assert.equal(left.tunnels.length, 0);

  relay.leadTo(right.server.url);
  await left.dial(relay.url);
  relay.leadTo(left.server.url);
  relay.cut();
  await until(
    () => /leads back to this switch/.test(left.tunnels[0]?.linkReason ?? ''),
    () => left.states,
  );
  assert.equal(left.tunnels.length, 1, 'no server port came up');
});
