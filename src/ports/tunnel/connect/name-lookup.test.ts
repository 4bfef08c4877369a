import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type FakeAnswer, fakeAnswer } from '../../../../test/support/waits.ts';
import { NameLookups, nameLookups } from './name-lookup.ts';

/** Name servers of the test's own, which answer when they are told to, and a clock. */
class NameService {
  readonly asked: string[] = [];
  readonly #open = new Map<string, FakeAnswer<string[]>>();
  nowMs = 0;

  readonly lookUp = (name: string): Promise<readonly string[]> => {
    this.asked.push(name);
    const asked = fakeAnswer<string[]>();
    this.#open.set(name, asked);
    return asked.answer;
  };

  async answer(name: string, ...addresses: string[]): Promise<void> {
    const asked = this.#open.get(name);
    assert.ok(asked !== undefined, `${name} was not asked for`);
    this.#open.delete(name);
    if (addresses.length > 0) asked.resolve(addresses);
    else asked.reject(Object.assign(new Error(name), { code: 'EAI_AGAIN' }));
    await turn();
  }

  lookups(places: number, extraPlaces = 0): NameLookups {
    return new NameLookups({ lookUp: this.lookUp, places, extraPlaces, slowMs: 2000, now: () => this.nowMs });
  }
}

const patient = new AbortController().signal;

describe('look-ups of names', () => {
  test('give what was found, or fail with what was said', async () => {
    const service = new NameService();
    const lookups = service.lookups(2);
    const found = lookups.addressesOf('a', patient);
    const lost = lookups.addressesOf('b', patient);
    await turn();
    await service.answer('a', '192.0.2.1', '2001:db8::1');
    assert.deepEqual(await found, ['192.0.2.1', '2001:db8::1']);
    await Promise.all([assert.rejects(lost, { code: 'EAI_AGAIN' }), service.answer('b')]);
  });

  test('of one name are one', async () => {
    const service = new NameService();
    const lookups = service.lookups(1);
    const both = Promise.all([lookups.addressesOf('a', patient), lookups.addressesOf('a', patient)]);
    await turn();
    await service.answer('a', '192.0.2.1');
    assert.deepEqual(await both, [['192.0.2.1'], ['192.0.2.1']]);
    assert.deepEqual(service.asked, ['a']);
  });

  test('wait for a place, and leave the queue when no dialling waits for them any more', async () => {
    const service = new NameService();
    const lookups = service.lookups(1);
    const first = lookups.addressesOf('a', patient);
    const controller = new AbortController();
    const given = assert.rejects(lookups.addressesOf('b', controller.signal), /enough/);
    const last = lookups.addressesOf('c', patient);
    await turn();
    controller.abort(new Error('enough'));
    await given;
    await service.answer('a', '192.0.2.1');
    await service.answer('c', '192.0.2.3');
    assert.deepEqual([await first, await last], [['192.0.2.1'], ['192.0.2.3']]);
    assert.deepEqual(service.asked, ['a', 'c']);
    await assert.rejects(lookups.addressesOf('d', AbortSignal.abort(new Error('before'))), /before/);
  });

  test('that were slow take half of the places, and the other half is for the rest', async () => {
    const service = new NameService();
    const lookups = service.lookups(4);
    const dead = ['d1', 'd2', 'd3', 'd4'];
    const askAll = (): Promise<unknown> => Promise.allSettled(dead.map((name) => lookups.addressesOf(name, patient)));
    let all = askAll();
    await turn();
    service.nowMs = 10_000;
    for (const name of dead) await service.answer(name);
    await all;

    all = askAll();
    await turn();
    assert.deepEqual(service.asked.splice(0), [...dead, 'd1', 'd2'], 'two of them wait');
    const good = [lookups.addressesOf('g1', patient), lookups.addressesOf('g2', patient)];
    await turn();
    assert.deepEqual(service.asked.splice(0), ['g1', 'g2'], 'others pass them');
    await service.answer('g1', '192.0.2.1');
    await service.answer('g2', '192.0.2.2');
    await Promise.all(good);

    await service.answer('d1', '192.0.2.9'); // at once: it is slow no more
    assert.deepEqual(service.asked.splice(0), ['d3']);
    for (const name of ['d2', 'd3', 'd4']) await service.answer(name, '192.0.2.9');
    await all;
    const again = askAll();
    await turn();
    assert.deepEqual(service.asked, ['d4', ...dead], 'nothing is known against them');
    for (const name of dead) await service.answer(name, '192.0.2.9');
    await again;
  });
});

test('look-ups of names of which nothing is known give their places back when they are slow', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const service = new NameService();
  const lookups = service.lookups(2, 3);
  const asked = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7'].map((name) => lookups.addressesOf(name, patient));
  await turn();
  assert.deepEqual(service.asked.splice(0), ['d1', 'd2']);
  for (const more of [['d3', 'd4'], ['d5'], []]) {
    service.nowMs += 2000;
    t.mock.timers.tick(2000);
    await turn();
    assert.deepEqual(service.asked.splice(0), more, 'five at a time in all');
  }
  const answered = Promise.allSettled(asked);
  for (const name of ['d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7']) await service.answer(name, '192.0.2.9');
  await answered;
});

test("the process's own knows the hosts file, and what does not exist", async () => {
  assert.ok((await nameLookups().addressesOf('localhost', patient)).includes('127.0.0.1'));
  await assert.rejects(nameLookups().addressesOf('nobody.invalid', patient), { code: /^(ENOTFOUND|EAI_AGAIN)$/ });
  await assert.rejects(nameLookups().addressesOf(`${'x'.repeat(64)}.example`, patient), { code: /^E/ });
});
