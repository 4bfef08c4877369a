import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { urlsOf } from '../support/cluster/nats.ts';
import { type ClusterLab, openClusterLab, type Site } from '../support/cluster-lab.ts';
import { eventually } from '../support/etherws.ts';
import type { Process } from '../support/process.ts';
import { within } from '../support/waits.ts';

/*
 * The store of a cluster at three real servers, which die, are cut from each other, and come back: what was stored stays, what
 * cannot be agreed on is refused, and all members agree in the end.
 */

const PROGRAM = fileURLToPath(new URL('programs/store-member.js', import.meta.url));

/** A member of the store in a process of its own at a site. */
class Member {
  readonly #process: Process;
  readonly #answers: ((line: string) => void)[] = [];

  constructor(t: TestContext, { host }: Site, urls: string) {
    this.#process = host.spawn([process.execPath, PROGRAM, urls], { isInteractive: true, timeoutMs: 600_000 });
    t.after(() => this.#process.end());
    this.#process.onLine((line) => this.#answers.shift()?.(line));
  }

  ask(command: string): Promise<string> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.#process.write(`${command}\n`);
    return within(answer, () => `answer to "${command}": ${this.#process}`);
  }

  async shows(command: string, expected: string): Promise<void> {
    await eventually(
      () => this.ask(command),
      (said) => said === expected,
      150_000,
    );
  }

  /** Puts a value, and tries again while the servers elect a leader. */
  async put(key: string, value: string): Promise<void> {
    await eventually(
      () => this.ask(`put ${key} ${value}`),
      (said) => said.startsWith('revision'),
      150_000,
    );
  }
}

async function open(t: TestContext): Promise<{ lab: ClusterLab; members: readonly Member[] } | undefined> {
  const lab = await openClusterLab(t, { hasStations: false });
  if (lab === undefined) return undefined;
  const members = lab.sites.map((site) => new Member(t, site, urlsOf(lab.servers)));
  for (const member of members) await member.shows('connected', 'true');
  return { lab, members };
}

test('a store at three servers outlives each of them, and all of them', async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { lab, members } = opened;
  const [first] = members;
  assert.ok(first !== undefined);
  for (const server of lab.servers) {
    await server.kill();
    await first.put(`without-${server.name}`, 'kept');
    for (const member of members) await member.shows(`get without-${server.name}`, 'kept');
    server.start();
    await server.healthy();
  }
  await Promise.all(lab.servers.map((server) => server.kill()));
  for (const member of members) {
    await member.shows('connected', 'false');
    assert.equal(await member.ask('get without-n1'), 'kept', 'reads need no server');
    assert.equal(await member.ask('put any value'), 'CLUSTER_UNAVAILABLE');
  }
  for (const server of lab.servers) server.start();
  for (const member of members) await member.shows('connected', 'true');
  await first.put('again', 'stored');
  for (const member of members) {
    await member.shows('get again', 'stored');
    assert.equal(await member.ask('get without-n2'), 'kept');
  }
});

test('the smaller side of a cut reads what it knew, and follows the larger one behind the join', async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { lab, members } = opened;
  const [small, second, third] = members;
  assert.ok(small !== undefined && second !== undefined && third !== undefined);
  await small.put('side', 'none');
  const [one, two, three] = [lab.site(1).host, lab.site(2).host, lab.site(3).host];
  await lab.underlay.cut([one], [two, three]);
  await second.put('side', 'larger');
  await third.shows('get side', 'larger');
  // Nothing is changed at the smaller side: nats-server 2.9.10 may keep such a change there behind the join, though it refused it.
  assert.equal(await small.ask('get side'), 'none');
  await lab.underlay.join();
  for (const member of members) await member.shows('get side', 'larger');
  await small.put('side', 'joined');
  for (const member of members) await member.shows('get side', 'joined');
});
