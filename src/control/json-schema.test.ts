import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { findProblem } from '../schema/check.ts';
import { callSchema } from './json-schema.ts';
import { METHOD_PREFIX, METHODS, type MethodName } from './schema.ts';

/**
 * The published JSON Schema, checked by ajv. It accepts everything that the RPC accepts. The RPC
 * refuses more only by rules that JSON Schema cannot express, such as the syntax of a URL. So both
 * must refuse the same documents, except for those that such a rule refuses.
 */
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(callSchema());
const PIN = `sha256//${Buffer.alloc(32).toString('base64')}`;

/** Values for each parameter: valid ones, and ones of a wrong type, range or length. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  type: ['tap', 'netdev', 'client', 'server', 1],
  target: ['tap0', 'ws://a/', 7, undefined],
  port: [1, 7, '3', '007', 0, '0', -1, 1.5, 'x', 2 ** 53, null, '1234567890123456'],
  shut: [true, false, 0, 1, 2, '1', null],
  address: ['10.0.0.1', 5, null],
  netmask: ['255.0.0.0', false, null],
  mtu: [576, 65_535, 575, 65_536, 1500.5, '1500', null],
  addresses: [[], ['10.0.0.1/8', 'fd00::1/64'], [1], '10.0.0.1/8', new Array(65).fill('10.0.0.1/8'), null],
  surprise: [1, null],
};
const { port: ports = [], mtu: mtus = [] } = VALUES;
const OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  user: ['ann', '', null, 7],
  passwd: ['x', '', null, 7],
  token: ['abc', null, 7],
  cacerts: ['/ca', '', null, 7],
  insecure: [true, false, 0, 1, '', null, 2],
  wire: ['raw', 'auto', '', 'fast', null],
  wait: [true, 0, null, 'no'],
  reconnect: [true, false, 0, null],
  reconnectMin: [0.5, 0, 1, 86_401, 'x', null],
  preferFirst: [30, 0, null],
  alternatives: [['ws://b/'], [], ['ws://b/', 3], new Array(17).fill('ws://b/'), null],
  headers: [['A: b'], [1], new Array(33).fill('A: b'), null],
  fwmark: [1, 0, 2 ** 32, null],
  cert: ['/c', null],
  key: ['/k', null],
  pin: [PIN, null, 1],
  netns: ['blue', null, 7],
  mac: ['02:00:00:00:00:01', null, 7],
  colour: ['red'],
};

function objectsOf(values: Readonly<Record<string, readonly unknown[]>>): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(values).map(([key, some]) => fc.tuple(fc.constant(key), fc.constantFrom(...some)));
  return fc
    .array(fc.oneof(...members), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries.filter(([, value]) => value !== undefined)));
}

const options = fc.oneof({ weight: 8, arbitrary: objectsOf(OPTIONS) }, fc.constantFrom(null, [], 'x', 7));
/** One of ten calls is of the method with most rules, however many others there are. */
const name = fc.oneof(
  { weight: 1, arbitrary: fc.constant<MethodName>('addPort') },
  { weight: 9, arbitrary: fc.constantFrom(...(Object.keys(METHODS) as MethodName[])) },
);
const params: fc.Arbitrary<unknown> = fc.oneof(
  objectsOf(VALUES),
  fc.record({
    type: fc.constantFrom('tap', 'netdev', 'client'),
    target: fc.constantFrom('tap0', 'ws://a/', 7),
    options,
  }),
  fc.record({ port: fc.constantFrom(...ports), mtu: fc.constantFrom(...mtus) }),
  fc.constantFrom(undefined, null, [], [1], 'x', {}),
);

/** Problems of rules that JSON Schema cannot express. */
const BEYOND_JSON_SCHEMA = [
  /^target ".*" (is not a ws:\/\/|has a character)/,
  /^options\.reconnectMin [\d.]+ is above options\.reconnectMax/,
];

type Definitions = Record<string, { oneOf: { properties: object }[] }>;

describe('the JSON Schema of the calls', () => {
  it('gives the verdict of the RPC on generated calls', () => {
    const seen = { taken: 0, refused: 0, beyond: 0 };
    fc.assert(
      fc.property(name, params, (method, given) => {
        const call = {
          jsonrpc: '2.0',
          id: 1,
          method: METHOD_PREFIX + method,
          ...(given === undefined ? {} : { params: given }),
        };
        const problem = findProblem(METHODS[method].params, given);
        const verdict = validate(call);
        const message = problem?.toError((path) => path.join('.')).message;
        const said = `${JSON.stringify(call)}: ${message ?? 'taken'}; ajv: ${JSON.stringify(validate.errors?.slice(0, 3))}`;
        if (problem === undefined) assert.equal(verdict, true, said);
        else if (!BEYOND_JSON_SCHEMA.some((rule) => rule.test(message ?? ''))) assert.equal(verdict, false, said);
        seen[problem === undefined ? 'taken' : verdict ? 'beyond' : 'refused']++;
      }),
      { numRuns: 10_000, seed: 1 },
    );
    assert.ok(seen.taken > 300 && seen.refused > 1000 && seen.beyond > 10, JSON.stringify(seen));
  });

  it('refuses what is no call of a method that there is', () => {
    for (const call of [
      { jsonrpc: '2.0', method: `${METHOD_PREFIX}nosuch` },
      { jsonrpc: '1.0', method: `${METHOD_PREFIX}listPort` },
      { method: `${METHOD_PREFIX}listPort` },
      [],
      null,
    ]) {
      assert.equal(validate(call), false, JSON.stringify(call));
    }
    assert.equal(validate({ jsonrpc: '2.0', method: `${METHOD_PREFIX}listPort` }), true);
  });

  it('says of every parameter what it does, and marks secrets', () => {
    const { $defs: definitions } = callSchema(['addPort']) as unknown as { $defs: Definitions };
    const client = definitions['addPort.params']?.oneOf[2]?.properties as unknown as {
      options: { anyOf: { properties: Record<string, { description?: string; writeOnly?: true }> }[] };
    };
    const rows = Object.entries(client.options.anyOf[0]?.properties ?? {});
    assert.ok(rows.length > 20);
    for (const [key, { description }] of rows) assert.notEqual(description ?? '', '', key);
    const secrets = rows.filter(([, { writeOnly }]) => writeOnly === true).map(([key]) => key);
    assert.deepEqual(secrets, ['passwd', 'token', 'proxy', 'headers']);
  });
});
