/**
 * A member of a cluster's store, for tests: `store-member.js URL[,URL…]`. Each line of its standard input is a command, and each is
 * answered by one line: `put KEY VALUE`, `get KEY`, `connected`.
 */
import { createInterface } from 'node:readline';
import { NatsStore } from '../../../src/cluster/nats/nats-store.ts';
import { EtherwsError } from '../../../src/errors.ts';

const [, , urls = ''] = process.argv;
const servers = urls.split(',');
const store = new NatsStore({ cluster: 'lab', connection: { servers }, shown: urls });
const table = store.table('config');

async function answer(line: string): Promise<string> {
  const [command, key = '', value] = line.split(' ');
  if (command === 'connected') return `${store.isConnected && table.isLoaded}`;
  if (command === 'get') return `${table.get(key)?.value}`;
  try {
    // As each change of the product: one that is under way in a cut network comes late, and must not win then.
    return `revision ${await table.put(key, value, { expected: table.get(key)?.revision ?? 0 })}`;
  } catch (error) {
    if (error instanceof EtherwsError) return error.code;
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(await answer(line));
await store.close();
