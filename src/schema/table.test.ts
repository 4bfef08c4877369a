import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as v from 'valibot';
import { Command } from '../cli/commander.ts';
import { addTableOptions, typedNames, typedValues } from '../cli/table-options.ts';
import { check, findProblem } from './check.ts';
import { DIAL_OPTIONS, dialOptions } from './dial-options.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { portSpec } from './port-spec.ts';
import { objectOf, type Row, type Table } from './table.ts';
import { TAP_OPTIONS } from './tap-options.ts';
import { anyText, flag, integer, listOf, oneOf, rule, type Schema } from './types.ts';

/** A table of the product with one more row: all that a new option needs. */
const WIDER = {
  ...TAP_OPTIONS,
  queues: {
    type: integer(1, 8),
    default: 1,
    unit: 'queues',
    flag: '--queues',
    metavar: 'N',
    help: 'how many queues the device gets',
  },
  pin: { type: anyText, secret: true, flag: '--pin', metavar: 'PIN', help: 'a secret of the device' },
  labels: { type: listOf(oneOf(['red', 'blue']), 2), flag: '--label', metavar: 'WORD', help: 'a label' },
  learn: { type: flag, default: true, flag: '--no-learn', help: 'learn no addresses' },
} as const satisfies Table;
const wider = objectOf(WIDER);

function commandOf(table: Table): Command {
  const command = new Command('tap').exitOverride().configureOutput({ writeErr: () => undefined });
  addTableOptions(command, table);
  return command;
}

function typed(words: readonly string[]): Record<string, unknown> {
  return typedValues(WIDER, commandOf(WIDER).parse(words, { from: 'user' }).opts());
}

describe('a row that is added to a table', () => {
  it('is in the help, with its default', () => {
    const help = commandOf(WIDER).helpInformation().replaceAll(/\s+/g, ' ');
    assert.match(help, /--queues <N> how many queues the device gets \(default: 1\)/);
    assert.match(help, /--no-learn learn no addresses/);
    assert.doesNotMatch(commandOf(TAP_OPTIONS).helpInformation(), /--queues/);
  });

  it('is read from the command line as what JSON has', () => {
    assert.deepEqual(typed(['--queues', '4', '--label', 'red', '--label', 'blue', '--no-learn', '--mac', 'x']), {
      queues: 4,
      labels: ['red', 'blue'],
      learn: false,
      mac: 'x',
    });
    assert.deepEqual(typed([]), {});
  });

  it('takes a number as 0x… only where it says so', () => {
    const table = { ...WIDER, mark: { ...WIDER.queues, hex: true, flag: '--mark' } } as const satisfies Table;
    const words = ['--queues', '0x4', '--mark', '0x4'];
    assert.deepEqual(typedValues(table, commandOf(table).parse(words, { from: 'user' }).opts()), {
      queues: '0x4',
      mark: 4,
    });
    const isHex = ([, { hex }]: readonly [string, Row]): boolean => hex === true;
    assert.deepEqual(
      Object.entries<Row>(DIAL_OPTIONS)
        .filter(isHex)
        .map(([key]) => key),
      ['fwmark'],
    );
  });

  it('is checked, and its type is inferred', () => {
    const options: { queues?: number; labels?: ('red' | 'blue')[]; learn?: boolean; mac?: string } = check(wider, {
      queues: 4,
      labels: ['red'],
      netns: null,
    });
    assert.deepEqual(options, { queues: 4, labels: ['red'] });
    for (const [document, message] of [
      [{ queues: 9 }, 'queues 9 is outside 1..8'],
      [{ queues: 'x' }, 'queues must be a whole number, got "x"'],
      [{ labels: ['red', 'green'] }, 'labels[1] must be one of red, blue, got "green"'],
      [{ labels: ['red', 'red', 'red'] }, 'labels has 3 items, more than 2'],
      [{ queue: 1 }, 'Unknown parameter "queue"'],
      [[], 'params must be an object of named values, got an array'],
    ] as const) {
      assert.throws(() => check(wider, document), { name: 'EtherwsError', code: 'ARGUMENT_INVALID', message });
    }
    assert.throws(() => check(wider, { queues: 9 }, typedNames(WIDER, [])), {
      message: '--queues 9 is outside 1..8',
    });
  });

  it('is in the JSON Schema, which a validator reads as the check does', () => {
    const schema = jsonSchemaOf(wider);
    const { properties } = schema as { properties?: { queues?: object } };
    assert.deepEqual(properties?.queues, {
      anyOf: [{ type: 'integer', minimum: 1, maximum: 8 }, { type: 'null' }],
      description: 'how many queues the device gets (queues)',
      default: 1,
    });
    const validate = new Ajv2020({ strict: false }).compile(schema);
    for (const document of [
      { queues: 8 },
      { queues: 9 },
      { queues: 1.5 },
      { queues: null },
      { pin: 7 },
      { pan: 7 },
      [],
    ]) {
      assert.equal(validate(document), findProblem(wider, document) === undefined, JSON.stringify(document));
    }
  });

  it('repeats no secret', () => {
    for (const secret of [4711, ['4711'], { x: '4711' }]) {
      assert.throws(
        () => check(wider, { pin: secret }),
        ({ message }: Error) => /^pin must be a text$/.test(message),
      );
    }
    for (const [key, row] of Object.entries<Row>(DIAL_OPTIONS)) {
      if (row.secret !== true) continue;
      for (const value of ['4711 \n', ['4711 \n'], 4711]) {
        assert.doesNotMatch(findProblem(dialOptions, { [key]: value })?.toError(String).message ?? '', /4711/, key);
      }
    }
  });
});

/** A whole configuration: lists of objects of objects, and names that refer to others. */
const configuration = v.pipe(
  objectOf({
    networks: {
      type: listOf(objectOf({ name: { type: anyText, required: true, help: 'its name' } } as const)),
      required: true,
      help: 'the networks',
    },
    ports: {
      type: listOf(
        objectOf({
          network: { type: anyText, required: true, help: 'the network that it is in' },
          port: { type: portSpec, required: true, help: 'what it is' },
        } as const),
      ),
      help: 'the ports',
    },
  } as const),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { networks, ports = [] } = dataset.value;
    for (const [index, { network }] of ports.entries()) {
      if (networks.some(({ name }) => name === network)) continue;
      const path = [{ type: 'unknown', origin: 'value', input: undefined, key: 'ports', value: undefined }] as const;
      const place = (key: number | string) => ({ ...path[0], key });
      addIssue({
        message: 'refers to no network',
        path: [place('ports'), place(index), place('network')],
        input: network,
      });
    }
  }),
);

describe('a configuration that is made of the tables', () => {
  const good = {
    networks: [{ name: 'lab' }],
    ports: [{ network: 'lab', port: { type: 'tap', target: 'tap0', options: { mac: '02:00:00:00:00:01' } } }],
  };
  const withPort = (change: object): object => ({ ...good, ports: [...good.ports, { ...good.ports[0], ...change }] });

  it('is read whole', () => assert.deepEqual(check(configuration as Schema, good), good));

  for (const [document, path, message] of [
    [withPort({ network: 'lap' }), 'ports.1.network', /^ports\[1\]\.network: refers to no network/],
    [withPort({ port: { type: 'tap', target: 'a/b' } }), 'ports.1.port.target', /^ports\[1\]\.port\.target "a\/b" has/],
    [
      withPort({ port: { type: 'tap', target: 'a', options: { mac: 'x' } } }),
      'ports.1.port.options.mac',
      /^ports\[1\]\.port\.options\.mac "x" is no MAC address/,
    ],
    [
      withPort({ port: { type: 'client', target: 'ws://a/', options: { preferFirst: 3 } } }),
      'ports.1.port.options',
      /^ports\[1\]\.port\.options\.preferFirst was given with one URL only/,
    ],
    [{ ...good, port: [] }, 'port', /^Unknown parameter "port"/],
    [{ networks: [{}] }, 'networks.0.name', /^networks\[0\]\.name must be a text, got nothing/],
  ] as const) {
    it(`tells the place of a mistake: ${path}`, () => {
      assert.equal(findProblem(configuration as Schema, document)?.path.join('.'), path);
      assert.throws(() => check(configuration as Schema, document), { message });
    });
  }

  it('has a JSON Schema', () => {
    const validate = new Ajv2020({ strict: false }).compile(jsonSchemaOf(configuration as Schema));
    assert.equal(validate(good), true);
    assert.equal(validate({ networks: [{}] }), false);
  });
});

describe('rules', () => {
  it('of several options speak of them by name', () => {
    const together = v.pipe(
      objectOf(WIDER),
      rule(({ queues, learn }: { queues?: number; learn?: boolean }) =>
        queues === 2 && learn === false
          ? { sentence: '{.queues} and {.learn:false} exclude each other', hint: 'Give {.mac}' }
          : undefined,
      ),
    );
    const document = { queues: 2, learn: 0 };
    assert.throws(() => check(together, document), {
      message: 'queues and learn: false exclude each other',
      hint: 'Give mac',
    });
    assert.throws(() => check(together, document, typedNames(WIDER, [])), {
      message: '--queues and --no-learn exclude each other',
      hint: 'Give --mac',
    });
  });
});
