import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../../../observability/logger.ts';
import { formatNodeList } from '../../../wire/tunnel/node-list.ts';
import { LearnedNodes, type Reached } from './learned-nodes.ts';
import { parseTunnelUrl } from './tunnel-url.ts';

const at = (url: string, address?: string): Reached => ({ url: parseTunnelUrl(url), address });

function learned(own: readonly string[], reached: Reached, list: readonly string[] | Buffer): string[] {
  const nodes = new LearnedNodes(own.map(parseTunnelUrl), SILENT, () => 0.5);
  nodes.reached(reached)?.(Buffer.isBuffer(list) ? list : formatNodeList(list));
  return nodes.leads(0).map(({ to }) => to.href);
}

const R1 = at('wss://r1.example/lab?key=x');

test('a client learns the nodes that its server tells, with the query of its own URL', () => {
  const list = ['wss://r2.example/lab', 'wss://r3.example/lab?own=1'];
  assert.deepEqual(learned(['wss://r1.example/lab?key=x'], R1, list), [
    'wss://r2.example/lab?key=x',
    'wss://r3.example/lab?own=1',
  ]);
});

test('the server that was reached by a redirect is dialled after those that it has told', () => {
  const redirected = at('wss://r2.example/');
  assert.deepEqual(learned(['wss://r1.example/'], redirected, ['wss://r1.example/', 'wss://r3.example/']), [
    'wss://r3.example/',
    'wss://r2.example/',
  ]);
});

test('nothing that a server tells leads to less security, to a URL that is known, or to no URL', () => {
  const evil = [
    'ws://r2.example/lab',
    'WS://r2.example/lab',
    'http://r2.example/lab',
    'https://r2.example/lab',
    '//r2.example/lab',
    '/lab2',
    'wss://ann:secret@r2.example/lab',
    'wss://ann@r2.example/lab',
    'wss://',
    'wss://[::1',
    'wss://r2.example:99999/',
    'javascript:alert(1)',
    '\u0000\u001b[31m',
    'wss://r1.example/lab?key=x',
    'wss://r1.example/lab',
    'wss://R1.EXAMPLE:443/lab#there',
  ];
  const own = ['wss://r1.example/lab?key=x'];
  for (const url of evil) assert.deepEqual(learned(own, R1, [url]), [], url);
  assert.deepEqual(learned(own, R1, Buffer.concat([Buffer.of(0x80), Buffer.alloc(4000, 0xff)])), []);
  // One of the URLs that the client was given is secure: a server of another one leads it nowhere without TLS.
  assert.deepEqual(
    learned(['ws://r1.example/', 'wss://r9.example/'], at('ws://r1.example/'), ['ws://r2.example/']),
    [],
  );
  assert.deepEqual(learned(['ws://r1.example/'], at('ws://r1.example/'), ['ws://r2.example/']), ['ws://r2.example/']);
});

test('of a long list the first eight are taken, each once', () => {
  const many = Array.from({ length: 50 }, (_, n) => `wss://n${n}.example/`);
  const message = Buffer.from(`\x80${many.join('\n')}`, 'latin1');
  assert.equal(learned(['wss://r1.example/'], R1, message).length, 9, 'the eight, and the server');
  const same = Buffer.from(`\x80${Array(8).fill('wss://r2.example/').join('\n')}`, 'latin1');
  assert.deepEqual(learned(['wss://r1.example/lab?key=x'], R1, same), ['wss://r2.example/?key=x']);
});

test('a list holds until the next tunnel stands, and a later list of a former server does not', () => {
  const nodes = new LearnedNodes([parseTunnelUrl('wss://r1.example/')], SILENT);
  const urls = (nowMs = 0): string[] => nodes.leads(nowMs).map(({ to }) => to.href);
  const hear = nodes.reached(at('wss://r1.example/'));
  hear?.(formatNodeList(['wss://r2.example/']));
  hear?.(formatNodeList(['wss://r3.example/']));
  assert.deepEqual(urls(), ['wss://r3.example/']);
  const [lead] = nodes.leads(0);
  assert.ok(lead);
  nodes.rest(lead, 500);
  assert.deepEqual([urls(499), urls(500)], [[], ['wss://r3.example/']]);
  nodes.reached(at('wss://r4.example/'));
  hear?.(formatNodeList(['wss://r5.example/']));
  assert.deepEqual(urls(), ['wss://r4.example/']);
  assert.equal(nodes.reached(undefined), undefined);
  assert.deepEqual(urls(), []);
});

test('nodes are dialled in an order by chance', () => {
  const list = Array.from({ length: 8 }, (_, n) => `wss://n${n}.example/`);
  const orders = new Set<string>();
  for (let run = 0; run < 20; run++) {
    const nodes = new LearnedNodes([parseTunnelUrl('wss://r1.example/')], SILENT);
    nodes.reached(at('wss://r1.example/'))?.(formatNodeList(list));
    orders.add(
      nodes
        .leads(0)
        .map(({ to }) => to.host)
        .join(),
    );
  }
  assert.ok(orders.size > 1);
});
