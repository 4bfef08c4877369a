import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, headers } from '@nats-io/transport-node';
import { NatsServer } from '../../../test/support/nats-server.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { until, within } from '../../../test/support/waits.ts';
import { SubjectSpace, textOf, wordOf } from './nats-names.ts';
import { NatsStore } from './nats-store.ts';

/** Another program in the account of the cluster. */

const skip = missingTools('nats-server');

test('a text has one word, and other words have no text', () => {
  for (const text of ['policy', 'network.x', 'é=.', '']) assert.equal(textOf(wordOf(text)), text);
  for (const word of ['=70olicy', 'network.x', '=C3', '=FF', 'a=2e', '=']) assert.equal(textOf(word), undefined, word);
  const space = new SubjectSpace('prod', 'message');
  assert.equal(space.fromNats('etherws.prod.message.node.=72'), undefined);
  assert.equal(space.fromNats(space.toNats('node.r=1')), 'node.r=1');
});

test('a key beside the one of the same text is ignored, and so is a message of such a subject', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = new NatsStore({ cluster: 'prod', shown: server.url, connection: { servers: server.url } });
  t.after(() => store.close());
  const table = store.table('config');
  await within(table.whenLoaded(), 'tables');
  await table.put('policy', 'right');
  const program = await connect({ servers: server.url });
  t.after(() => program.close());
  const bucket = await new Kvm(jetstream(program)).open('etherws_prod_config');
  const heard: unknown[] = [];
  store.subscribe('*', (message) => heard.push(message));
  await store.flush();
  for (const word of ['=70olicy', 'policy=2e', 'x.y']) await bucket.put(word, '"wrong"');
  program.publish('etherws.prod.message.=6Eews', '"wrong"');
  program.publish('etherws.prod.message.news', '"right"');
  await bucket.put('last', '1');
  await until(() => table.get('last') !== undefined && heard.length > 0);
  assert.deepEqual([...table.entries()].map(({ key, value }) => [key, value]).sort(), [
    ['last', 1],
    ['policy', 'right'],
  ]);
  assert.deepEqual(heard, ['right']);
});

test('an answer is not kept beyond the octets that it may have, whatever parts it comes in', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = new NatsStore({ cluster: 'prod', shown: server.url, connection: { servers: server.url } });
  t.after(() => store.close());
  await until(() => store.isConnected);
  const program = await connect({ servers: server.url });
  t.after(() => program.close());
  for (const part of ['x'.repeat(1000), '']) {
    const more = headers();
    more.set('Etherws-More', '1');
    const subscription = program.subscribe('etherws.prod.request.hello', {
      callback: (_error, request) => {
        for (let sent = 0; sent < 100; sent++) request.respond(part, { headers: more });
      },
    });
    await program.flush();
    await assert.rejects(store.request('hello', 1, 5000, 4096), {
      code: 'CLUSTER_UNAVAILABLE',
      message: /4096 octets/,
    });
    subscription.unsubscribe();
  }
});
