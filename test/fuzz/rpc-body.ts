import { METHOD_PREFIX, METHODS } from '../../src/control/schema.ts';
import type { Random } from '../support/random.ts';

const NAMES = [...Object.keys(METHODS).map((name) => METHOD_PREFIX + name), 'listPort', METHOD_PREFIX, '__proto__', ''];
const KEYS = [
  ...['jsonrpc', 'id', 'method', 'params', 'port', 'shut', 'type', 'target', 'options', 'user', 'passwd', 'cacerts'],
  ...['insecure', 'address', 'netmask', 'mtu', 'addresses', '__proto__', 'constructor', 'toString', 'length', ''],
];
const VALUES: readonly unknown[] = [
  ...['2.0', 'tap', 'netdev', 'client', 'server', 'tap0', 'ws://a/', 'wss://[::1]:1/x', '10.0.0.1', '255.255.255.0'],
  ...['fd00::1/64', '10.0.0.1/24', '', '\u0000', '\ud800', 'x'.repeat(300), '1e999', '%d', '..', 'ann', 'a:b'],
  ...[0, 1, 2, 3, -1, 0.5, 576, 1500, 65_536, 2 ** 53, -(2 ** 53), 1e308, true, false, null],
];

/** Any JSON value, of few levels. */
function anything(random: Random, levels: number): unknown {
  if (levels > 0 && random.once(4)) return Array.from({ length: random.below(5) }, () => anything(random, levels - 1));
  if (levels > 0 && random.once(3)) {
    const keys = Array.from({ length: random.below(5) }, () => (random.once(6) ? random.text(8) : random.pick(KEYS)));
    return Object.fromEntries(keys.map((key) => [key, anything(random, levels - 1)]));
  }
  return random.once(8) ? random.text(40) : random.pick(VALUES);
}

/** Parameters that a method may well take. */
function likelyParams(random: Random): unknown {
  const port = random.between(1, 6);
  switch (random.below(6)) {
    case 0:
      return {
        type: random.pick(['tap', 'netdev']),
        target: `tap${random.below(9)}`,
        options: random.pick([null, {}]),
      };
    case 1:
      return { type: 'client', target: 'ws://a.example/', options: { user: 'ann', passwd: random.text(5) } };
    case 2:
      return { port, shut: random.pick([true, false, 0, 1, null]) };
    case 3:
      return {
        port,
        address: '10.0.0.1',
        netmask: '255.0.0.0',
        mtu: random.between(500, 1600),
        addresses: ['fd00::1/8'],
      };
    case 4:
      return { port };
    default:
      return random.pick([undefined, null, {}, []]);
  }
}

function call(random: Random): unknown {
  const request: Record<string, unknown> = {
    jsonrpc: '2.0',
    id: random.pick([1, 'x', null, 0, -5]),
    method: random.pick(NAMES),
    params: likelyParams(random),
  };
  if (random.once(3)) request[random.pick(KEYS)] = anything(random, 3);
  if (random.once(6)) delete request[random.pick(['jsonrpc', 'id', 'method', 'params'])];
  return random.once(12) ? anything(random, 4) : request;
}

/** A body for the control API: a likely call or batch, a bent one, or no JSON at all. */
export function hostileBody(random: Random): Buffer {
  if (random.once(20)) return random.bytes(random.below(200));
  const value = random.once(5)
    ? Array.from({ length: random.below(random.once(50) ? 120 : 6) }, () => call(random))
    : call(random);
  const text = JSON.stringify(value) ?? '';
  const bytes = Buffer.from(text);
  if (random.once(4) && bytes.length > 0) {
    for (let flips = random.between(1, 3); flips > 0; flips--) bytes[random.below(bytes.length)] = random.next();
  }
  return random.once(10) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}
